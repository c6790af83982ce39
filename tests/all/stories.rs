//! Stories: a folder each under `tests/stories`, one harness for all.
//!
//! `story.md` tells it, `config.toml` is what the user wrote (`[ORG]` stands for the org's URL), `org.toml` describes the
//! org, `steps` is what happens, `expect.txt` what the user saw and what is left behind, and `expect.jsonl` the log
//! records, in order. `STORIES=overwrite` writes both anew, to be read before they are believed. Each story ends
//! with the search for its secrets, which the desk sees to.
//!
//! Lines of `steps`:
//!
//! | line | does |
//! |---|---|
//! | `$ sfmint token` | runs the program, or `$ sh -c ...` any other; its exit code must be the story's |
//! | `exit 75` | the exit code of the line before; 0 where none is said |
//! | `org PATH JSON` | a deed of the org's admin API |
//! | `org stops` | nobody answers any more |
//! | `age 700` | the kept token, and what was refused, is so many seconds older |
//! | `set NAME VALUE`, `unset NAME` | an environment variable; `[KEY]` is the private key's text |
//! | `key NAME FIXTURE MODE` | a key file of tests/fixtures/keys in the folder |
//! | `write PATH TEXT` | a file |
//! | `break PATH` | overwrites the middle of each file whose path begins so |

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use sfmint::base::UnixSeconds;
use sfmint::emulator::OrgConfig;
use sfmint::store::{Location, MintQuery, open_strict};

use crate::child;
use crate::org::fixture;
use crate::places::Desk;

macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { tell(stringify!($name)); })*

        #[test]
        fn every_folder_is_told() {
            let mut told = vec![$(stringify!($name)),*];
            told.sort_unstable();
            let mut folders: Vec<String> = std::fs::read_dir(root())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            folders.sort_unstable();
            assert_eq!(folders, told);
        }
    };
}

stories! {
    a_broken_answer_is_asked_for_again,
    a_certificate_of_another_key_is_found_before_any_request,
    a_clock_ten_minutes_off_is_measured,
    a_clock_ten_years_off_is_measured,
    a_connection_comes_from_the_environment_alone,
    a_damaged_cache_is_set_aside,
    a_damaged_store_is_set_aside,
    a_dpop_bound_token_is_refused,
    a_first_token_is_minted,
    a_frozen_user_is_named,
    a_hostile_instance_url_is_refused,
    a_kept_token_is_handed_out_again,
    a_key_that_others_can_read_is_refused,
    a_maintenance_page_is_no_refusal,
    a_program_finds_the_token_in_its_environment,
    a_redirect_is_not_followed,
    a_refusal_cannot_paint_the_screen,
    a_renewal_that_fails_serves_the_old_token,
    a_spent_budget_ends_with_75,
    a_state_folder_that_cannot_be_made_is_said_once,
    a_token_is_revoked_and_forgotten,
    a_user_without_approval_is_named,
    a_wait_that_is_asked_for_is_kept,
    a_wrong_audience_is_named,
    an_app_that_is_not_there_is_named,
    an_encrypted_key_needs_its_passphrase,
    an_endless_answer_is_cut,
    an_outage_ends_with_75,
    ninety_days_of_silence,
    repeated_denials_are_paused,
    two_processes_mint_once,
}

/// Stories of a polite org; all others are told by a rude one.
///
/// These two show Salesforce's words to a second request, and a rude org shouts every other answer. The tests beside the
/// stories count requests, which a rude org's 503 to every fifth would blur; `minting.rs` has its rude org of its own.
const POLITE: [&str; 2] = ["a_frozen_user_is_named", "repeated_denials_are_paused"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories")
}

fn tell(name: &str) {
    let folder = root().join(name);
    let text = std::fs::read_to_string(folder.join("story.md")).unwrap();
    assert!(text.matches('.').count() >= 3, "story.md has three sentences");
    compare(name, "expect.txt", &Story::told(name, false).seen);
    // Once more, for the log alone: the same steps, each program with a log for machines.
    if overwrite() || folder.join("expect.jsonl").exists() {
        compare(name, "expect.jsonl", &Story::told(name, true).records);
    }
}

/// Compares line by line. A story whose programs log nothing has no `expect.jsonl`.
fn compare(name: &str, file: &str, seen: &str) {
    let path = root().join(name).join(file);
    if overwrite() && !seen.is_empty() {
        std::fs::write(&path, seen).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (saw, told)) in seen.lines().zip(expected.lines()).enumerate() {
        assert_eq!(saw, told, "{name}/{file}:{}; all of it:\n{seen}", number + 1);
    }
    assert_eq!(seen.lines().count(), expected.lines().count(), "{name}/{file}: all of it:\n{seen}");
}

#[allow(clippy::disallowed_methods, reason = "the only word a test run can be given")]
fn overwrite() -> bool {
    std::env::var_os("STORIES").is_some_and(|word| word == "overwrite")
}

/// What varies from run to run, and what stands for it.
static PLACEHOLDERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"00D[0-9A-Za-z]{12}![0-9A-Za-z._]+", "[TOKEN]"),
        (r"eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+", "[TOKEN]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"\b[0-9a-f]{64}\b", "[HASH]"),
        (r"(token\.id=|token |token_id. ?.: ?.)[0-9a-f]{8,16}\b", "${1}[ID]"),
        (r"\bfor \d+ s\b", "for [N] s"),
        (r"\bin \d+ s\b", "in [N] s"),
        (r#"("token_id": ")[0-9a-f]+"#, "${1}[ID]"),
        (r"(age_s|due_in_s|days_left|skew_s|pause_ms)=-?\d+", "${1}=[N]"),
        (r"by -?\d+ s\b", "by [N] s"),
        (r"damaged-\d+", "damaged-[TIME]"),
        (r"corrupt-[0-9TZ-]+", "corrupt-[TIME]"),
    ]
    .map(|(pattern, placeholder)| (Regex::new(pattern).unwrap(), placeholder))
    .to_vec()
});

/// Fields of log records whose numbers vary from run to run.
const VARYING: [&str; 6] =
    ["token.age_s", "token.due_in_s", "cert.days_left", "clock.skew_s", "pause_ms", "token.id"];

struct Story {
    desk: Desk,
    seen: String,
    /// Whether it is told for its log.
    logged: bool,
    records: String,
}

impl Story {
    /// Tells a story from its first step to what is left behind.
    fn told(name: &str, logged: bool) -> Self {
        let read = |file: &str| {
            let path = root().join(name).join(file);
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let mut org = OrgConfig::from_toml(&read("org.toml")).unwrap();
        org.rules.rude |= !POLITE.contains(&name);
        let mut story = Self { desk: Desk::with(org), seen: String::new(), logged, records: String::new() };
        story.desk.write("sfmint.toml", &read("config.toml").replace("[ORG]", &story.desk.url()));
        let steps = read("steps");
        let mut steps = steps.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
        while let Some(step) = steps.next() {
            let code =
                steps.peek().and_then(|next| next.strip_prefix("exit ")).map(|code| code.parse().unwrap());
            if code.is_some() {
                steps.next();
            }
            story.step(step, code.unwrap_or(0));
        }
        story.facts();
        let secrets = story.desk.all_secrets();
        secrets.sweep("the expectation", story.seen.as_bytes(), true);
        secrets.sweep("the expectation", story.records.as_bytes(), true);
        story
    }

    fn step(&mut self, step: &str, code: i32) {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
        match verb {
            "$" => self.run(rest, code),
            "org" if rest == "stops" => self.desk.stop_org(),
            "org" => self.desk.administer(first, second),
            "age" => self.desk.age(rest.parse().unwrap()),
            "set" => {
                let key = std::fs::read_to_string(fixture("pkcs8.pem")).unwrap();
                let value = second.replace("[KEY]", &key).replace("[ORG]", &self.desk.url());
                self.desk.variables.insert(first.into(), value.into());
            }
            "unset" => {
                self.desk.variables.remove(rest);
            }
            "secret" => self.desk.secret("a secret of the story", rest),
            "key" => {
                let (source, mode) = second.split_once(' ').unwrap();
                let path = self.desk.path().join(first);
                std::fs::copy(fixture(source), &path).unwrap();
                let mode = u32::from_str_radix(mode, 8).unwrap();
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            }
            "write" => self.desk.write(first, second),
            "break" => {
                let mut broken = 0;
                walk(self.desk.path(), &mut |path| {
                    let relative =
                        path.strip_prefix(self.desk.path()).unwrap().to_string_lossy().into_owned();
                    if relative.starts_with(rest) && !relative.ends_with(".lock") {
                        let mut bytes = std::fs::read(path).unwrap();
                        let end = bytes.len().min(200);
                        bytes[..end].fill(b'#');
                        std::fs::write(path, bytes).unwrap();
                        broken += 1;
                    }
                });
                assert!(broken > 0, "nothing begins with {rest}");
            }
            _ => panic!("no such step: {step}"),
        }
    }

    fn run(&mut self, line: &str, code: i32) {
        let mut line = line.replace("[ORG]", &self.desk.url());
        if self.logged {
            line = line.replace("sfmint ", "sfmint --log-format json ");
        }
        let command = match line.strip_prefix("sfmint") {
            Some(arguments) if !line.contains(['|', '\'', '"', '>', ';', '&']) => {
                self.desk.command(&arguments.split_ascii_whitespace().collect::<Vec<_>>())
            }
            _ => {
                let mut command = self.desk.program("sh");
                let folder = Path::new(child::SFMINT).parent().unwrap().display();
                command.env("PATH", format!("{folder}:/usr/bin:/bin:/usr/sbin:/sbin"));
                command.args(["-c", &line]);
                command
            }
        };
        let ran = self.desk.run(command);
        let _ = writeln!(self.seen, "$ {}", self.plain(&line).trim_end());
        self.seen.push_str(&self.plain(&ran.out()));
        self.seen.push_str(&self.plain(&ran.err()));
        if ran.code() != 0 {
            let _ = writeln!(self.seen, "[exit {}]", ran.code());
        }
        assert_eq!(ran.code(), code, "{line}\n{}", self.seen);
        let records: Vec<String> = ran.err().lines().filter_map(|line| self.record(line)).collect();
        records.iter().for_each(|record| self.records.push_str(&format!("{record}\n")));
    }

    /// A log record, its fields by name and in their order, with placeholders for what varies; `None` where the line is none.
    fn record(&self, line: &str) -> Option<String> {
        let mut record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).ok()?;
        record.get("level")?;
        // When it was, and which file spoke, are nobody's to hold on to.
        record.shift_remove("timestamp")?;
        record.shift_remove("target")?;
        for name in VARYING {
            if let Some(value) = record.get_mut(name) {
                *value = if value.is_number() { "[N]" } else { "[ID]" }.into();
            }
        }
        Some(self.plain(&serde_json::to_string(&record).unwrap()).trim_end().to_string())
    }

    /// The text with placeholders for what varies from run to run.
    fn plain(&self, text: &str) -> String {
        let mut text = text.replace(&self.desk.url(), "[ORG]");
        let host = self.desk.url().replace("http://", "");
        text = text.replace(&host, "[HOST]").replace(&self.desk.path().display().to_string(), "[DIR]");
        for (pattern, placeholder) in PLACEHOLDERS.iter() {
            text = pattern.replace_all(&text, *placeholder).into_owned();
        }
        let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        text
    }

    /// What is left behind: the org's counts, and the history.
    fn facts(&mut self) {
        let counters = self.desk.admin().counters();
        let _ = writeln!(self.seen, "---- the org saw {} token requests", counters.token_posts);
        for (outcome, count) in &counters.token_outcomes {
            let _ = writeln!(self.seen, "{count} {outcome}");
        }
        self.seen.push_str("---- the history holds\n");
        let path = self.desk.path().join("state/state.db");
        if path.exists() {
            let now = UnixSeconds::new(2_000_000_000);
            let store = open_strict(&Location::Sqlite { path }, now);
            match store {
                Ok(store) => {
                    let query = MintQuery { limit: 1000, ..MintQuery::default() };
                    let mut rows = self.desk.wait(store.mints(query)).unwrap();
                    rows.reverse();
                    for row in rows {
                        let code = row.code.map(|code| format!(" {code}")).unwrap_or_default();
                        let _ = writeln!(
                            self.seen,
                            "{} {}{code}, {} sent",
                            row.reason, row.outcome, row.attempts
                        );
                    }
                }
                Err(error) => {
                    let _ = writeln!(self.seen, "nothing: {}", self.plain(&error.to_string()));
                }
            }
        }
    }
}

fn walk(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, each) } else { each(&path) }
    }
}

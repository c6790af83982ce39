//! A folder with a config file, a key and a state directory, and an org that the config names: what a person has.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use sfmint::emulator::{Admin, DEMO_CONSUMER_KEY, DEMO_USERNAME, Org, OrgConfig};
use sfmint::token::SystemClock;

use crate::child::{self, Ran, Started};
use crate::org::{fixture, key_in};
use crate::relay::Relay;
use crate::secrets::{PRINTED, Secrets};

/// A desk: org, relay and folder. The runtime serves them while the test waits for programs.
///
/// What programs say and leave behind is swept for secrets when the desk is cleared: no test can forget it.
pub struct Desk {
    runtime: tokio::runtime::Runtime,
    org: Option<Org>,
    admin: Admin,
    relay: Relay,
    folder: tempfile::TempDir,
    pub variables: BTreeMap<String, OsString>,
    secrets: Vec<(String, String)>,
    said: Mutex<Vec<(String, Said)>>,
    started: Mutex<usize>,
}

/// What a program said, and the argument lists that were seen of it and its children.
struct Said {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    command_lines: Vec<u8>,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self::with(OrgConfig::default());
        desk.write("sfmint.toml", &desk.config(""));
        desk
    }

    /// A desk without a config file yet. Apps without a certificate get the test key's.
    pub fn with(mut config: OrgConfig) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let certificate = std::fs::read_to_string(fixture("certificate.pem")).unwrap();
        for app in config.apps.iter_mut().filter(|app| app.certificate.is_none()) {
            app.certificate = Some(certificate.clone());
        }
        let clock = Arc::new(SystemClock::new());
        let (org, relay) = runtime.block_on(async {
            let org = Org::start(config, clock, "127.0.0.1:0".parse().unwrap()).await.unwrap();
            let relay = Relay::before(&org.url()).await;
            (org, relay)
        });
        let admin = org.admin();
        let folder = tempfile::tempdir().unwrap();
        key_in(folder.path(), "pkcs8.pem", "current.key");
        std::fs::copy(fixture("certificate.pem"), folder.path().join("current.crt")).unwrap();
        let mut variables = BTreeMap::new();
        variables.insert("SFMINT_CONFIG".into(), folder.path().join("sfmint.toml").into());
        variables.insert("SFMINT_STATE_DIR".into(), folder.path().join("state").into());
        Self {
            runtime,
            org: Some(org),
            admin,
            relay,
            folder,
            variables,
            secrets: vec![],
            said: Mutex::default(),
            started: Mutex::default(),
        }
    }

    /// A connection as a user writes it, with further lines of its own.
    pub fn config(&self, more: &str) -> String {
        let url = self.url();
        format!(
            "[connections.prod]\nlogin_url = \"{url}\"\nclient_id = \"{DEMO_CONSUMER_KEY}\"\n\
             username = \"{DEMO_USERNAME}\"\nkey = {{ file = \"current.key\" }}\n{more}\n"
        )
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Where the config sends its requests.
    pub fn url(&self) -> String {
        self.relay.url()
    }

    pub fn admin(&self) -> Admin {
        self.admin.clone()
    }

    pub fn org_url(&self) -> String {
        self.org.as_ref().unwrap().url()
    }

    /// Does a deed of the admin API as an administrator's script would.
    pub fn administer(&self, path: &str, body: &str) {
        let url = format!("{}/_emulator/{path}", self.org_url());
        let body = body.to_string();
        self.runtime.block_on(async {
            let answer = reqwest::Client::new().post(url).body(body).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}: {}", answer.text().await.unwrap());
        });
    }

    /// Waits for a future on the desk's own runtime.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Nobody answers any more.
    pub fn stop_org(&mut self) {
        self.relay.stop();
        if let Some(org) = self.org.take() {
            self.runtime.block_on(org.stop());
        }
    }

    /// `sfmint`, as it would be started here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(child::SFMINT);
        command.args(arguments);
        command
    }

    /// Another program in the same environment.
    pub fn program(&self, program: &str) -> Command {
        child::bare(program, self.path(), &self.variables)
    }

    pub fn sfmint(&self, arguments: &[&str]) -> Ran {
        self.run(self.command(arguments))
    }

    /// Runs a command to its end.
    pub fn run(&self, command: Command) -> Ran {
        let label = label(&command);
        let ran = child::run(command);
        let said = Said {
            stdout: ran.stdout.clone(),
            stderr: ran.stderr.clone(),
            command_lines: ran.command_lines.clone(),
        };
        self.said.lock().unwrap().push((label, said));
        ran
    }

    /// Starts a command that runs while the test goes on.
    pub fn start(&self, command: Command) -> Started {
        let mut number = self.started.lock().unwrap();
        *number += 1;
        let heard = self.path().join("heard");
        std::fs::create_dir_all(&heard).unwrap();
        let prints = prints_tokens(&label(&command));
        Started::new(command, heard.join(number.to_string()), if prints { PRINTED } else { "out" })
    }

    /// Another secret that this run uses.
    pub fn secret(&mut self, kind: &str, text: &str) {
        self.secrets.push((kind.into(), text.into()));
    }

    /// The cache files, without locks and counts.
    pub fn cache_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.path().join("state/tokens"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        files.sort();
        files
    }

    /// The kept token is so many seconds older, in the file that holds it.
    pub fn age(&self, seconds: i64) {
        for path in self.cache_files() {
            let mut record: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let token = record.get_mut("token").filter(|token| token.is_object());
            if let Some(token) = token {
                token["minted_at"] = (token["minted_at"].as_i64().unwrap() - seconds).into();
            }
            for refusal in ["refused", "session_refused"] {
                if let Some(at) = record.get_mut(refusal).and_then(|refused| refused.get_mut("at")) {
                    *at = (at.as_i64().unwrap() - seconds).into();
                }
            }
            if let Some(at) = record["renewal_failed_at"].as_i64() {
                record["renewal_failed_at"] = (at - seconds).into();
            }
            std::fs::write(&path, serde_json::to_vec(&record).unwrap()).unwrap();
        }
    }

    /// All secrets that this desk has seen.
    pub fn all_secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add_beginnings();
        for name in ["current.key", "other.key"] {
            if self.path().join(name).exists() {
                secrets.add_key(&self.path().join(name));
            }
        }
        secrets.add_key(&fixture("pkcs8.pem"));
        let (assertions, tokens) = self.relay.secrets();
        let unique = |all: Vec<String>| all.into_iter().collect::<BTreeSet<_>>();
        unique(assertions).iter().for_each(|assertion| secrets.add("an assertion", assertion, false));
        unique(tokens).iter().for_each(|token| secrets.add("an access token", token, true));
        self.secrets.iter().for_each(|(kind, text)| secrets.add(kind, text, false));
        secrets
    }

    /// The tokens that went over the wire.
    pub fn tokens(&self) -> Vec<String> {
        self.relay.secrets().1
    }

    /// Sweeps all that programs said and left behind.
    fn sweep(&self) {
        let secrets = self.all_secrets();
        for (what, said) in self.said.lock().unwrap().iter() {
            secrets.sweep(&format!("stdout of {what}"), &said.stdout, !prints_tokens(what));
            secrets.sweep(&format!("stderr of {what}"), &said.stderr, true);
            secrets.sweep(&format!("an argument list of {what}"), &said.command_lines, true);
        }
        secrets.sweep_folder(self.path(), self.path());
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.sweep();
        }
    }
}

/// A command as it would be typed.
fn label(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ").replace(child::SFMINT, "sfmint")
}

/// Whether a command prints a token when it does what it is for.
fn prints_tokens(label: &str) -> bool {
    ["token", "SF_ACCESS_TOKEN", " env", "environ"].iter().any(|word| label.contains(word))
}

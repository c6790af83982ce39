//! `sfmint api` and `sfmint query` as people run them: one process a call, into pipes and files.

use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use sfmint::emulator::{Effect, Injection};

use crate::child;
use crate::places::Desk;

const TOKEN: &str = "/services/oauth2/token";
const QUERY: &str = "/services/data/v67.0/query";
const SOQL: &str = "SELECT Id, Name FROM Account";

fn json(status: u16, body: impl Into<String>) -> Effect {
    let headers = BTreeMap::from([("Content-Type".to_string(), "application/json".to_string())]);
    Effect::Status { status, headers, body: body.into() }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

// A renewal that dies with the process that began it is begun by every process after it.
#[test]
fn calls_in_processes_of_their_own_renew_a_token_once() {
    let desk = Desk::new();
    desk.write("sfmint.toml", &desk.config("session_timeout_seconds = 900\napi_version = \"67.0\""));
    assert_eq!(desk.sfmint(&["token"]).code(), 0);
    desk.age(700);
    desk.admin().inject(Injection::always(TOKEN, Effect::Delay { delay_ms: 300 }));
    for arguments in [
        &["api", "query?q=SELECT+Id+FROM+Account"] as &[&str],
        &["query", SOQL],
        &["api", "query?q=SELECT+Id+FROM+Account"],
    ] {
        let ran = desk.sfmint(arguments);
        assert_eq!(ran.code(), 0, "{arguments:?}: {}", ran.err());
        assert_eq!(desk.admin().counters().token_posts, 2, "{arguments:?}: one to begin with, one renewal");
    }
    let info = desk.sfmint(&["store", "info"]).out();
    let rows = info.lines().find(|line| line.starts_with("rows") && line.contains("mint"));
    assert!(rows.is_some_and(|rows| rows.ends_with(" 2")), "{info}");
}

// Partial is never success.
#[test]
fn pages_that_are_not_all_there_are_in_doubt() {
    let desk = Desk::new();
    desk.write("sfmint.toml", &desk.config("api_version = \"67.0\""));
    let cases = [
        r#"{"totalSize":2,"done":false,"records":[{"Id":"1"}]}"#,
        r#"{"totalSize":2,"done":true,"records":[{"Id":"1"}]}"#,
        r#"{"totalSize":1,"done":true,"records":[{"Id":"1""#,
        "<html>Down for maintenance</html>",
    ];
    for body in cases {
        desk.admin().clear_faults();
        desk.admin().inject(Injection::always(QUERY, json(200, body)));
        let ran = desk.sfmint(&["api", "--paginate", "query?q=SELECT+Id+FROM+Account"]);
        assert_eq!(ran.code(), 65, "{body}: {}", ran.err());
    }
    desk.admin().clear_faults();
    let ran = desk.sfmint(&["api", "--paginate", "query?q=SELECT+Id+FROM+Account"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
}

// A reader that has seen enough stops the calls, too.
#[test]
fn no_page_is_fetched_for_a_reader_that_is_gone() {
    let desk = Desk::new();
    desk.write("sfmint.toml", &desk.config("api_version = \"67.0\""));
    // Far more pages than any pipe holds; only the reader's going away ends this soon.
    let row = format!(r#"{{"Id":"1","Name":"{}"}}"#, "x".repeat(30_000));
    for number in 0..400 {
        let next = format!("{QUERY}/01g-{number}");
        let page =
            format!(r#"{{"totalSize":9999,"done":false,"nextRecordsUrl":"{next}","records":[{row}]}}"#);
        desk.admin().inject(Injection::next(QUERY, 1, json(200, page)));
    }
    for arguments in [
        &["api", "--paginate", "query?q=SELECT+Id+FROM+Account"] as &[&str],
        &["query", "--format", "jsonl", SOQL],
    ] {
        let mut command = desk.program("sh");
        command
            .args(["-c", "{ \"$@\"; echo code $? >code; } | head -c 10", "sh", child::SFMINT])
            .args(arguments);
        let ran = desk.run(command);
        let code = std::fs::read_to_string(desk.path().join("code")).unwrap();
        assert_eq!(code.trim(), "code 0", "{arguments:?}: {}", ran.err());
        assert_eq!(ran.stdout.len(), 10);
    }
}

#[test]
fn a_file_of_rows_is_its_owners_and_one_that_is_replaced_keeps_its_mode_and_its_links() {
    let desk = Desk::new();
    let out = desk.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let write = |path: &Path| {
        let ran = desk.sfmint(&["query", "--format", "csv", "-o", path.to_str().unwrap(), SOQL]);
        assert_eq!(ran.code(), 0, "{}", ran.err());
    };
    let rows = out.join("rows.csv");
    write(&rows);
    assert_eq!(mode(&rows), 0o600);
    std::fs::set_permissions(&rows, std::fs::Permissions::from_mode(0o664)).unwrap();
    write(&rows);
    assert_eq!(mode(&rows), 0o664);
    let whole = std::fs::read(&rows).unwrap();
    assert!(whole.starts_with(b"Id,Name\n"));

    std::fs::write(&rows, "old").unwrap();
    for (link, target) in [("link.csv", "rows.csv"), ("dangling.csv", "made.csv")] {
        std::os::unix::fs::symlink(target, out.join(link)).unwrap();
        write(&out.join(link));
        assert!(out.join(link).is_symlink(), "{link}");
        assert_eq!(std::fs::read(out.join(target)).unwrap(), whole, "{link}");
    }
    assert_eq!(names(&out), ["dangling.csv", "link.csv", "made.csv", "rows.csv"]);
    let ran = desk.sfmint(&["query", "-o", out.to_str().unwrap(), SOQL]);
    assert_eq!(ran.code(), 74, "{}", ran.err());
}

#[test]
fn pipes_and_devices_are_written_to_and_stay_what_they_are() {
    let desk = Desk::new();
    let ran = desk.sfmint(&["query", "--format", "csv", SOQL]);
    let whole = ran.stdout;
    assert!(whole.starts_with(b"Id,Name\n"), "{}", String::from_utf8_lossy(&ran.stderr));
    let pipe = desk.path().join("pipe");
    let mut make = desk.program("mkfifo");
    make.arg(&pipe);
    assert_eq!(desk.run(make).code(), 0);
    let to = pipe.clone();
    let reader = std::thread::spawn(move || std::fs::read(to).unwrap());
    let ran = desk.sfmint(&["query", "--format", "csv", "-o", pipe.to_str().unwrap(), SOQL]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    assert_eq!(reader.join().unwrap(), whole);
    assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
    let ran = desk.sfmint(&["query", "--format", "csv", "-o", "/dev/stdout", SOQL]);
    assert_eq!((ran.code(), ran.stdout), (0, whole));
    assert_eq!(desk.sfmint(&["query", "-o", "/dev/null", SOQL]).code(), 0);
    assert!(Path::new("/dev/null").metadata().unwrap().file_type().is_char_device());
}

// faults B3
#[test]
fn a_query_that_is_stopped_leaves_no_half_a_file() {
    let desk = Desk::new();
    let out = desk.path().join("out");
    std::fs::create_dir(&out).unwrap();
    desk.write("sfmint.toml", &desk.config("api_version = \"67.0\""));
    desk.admin().inject(Injection::always(TOKEN, Effect::Hang));
    for (number, signal, code) in
        [(1, rustix::process::Signal::TERM, 143), (2, rustix::process::Signal::INT, 130)]
    {
        let mut started = desk.start(desk.command(&["query", "-o", "out/rows.csv", SOQL]));
        crate::processes::until("the request", || desk.admin().counters().token_posts == number);
        assert_eq!(names(&out).len(), 1);
        rustix::process::kill_process(rustix::process::Pid::from_child(&started.child), signal).unwrap();
        assert_eq!(started.end().code(), Some(code));
        assert_eq!(names(&out), [""; 0]);
    }
}

// What programs are told is what the org can answer, and it is asked for once.
#[test]
fn programs_are_told_a_version_that_the_org_has() {
    let desk = Desk::new();
    desk.admin().change_rules(|rules| rules.newest_api_version = 60);
    desk.write("sfmint.toml", &desk.config(""));
    for arguments in [&["token", "--format", "env"] as &[&str], &["exec", "--", "env"]] {
        let ran = desk.sfmint(arguments);
        assert!(ran.out().replace('\'', "").contains("SF_API_VERSION=60.0"), "{}", ran.err());
    }
    let asked = desk
        .admin()
        .log()
        .iter()
        .filter(|entry| entry.path.trim_end_matches('/') == "/services/data")
        .count();
    assert_eq!(asked, 1);
}

// A page that leads back to itself, or to one before it, ends with its name and not never.
#[test]
fn pages_that_lead_round_in_a_circle_are_in_doubt() {
    let desk = Desk::new();
    desk.write("sfmint.toml", &desk.config("api_version = \"67.0\""));
    let page = format!(
        r#"{{"totalSize":9,"done":false,"nextRecordsUrl":"{QUERY}/01g-1","records":[{{"Id":"1","Name":"x"}}]}}"#
    );
    desk.admin().inject(Injection::always(QUERY, json(200, page)));
    for arguments in [
        &["--json", "api", "--paginate", "query?q=SELECT+Id+FROM+Account"] as &[&str],
        &["--json", "query", "--format", "jsonl", SOQL],
    ] {
        let ran = desk.sfmint(arguments);
        assert_eq!(ran.code(), 65, "{arguments:?}: {}", ran.err());
        assert!(ran.err().contains("api.pages_repeat"), "{arguments:?}: {}", ran.err());
    }
}

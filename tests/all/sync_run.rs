//! `sfmint sync` as a scheduler runs it: processes, exit codes, signals, and what is there afterwards.

use std::time::Duration;

use serde_json::Value;
use sfmint::emulator::{Effect, Injection, Lie, LieKind, OrgConfig, RecordsConfig};

use crate::places::Desk;

/// A desk with jobs; the pages of the org hold 500 rows.
fn desk(jobs: &str) -> Desk {
    let records = RecordsConfig { accounts: 3_000, ..RecordsConfig::default() };
    let desk = Desk::with(OrgConfig { records, ..OrgConfig::default() });
    desk.admin().change_rules(|rules| rules.bulk.page_rows = 500);
    desk.write("sfmint.toml", &format!("{}\n{jobs}", desk.config("api_version = \"67.0\"")));
    std::fs::create_dir_all(desk.path().join("data")).unwrap();
    desk
}

fn sqlite(more: &str) -> String {
    format!("[jobs.accounts]\nobject = \"Account\"\ndestination = {{ sqlite = \"data/sales.db\" }}\n{more}\n")
}

fn count(desk: &Desk) -> i64 {
    let db = rusqlite::Connection::open(desk.path().join("data/sales.db")).unwrap();
    db.query_row("SELECT count(*) FROM Account", [], |row| row.get(0)).unwrap_or(-1)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_run_says_what_it_did_and_history_keeps_it() {
    let desk = desk(&sqlite(""));
    let ran = desk.sfmint(&["sync", "run", "--json"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let run = &json(&ran.out())["runs"][0];
    assert_eq!((&run["outcome"], &run["transport"]), (&"complete".into(), &"bulk".into()));
    assert_eq!((&run["rows"]["expected"], &run["rows"]["written"]), (&3061.into(), &3061.into()));
    assert!(run["api_calls"].as_u64().unwrap() > 10 && run["mints"] == 1, "{run}");
    assert_eq!(count(&desk), 3_061);
    let again = desk.sfmint(&["sync", "run", "accounts"]);
    assert!(again.out().starts_with("accounts  complete  0 rows"), "{}", again.out());
    let history = json(&desk.sfmint(&["sync", "history", "--json"]).out());
    assert_eq!(history["runs"].as_array().unwrap().len(), 2, "{history}");
    let verified = desk.sfmint(&["sync", "verify", "accounts"]);
    assert_eq!((verified.code(), verified.out().contains("0 differ")), (0, true), "{}", verified.out());
}

#[test]
fn rows_in_doubt_end_with_65_and_a_person_is_told() {
    let desk = desk(&sqlite("transport = \"bulk\""));
    desk.admin().lie(Lie::next(LieKind::DroppedRow { row: 700 }));
    let ran = desk.sfmint(&["sync", "run", "accounts"]);
    assert_eq!(ran.code(), 65, "{}", ran.err());
    assert!(ran.out().starts_with("accounts  partial"), "{}", ran.out());
    assert!(ran.err().contains("page 2 announces 500 rows and holds 499"), "{}", ran.err());
    assert_eq!(desk.sfmint(&["sync", "run", "accounts"]).code(), 0);
    assert_eq!(count(&desk), 3_061);
    let db = rusqlite::Connection::open(desk.path().join("data/sales.db")).unwrap();
    db.execute(
        "DELETE FROM Account WHERE rowid IN (SELECT rowid FROM Account WHERE NOT IsDeleted LIMIT 2)",
        [],
    )
    .unwrap();
    drop(db);
    let differs = desk.sfmint(&["sync", "verify", "accounts"]);
    assert_eq!(differs.code(), 65);
    assert_eq!(
        differs.err().matches("\n  missing 001").count()
            + usize::from(differs.err().starts_with("  missing 001")),
        2,
        "{}",
        differs.err()
    );
    assert_eq!(desk.sfmint(&["sync", "reset", "accounts"]).code(), 0);
    let anew = desk.sfmint(&["sync", "run", "accounts"]);
    assert_eq!((anew.code(), count(&desk)), (0, 3_061), "{}", anew.err());
}

// faults B3: what is committed is kept, and the next run goes on with the same Bulk job.
#[test]
fn a_run_that_is_asked_to_stop_ends_with_75_and_is_gone_on_with() {
    let desk = desk(&sqlite("transport = \"bulk\""));
    desk.admin()
        .inject(Injection::always("/services/data", Effect::Delay { delay_ms: 150 }).containing("/results"));
    let mut run = desk.start(desk.command(&["sync", "run", "accounts"]));
    let pages = || desk.admin().log().iter().filter(|entry| entry.path.contains("/results")).count();
    let patience = tokio::time::Instant::now() + Duration::from_secs(20);
    while pages() < 3 {
        assert!(tokio::time::Instant::now() < patience, "no page was read");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = rustix::process::Pid::from_raw(run.child.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(run.end().code(), Some(75), "{}", run.err());
    assert!(run.err().contains("asked to stop"), "{}", run.err());
    desk.admin().clear_faults();
    let on = desk.sfmint(&["-v", "sync", "run", "accounts"]);
    assert_eq!(on.code(), 0, "{}", on.err());
    assert!(on.err().contains("going on with the Bulk job"), "{}", on.err());
    assert_eq!(count(&desk), 3_061);
    assert!(desk.admin().jobs().is_empty(), "the job was taken away from the org");
}

// faults B1: a run that is killed anywhere leaves what can be gone on with, and the rows are the org's in the end.
#[test]
fn runs_that_are_killed_anywhere_end_in_the_same_rows() {
    let desk = desk(&sqlite("transport = \"bulk\""));
    desk.admin().inject(Injection::always("/services/data", Effect::Delay { delay_ms: 25 }));
    let mut killed = 0;
    for round in 0..12_u64 {
        let mut run = desk.start(desk.command(&["sync", "run", "accounts"]));
        std::thread::sleep(Duration::from_millis(20 + round * 45));
        if matches!(run.child.try_wait(), Ok(None)) {
            killed += 1;
        }
        run.kill();
        // The lease of the killed one ends by itself; here nobody waits for a minute.
        let there = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
        let db = rusqlite::Connection::open_with_flags(desk.path().join("state/state.db"), there);
        if let Ok(db) = db {
            let _ = db.busy_timeout(Duration::from_secs(5));
            let _ = db.execute("UPDATE lease SET until = 0", []);
        }
    }
    assert!(killed >= 6, "only {killed} runs were killed under way");
    desk.admin().clear_faults();
    let ran = desk.sfmint(&["sync", "run", "accounts", "--full"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    assert_eq!(count(&desk), 3_061);
    let verified = desk.sfmint(&["sync", "verify", "accounts"]);
    assert_eq!(verified.code(), 0, "{}", verified.err());
}

#[test]
fn files_and_stdout_take_the_same_rows() {
    let jobs = "[jobs.csv]\nobject = \"Account\"\ndestination = { csv = \"data/csv\" }\n\
                [jobs.jsonl]\nobject = \"Account\"\ndestination = { jsonl = \"data/jsonl\" }\n\
                [jobs.lines]\nobject = \"Account\"\ndestination = { stdout = \"jsonl\" }\n";
    let desk = desk(jobs);
    let ran = desk.sfmint(&["sync", "run", "csv", "jsonl"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let lines = desk.sfmint(&["sync", "run", "lines"]);
    assert_eq!(lines.code(), 0, "{}", lines.err());
    let printed: Vec<Value> = lines.out().lines().map(json).collect();
    assert_eq!(printed.len(), 3_061);
    let part = |folder: &str, end: &str| {
        let mut found = std::fs::read_dir(desk.path().join("data").join(folder)).unwrap();
        found
            .find_map(|entry| {
                Some(entry.unwrap().path()).filter(|path| path.to_string_lossy().ends_with(end))
            })
            .unwrap()
    };
    let mut reader = csv::Reader::from_path(part("csv", ".csv")).unwrap();
    let names = reader.headers().unwrap().clone();
    let id = names.iter().position(|name| name == "Id").unwrap();
    let title = names.iter().position(|name| name == "Name").unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let filed = std::fs::read_to_string(part("jsonl", ".jsonl")).unwrap();
    let filed: Vec<Value> = filed.lines().map(json).collect();
    assert_eq!((rows.len(), filed.len()), (3_061, 3_061));
    for ((row, filed), printed) in rows.iter().zip(&filed).zip(&printed) {
        assert_eq!((&row[id], &row[title]), (filed["Id"].as_str().unwrap(), filed["Name"].as_str().unwrap()));
        assert_eq!((&filed["Id"], &filed["Name"]), (&printed["Id"], &printed["Name"]));
    }
    let quiet = desk.sfmint(&["sync", "run", "lines"]);
    assert_eq!(
        (quiet.code(), quiet.out().as_str()),
        (0, ""),
        "the watermark is kept though stdout keeps none"
    );
    let both = desk.sfmint(&["sync", "run", "lines", "--json"]);
    assert_eq!(both.code(), 78, "{}", both.err());
}

#[test]
fn jobs_run_when_they_are_due_and_the_worst_of_them_decides() {
    let jobs = format!(
        "{}[jobs.nothing]\nobject = \"Nothing__c\"\ndestination = {{ csv = \"data/nothing\" }}\nschedule = \"hourly\"\n",
        sqlite("schedule = \"hourly\"")
    );
    let desk = desk(&jobs);
    let first = desk.sfmint(&["sync", "run", "--due"]);
    assert_eq!(first.code(), 65, "{}{}", first.out(), first.err());
    assert!(
        first.out().contains("accounts  complete") && first.out().contains("nothing  failed"),
        "{}",
        first.out()
    );
    let list = json(&desk.sfmint(&["sync", "list", "--json"]).out());
    assert_eq!(list["jobs"].as_array().unwrap().len(), 2, "{list}");
    let dry = desk.sfmint(&["sync", "run", "accounts", "--dry-run"]);
    assert!(
        dry.out().contains("incremental into sqlite") && dry.out().contains("SystemModstamp >= "),
        "{}",
        dry.out()
    );
    for (arguments, code) in [
        (&["sync", "run"] as &[&str], 78),
        (&["sync", "run", "acounts"], 78),
        (&["sync", "run", "accounts", "--all"], 2),
        (&["sync", "run", "accounts", "--run-id", "../x"], 2),
        (&["sync", "run", "accounts", "--window-start", "yesterday"], 2),
    ] {
        assert_eq!(desk.sfmint(arguments).code(), code, "{arguments:?}");
    }
}

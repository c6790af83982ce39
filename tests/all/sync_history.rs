//! `sfmint sync list` and `sfmint sync history` over a history that is there.

use sfmint::base::{Clock, UnixSeconds};
use sfmint::store::{
    Acquired, Fact, Holder, LeaseRequest, Location, RunError, RunKind, RunOutcome, RunRow, RunRows,
    RunTransport, RunWindow, Store, open_strict,
};
use sfmint::token::SystemClock;

use crate::places::Desk;

/// Two jobs; the scheduled one is due half a year from now.
fn jobs(now: UnixSeconds) -> String {
    let month: u32 = now.to_string()[5..7].parse().unwrap();
    format!(
        "\n[jobs.accounts]\nobject = \"Account\"\nschedule = \"0 0 1 {} *\"\ndestination = {{ sqlite = \"acme.db\" }}\n\
         [jobs.contacts]\nobject = \"Contact\"\ndestination = {{ sqlite = \"acme.db\" }}\n",
        (month + 5) % 12 + 1
    )
}

/// A desk with two jobs and some history, and the moment that counts as now.
fn desk() -> (Desk, UnixSeconds) {
    let desk = Desk::new();
    let now = SystemClock::new().now();
    desk.write("sfmint.toml", &format!("{}{}", desk.config(""), jobs(now)));
    std::fs::create_dir(desk.path().join("state")).unwrap();
    let location = Location::Sqlite { path: desk.path().join("state/state.db") };
    let store = open_strict(&location, now).unwrap();
    desk.wait(seed(&*store, now));
    (desk, now)
}

async fn seed(store: &dyn Store, now: UnixSeconds) {
    let lease = async |name: &str, ttl: u64, at: UnixSeconds| {
        let holder = Holder { id: format!("{name}-{at}"), host: "worker-1".into(), pid: 4242 };
        let request = LeaseRequest {
            name: format!("job/{name}"),
            holder,
            ttl: std::time::Duration::from_secs(ttl),
            now: at,
        };
        match store.acquire_lease(request).await.unwrap() {
            Acquired::Granted(lease) => lease,
            Acquired::Held(held) => panic!("{held:?}"),
        }
    };
    let row = |job: &str, id: &str, seconds_ago: i64, outcome, epoch| {
        let started_at = now.moved(-seconds_ago);
        RunRow {
            run_id: id.into(),
            job: job.parse().unwrap(),
            connection: "prod".parse().unwrap(),
            object: "Account".parse().unwrap(),
            kind: RunKind::Incremental,
            transport: Some(RunTransport::Bulk),
            outcome,
            scheduled_for: None,
            started_at,
            ended_at: (outcome != RunOutcome::Running).then(|| started_at.moved(61)),
            window: RunWindow { low: Some(started_at.moved(-900)), high: None },
            rows: RunRows {
                expected: Some(1000),
                received: 1000,
                written: 988,
                unchanged: 12,
                deleted: 20,
                nuls: 0,
            },
            watermark: (outcome == RunOutcome::Complete).then_some(started_at),
            api_calls: 7,
            mints: 1,
            bytes: 196_000,
            duration_ms: 2_140,
            error: (outcome == RunOutcome::Partial)
                .then(|| RunError { code: "sync.counts".into(), message: "one row is missing".into() }),
            schema: None,
            user: None,
            epoch,
            host: "worker-1".into(),
            pid: 4242,
            version: "0.1.0".into(),
        }
    };
    let accounts = lease("accounts", 60, now.moved(-88_000)).await;
    let facts = vec![
        Fact::Run(row("accounts", "run-1", 88_000, RunOutcome::Complete, accounts.epoch)),
        Fact::Run(row("accounts", "run-2", 3_962, RunOutcome::Partial, accounts.epoch)),
    ];
    store.write_under(&accounts, facts).await.unwrap();
    store.release_lease(&accounts).await.unwrap();
    // One that was killed long ago, and one that runs for hours to come.
    let killed = lease("contacts", 60, now.moved(-9_000)).await;
    let running = row("contacts", "run-3", 9_000, RunOutcome::Running, killed.epoch);
    store.write_under(&killed, vec![Fact::Run(running)]).await.unwrap();
    let contacts = lease("contacts", 90_000, now.moved(-600)).await;
    let running = row("contacts", "run-4", 600, RunOutcome::Running, contacts.epoch);
    store.write_under(&contacts, vec![Fact::Run(running)]).await.unwrap();
}

#[test]
fn jobs_say_how_far_their_data_goes_and_who_runs_them() {
    let (desk, now) = desk();
    let ran = desk.sfmint(&["sync", "list"]);
    assert_eq!((ran.code(), ran.err().as_str()), (0, ""));
    let out = ran.out();
    let lines: Vec<Vec<&str>> = out
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(
        lines[0],
        [
            "JOB",
            "CONNECTION",
            "DESTINATION",
            "SCHEDULE",
            "NEXT DUE",
            "LAST RUN",
            "LAST GOOD",
            "LAG",
            "RUNNING BY"
        ]
    );
    assert_eq!(lines[1][..3], ["accounts", "prod", "sqlite acme.db"], "{out}");
    assert_eq!(lines[1][5..], ["partial, 65 min ago", "24 h ago", "24 h"], "{out}");
    assert_eq!(lines[2][3..6], ["none", "when asked", "abandoned, 2 h ago"], "{out}");
    assert_eq!(lines[2][6..], ["never", "-", "pid 4242 on worker-1, 10 min"], "{out}");

    let json: serde_json::Value =
        serde_json::from_slice(&desk.sfmint(&["sync", "list", "--json"]).stdout).unwrap();
    let accounts = &json["jobs"][0];
    assert_eq!(accounts["watermark"], now.moved(-88_000).to_string());
    assert!((88_000..88_060).contains(&accounts["lag_seconds"].as_i64().unwrap()), "{accounts}");
    assert_eq!((&accounts["last_run"]["error"], &accounts["due"]), (&"sync.counts".into(), &false.into()));
    assert_eq!(json["jobs"][1]["running_by"]["pid"], 4242);
    let file = desk.path().join("acme.db").display().to_string();
    assert_eq!(json["jobs"][1]["destination"]["sqlite"], file.as_str());
}

#[test]
fn runs_are_told_newest_first() {
    let (desk, now) = desk();
    let ran = desk.sfmint(&["sync", "history"]);
    let out = ran.out();
    let column = |name: &str| -> Vec<String> {
        let at = out.lines().next().unwrap().find(name).unwrap();
        let cells = out.lines().skip(1).map(|line| line.get(at..).unwrap_or_default());
        cells.map(|cell| cell.split("  ").next().unwrap_or_default().to_string()).collect()
    };
    assert_eq!(column("RUN"), ["run-4", "run-2", "run-3", "run-1"], "{out}");
    assert_eq!(column("OUTCOME"), ["running", "partial", "abandoned", "complete"], "{out}");
    assert_eq!(column("TOOK"), ["since 10 min", "2.1 s", "since 2 h", "2.1 s"], "{out}");
    assert_eq!(column("ERROR"), ["", "sync.counts", "", ""], "{out}");
    assert_eq!(column("STARTED")[3], now.moved(-88_000).to_string());

    let ids = |args: &[&str]| -> Vec<String> {
        let ran = desk.sfmint(&[&["sync", "history", "--json"], args].concat());
        let json: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
        json["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["run_id"].as_str().unwrap().to_string())
            .collect()
    };
    assert_eq!(ids(&["accounts"]), ["run-2", "run-1"]);
    assert_eq!(ids(&["accounts", "--limit", "1"]), ["run-2"]);
    assert_eq!(ids(&["--since", "2h"]), ["run-4", "run-2"]);
    assert_eq!(ids(&["--since", "2099-01-01"]), Vec::<String>::new());
    let json: serde_json::Value =
        serde_json::from_slice(&desk.sfmint(&["sync", "history", "accounts", "--json"]).stdout).unwrap();
    let run = &json["runs"][0];
    for key in [
        "run_id",
        "job",
        "outcome",
        "started_at",
        "ended_at",
        "window",
        "rows",
        "watermark",
        "api_calls",
        "mints",
        "error",
    ] {
        assert!(run.get(key).is_some(), "{key} of the contract: {run}");
    }
    assert_eq!(run["rows"]["received"], 1000);
    assert_eq!(run["error"]["code"], "sync.counts");
}

#[test]
fn a_job_that_is_configured_no_more_has_its_history() {
    let (desk, _) = desk();
    desk.write("sfmint.toml", &desk.config(""));
    assert_eq!(desk.sfmint(&["sync", "history", "accounts"]).out().lines().count(), 3);
    let ran = desk.sfmint(&["sync", "list"]);
    assert_eq!((ran.code(), ran.out().as_str()), (0, ""));
    assert!(ran.err().starts_with("no jobs: add [jobs.NAME]"), "{}", ran.err());
}

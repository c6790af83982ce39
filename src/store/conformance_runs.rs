//! What every kind of store must do with runs, checkpoints and baselines.

use std::time::Duration;

use super::conformance::{granted, is_lost, request};
use super::*;
use crate::base::{JobName, UnixSeconds};

const NEVER: UnixSeconds = UnixSeconds::new(0);

fn job(name: &str) -> JobName {
    name.parse().unwrap()
}

/// A complete run of `name` that began at `at`.
pub(super) fn run(name: &str, run_id: &str, at: i64) -> RunRow {
    RunRow {
        run_id: run_id.into(),
        job: job(name),
        connection: "prod".parse().unwrap(),
        object: "Account".parse().unwrap(),
        kind: RunKind::Incremental,
        transport: Some(RunTransport::Bulk),
        outcome: RunOutcome::Complete,
        scheduled_for: Some(UnixSeconds::new(at - 7)),
        started_at: UnixSeconds::new(at),
        ended_at: Some(UnixSeconds::new(at + 60)),
        window: RunWindow { low: Some(UnixSeconds::new(at - 900)), high: None },
        rows: RunRows { expected: Some(9), received: 9, written: 7, unchanged: 2, deleted: 1, nuls: 3 },
        watermark: Some(UnixSeconds::new(at - 1)),
        api_calls: 12,
        mints: 1,
        bytes: 20_000_000,
        duration_ms: 60_123,
        error: None,
        schema: None,
        user: None,
        epoch: 1,
        host: "worker-1".into(),
        pid: 4242,
        version: "0.1.0".into(),
    }
}

/// The opposite of [`run`]: everything else is there, or missing.
fn doubtful(name: &str, run_id: &str, at: i64) -> RunRow {
    let words = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    RunRow {
        kind: RunKind::Full,
        transport: None,
        outcome: RunOutcome::Partial,
        scheduled_for: None,
        ended_at: None,
        window: RunWindow { low: None, high: Some(UnixSeconds::new(at)) },
        rows: RunRows { expected: None, received: u64::from(u32::MAX) + 7, ..RunRows::default() },
        watermark: None,
        error: Some(RunError { code: "mint.refused".into(), message: "9 rows came, 10 were said".into() }),
        schema: Some(SchemaReport {
            gained: words(&["Score__c"]),
            lost: words(&["Fax", "Übergröße"]),
            hidden: vec![],
            changed: vec![TypeChange {
                field: "Rank__c".into(),
                from: "double(3,0)".into(),
                to: "string(40)".into(),
            }],
        }),
        user: Some(UserFacts {
            user_id: "0058d00000AbCdEAAV".into(),
            profile: Some("Integration \"read\" only".into()),
            permission_sets: words(&["Sync", "View 'em"]),
            views_all_data: Some(false),
            views_all_records: None,
        }),
        ..run(name, run_id, at)
    }
}

/// All of it, each part on a store of its own.
pub(super) async fn suite<S: Store>(new: &impl Fn() -> S) {
    what_is_written_of_a_run_is_read_back(&new()).await;
    a_run_is_written_when_it_begins_and_when_it_ends(&new()).await;
    a_run_whose_lease_ran_out_is_abandoned(&new()).await;
    runs_are_listed_newest_first_and_narrowed(&new()).await;
    a_fenced_run_changes_nothing(&new()).await;
    the_newest_good_run_of_each_job_is_never_forgotten(&new()).await;
    a_checkpoint_comes_back_as_it_went(&new()).await;
    held_leases_are_told(&new()).await;
    foreign_words_in_runs_are_screened(&new()).await;
}

async fn all(store: &dyn Store, query: RunQuery) -> Vec<RunRow> {
    store.runs(query, NEVER).await.unwrap()
}

async fn what_is_written_of_a_run_is_read_back(store: &dyn Store) {
    let lease = granted(store, request("job/accounts", "run-1", 1000)).await;
    let mut expected = vec![];
    for (number, row) in [run("accounts", "a", 100), doubtful("accounts", "b", 101)].into_iter().enumerate() {
        store.write_under(&lease, vec![Fact::Run(row.clone())]).await.unwrap();
        expected.insert(0, row);
        assert_eq!(all(store, RunQuery::default()).await, expected, "{number}");
    }
    let kinds = [RunKind::Full, RunKind::Incremental, RunKind::Reconcile, RunKind::Verify, RunKind::Load];
    for (number, kind) in kinds.into_iter().enumerate() {
        let row = RunRow {
            kind,
            transport: Some(RunTransport::Rest),
            ..run("accounts", &format!("kind-{number}"), 200 + number as i64)
        };
        store.write_under(&lease, vec![Fact::Run(row.clone())]).await.unwrap();
        assert_eq!(all(store, RunQuery { limit: 1, ..RunQuery::default() }).await, [row]);
    }
    use RunOutcome::*;
    for outcome in [Complete, Partial, QuotaStopped, Denied, Failed, NothingDue, Abandoned] {
        let row = RunRow { outcome, ..run("accounts", outcome.as_str(), 300) };
        store.write_under(&lease, vec![Fact::Run(row.clone())]).await.unwrap();
        let found = all(store, RunQuery { outcome: Some(outcome), limit: 1, ..RunQuery::default() }).await;
        assert_eq!(found, [row]);
    }
}

async fn a_run_is_written_when_it_begins_and_when_it_ends(store: &dyn Store) {
    let lease = granted(store, request("job/accounts", "run-1", 1000)).await;
    let begun = RunRow {
        outcome: RunOutcome::Running,
        ended_at: None,
        epoch: lease.epoch,
        rows: RunRows::default(),
        ..run("accounts", "a", 1000)
    };
    store.write_under(&lease, vec![Fact::Run(begun.clone())]).await.unwrap();
    let now = UnixSeconds::new(1001);
    assert_eq!(store.runs(RunQuery::default(), now).await.unwrap(), [begun]);
    let ended = RunRow { epoch: lease.epoch, ..run("accounts", "a", 1000) };
    store.write_under(&lease, vec![Fact::Run(ended.clone())]).await.unwrap();
    store.release_lease(&lease).await.unwrap();
    assert_eq!(store.runs(RunQuery::default(), now).await.unwrap(), [ended], "one row a run");
}

// faults B8, B9: killed, or asleep for longer than its lease
async fn a_run_whose_lease_ran_out_is_abandoned(store: &dyn Store) {
    let running = |run_id: &str, epoch: u64, at: i64| RunRow {
        outcome: RunOutcome::Running,
        ended_at: None,
        epoch,
        ..run("accounts", run_id, at)
    };
    let first = granted(store, request("job/accounts", "run-1", 1000)).await;
    store.write_under(&first, vec![Fact::Run(running("a", first.epoch, 1000))]).await.unwrap();
    let outcomes = async |now: i64| -> Vec<RunOutcome> {
        let rows = store.runs(RunQuery::default(), UnixSeconds::new(now)).await.unwrap();
        rows.iter().map(|row| row.outcome).collect()
    };
    let only = async |outcome, now: i64| -> usize {
        let query = RunQuery { outcome: Some(outcome), ..RunQuery::default() };
        store.runs(query, UnixSeconds::new(now)).await.unwrap().len()
    };
    assert_eq!(outcomes(1059).await, [RunOutcome::Running]);
    assert_eq!(outcomes(1060).await, [RunOutcome::Abandoned], "its lease ran out");
    assert_eq!((only(RunOutcome::Running, 1060).await, only(RunOutcome::Abandoned, 1060).await), (0, 1));
    let second = granted(store, request("job/accounts", "run-2", 1060)).await;
    assert_eq!(outcomes(1061).await, [RunOutcome::Abandoned], "somebody else's lease is not its own");
    store.write_under(&second, vec![Fact::Run(running("b", second.epoch, 1060))]).await.unwrap();
    assert_eq!(outcomes(1061).await, [RunOutcome::Running, RunOutcome::Abandoned]);
    store.release_lease(&second).await.unwrap();
    assert_eq!(outcomes(1061).await, [RunOutcome::Abandoned, RunOutcome::Abandoned]);
}

async fn runs_are_listed_newest_first_and_narrowed(store: &dyn Store) {
    let lease = granted(store, request("job/accounts", "run-1", 1000)).await;
    let rows = [
        run("accounts", "a", 10),
        run("accounts", "b", 30),
        doubtful("contacts", "c", 20),
        run("accounts", "d", 30),
        run("contacts", "e", -5),
    ];
    store.write_under(&lease, rows.into_iter().map(Fact::Run).collect()).await.unwrap();
    let ids = async |query: RunQuery| -> String {
        all(store, query).await.into_iter().map(|row| row.run_id).collect()
    };
    let usual = RunQuery::default;
    assert_eq!(ids(usual()).await, "dbcae");
    assert_eq!(ids(RunQuery { limit: 2, ..usual() }).await, "db");
    assert_eq!(ids(RunQuery { limit: 0, ..usual() }).await, "");
    assert_eq!(ids(RunQuery { since: Some(UnixSeconds::new(20)), ..usual() }).await, "dbc");
    assert_eq!(ids(RunQuery { job: Some(job("contacts")), ..usual() }).await, "ce");
    assert_eq!(ids(RunQuery { job: Some(job("absent")), ..usual() }).await, "");
    let of = |name: &str| RunQuery { connection: Some(name.parse().unwrap()), ..usual() };
    assert_eq!((ids(of("prod")).await, ids(of("staging")).await), ("dbcae".into(), String::new()));
    let good = || RunQuery { outcome: Some(RunOutcome::Complete), ..usual() };
    assert_eq!(ids(good()).await, "dbae");
    assert_eq!(ids(RunQuery { job: Some(job("contacts")), limit: 1, ..good() }).await, "e");
}

// faults B9
async fn a_fenced_run_changes_nothing(store: &dyn Store) {
    let slept = granted(store, request("job/accounts", "run-1", 1000)).await;
    let woke = granted(store, request("job/accounts", "run-2", 1060)).await;
    let facts = |at: i64| {
        vec![
            Fact::Run(run("accounts", "a", at)),
            Fact::Checkpoint(copy(at, "{}")),
            Fact::Baseline(baseline(at)),
            Fact::Reset(job("accounts")),
        ]
    };
    store.write_under(&woke, facts(1)[..3].to_vec()).await.unwrap();
    assert!(is_lost(&store.write_under(&slept, facts(2)).await.unwrap_err()));
    assert_eq!(all(store, RunQuery::default()).await, [run("accounts", "a", 1)]);
    assert_eq!(store.checkpoint(&job("accounts")).await.unwrap(), Some(copy(1, "{}")));
    assert_eq!(store.baseline(&job("accounts")).await.unwrap(), Some(baseline(1)));
}

async fn the_newest_good_run_of_each_job_is_never_forgotten(store: &dyn Store) {
    let lease = granted(store, request("job/accounts", "run-1", 1000)).await;
    let rows = [
        run("accounts", "a", 1),
        run("accounts", "b", 2),
        doubtful("accounts", "c", 3),
        run("accounts", "d", 9),
        run("yearly", "e", 1),
        run("yearly", "f", 2),
        doubtful("never", "g", 1),
    ];
    store.write_under(&lease, rows.into_iter().map(Fact::Run).collect()).await.unwrap();
    store
        .write_under(&lease, vec![Fact::Checkpoint(copy(1, "{}")), Fact::Baseline(baseline(1))])
        .await
        .unwrap();
    assert_eq!(store.prune(UnixSeconds::new(5)).await.unwrap(), Pruned { mints: 0, runs: 5 });
    let left: String = all(store, RunQuery::default()).await.into_iter().map(|row| row.run_id).collect();
    assert_eq!(left, "df");
    assert!(store.checkpoint(&job("accounts")).await.unwrap().is_some());
    assert!(store.baseline(&job("accounts")).await.unwrap().is_some());
    let info = store.info().await.unwrap();
    let count = |name| info.tables.iter().find(|table| table.name == name).map(|table| table.rows);
    assert_eq!((count("run"), count("checkpoint"), count("baseline")), (Some(2), Some(1), Some(1)));
    assert_eq!((info.oldest, info.newest), (Some(UnixSeconds::new(2)), Some(UnixSeconds::new(9))));
}

fn copy(at: i64, text: &str) -> CheckpointCopy {
    CheckpointCopy {
        job: job("accounts"),
        text: text.into(),
        updated_at: UnixSeconds::new(at),
        epoch: 1_795_381_200,
    }
}

fn baseline(at: i64) -> Baseline {
    let field = |name: &str, kind: &str| BaselineField { name: name.into(), kind: kind.into() };
    Baseline {
        job: job("accounts"),
        fields: vec![field("Name", "string(255)"), field("Id", "id"), field("Amount__c", "currency(18,2)")],
        taken_at: UnixSeconds::new(at),
    }
}

async fn a_checkpoint_comes_back_as_it_went(store: &dyn Store) {
    let accounts = job("accounts");
    assert_eq!(store.checkpoint(&accounts).await.unwrap(), None);
    assert_eq!(store.baseline(&accounts).await.unwrap(), None);
    let lease = granted(store, request("job/accounts", "run-1", 1000)).await;
    // A Bulk locator and a query look like what is screened elsewhere.
    let long = format!("{{\"soql\": \"SELECT 00D!{} FROM Account\", \"n\": \"ü\\u0000\"}}", "A".repeat(3000));
    for (at, text) in [(1, "{}"), (2, long.as_str())] {
        let facts = vec![Fact::Checkpoint(copy(at, text)), Fact::Baseline(baseline(at))];
        store.write_under(&lease, facts).await.unwrap();
        assert_eq!(store.checkpoint(&accounts).await.unwrap(), Some(copy(at, text)));
        assert_eq!(store.baseline(&accounts).await.unwrap(), Some(baseline(at)));
    }
    assert_eq!(store.checkpoint(&job("contacts")).await.unwrap(), None);
    store.write_under(&lease, vec![Fact::Reset(accounts.clone())]).await.unwrap();
    assert_eq!(store.checkpoint(&accounts).await.unwrap(), None);
    assert_eq!(store.baseline(&accounts).await.unwrap(), None);
}

async fn held_leases_are_told(store: &dyn Store) {
    assert_eq!(store.held(NEVER).await.unwrap(), []);
    let contacts = granted(store, request("job/contacts", "run-2", 1000)).await;
    let accounts = granted(store, request("job/accounts", "run-1", 1000)).await;
    let held = store.held(UnixSeconds::new(1059)).await.unwrap();
    let names: Vec<(&str, u64)> = held.iter().map(|held| (held.name.as_str(), held.epoch)).collect();
    assert_eq!(names, [("job/accounts", accounts.epoch), ("job/contacts", contacts.epoch)]);
    assert_eq!(held[0].by, accounts.holder);
    store.release_lease(&contacts).await.unwrap();
    let kept = store.renew_lease(&accounts, Duration::from_secs(60), UnixSeconds::new(1050)).await.unwrap();
    assert_eq!(store.held(UnixSeconds::new(1109)).await.unwrap().len(), 1, "renewed until {}", kept.until);
    assert_eq!(store.held(UnixSeconds::new(1110)).await.unwrap(), []);
}

// faults D: a gateway that repeats the request in its error text
async fn foreign_words_in_runs_are_screened(store: &dyn Store) {
    let token = "00D8d00000abCdE!AQEAQPl4kZ0123456789abcdefghijklmnop.qrstuvwxyz_ABC";
    let mut row = doubtful("accounts", "a", 1);
    row.error = Some(RunError { code: token.into(), message: format!("bad header: Bearer {token}") });
    let mut user = row.user.take().unwrap();
    user.profile = Some(token.into());
    user.permission_sets = vec![token.into()];
    row.user = Some(user);
    row.host = token.into();
    let lease = granted(store, request("job/accounts", "run-1", 1000)).await;
    store.write_under(&lease, vec![Fact::Run(row)]).await.unwrap();
    let found = format!("{:?}", all(store, RunQuery::default()).await);
    assert!(found.contains("bad header: Bearer [left out"), "{found}");
    assert!(!found.contains("AQEAQPl4"), "{found}");
}

#[test]
fn a_schedule_counts_what_is_not_to_be_tried_again() {
    let now = UnixSeconds::new(100);
    let served = |runs: &[RunRow]| last_served(runs, now).map(UnixSeconds::get);
    use RunOutcome::*;
    for (outcome, counts) in [
        (Complete, true),
        (Partial, true),
        (Denied, true),
        (Running, true),
        (Failed, false),
        (QuotaStopped, false),
        (Abandoned, false),
        (NothingDue, false),
    ] {
        let newest = RunRow { outcome, ..run("accounts", "b", 90) };
        let expected = if counts { 90 } else { 50 };
        assert_eq!(served(&[newest, run("accounts", "a", 50)]), Some(expected), "{outcome}");
    }
    let verified = RunRow { kind: RunKind::Verify, ..run("accounts", "b", 90) };
    assert_eq!(served(&[run("accounts", "c", 101), verified]), None, "a wrong clock, and no rows moved");
}

#[test]
fn a_run_as_json_is_the_one_of_the_contract() {
    let row = run("accounts", "a", 1_795_381_200);
    let json = serde_json::to_value(&row).unwrap();
    assert_eq!(json["started_at"], "2026-11-22T21:00:00Z");
    assert_eq!(json["window"], serde_json::json!({ "low": "2026-11-22T20:45:00Z", "high": null }));
    assert_eq!(json["rows"]["received"], 9);
    assert_eq!((&json["outcome"], &json["kind"]), (&"complete".into(), &"incremental".into()));
    assert_eq!(json["error"], serde_json::Value::Null);
}

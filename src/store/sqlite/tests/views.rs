use super::{NOW, folder, granted, request, run, wait};
use crate::base::UnixSeconds;
use crate::store::sqlite::SqliteStore;
use crate::store::{Fact, RunKind, RunOutcome, RunRow, Store, UserFacts};

/// What a query of a view says, a line a row.
fn lines(path: &std::path::Path, sql: &str) -> Vec<String> {
    let db = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_count();
    let text = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
        let cells = (0..columns).map(|column| {
            Ok(match row.get_ref(column)? {
                rusqlite::types::ValueRef::Null => "-".to_string(),
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            })
        });
        Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
    };
    statement.query_map([], text).unwrap().map(Result::unwrap).collect()
}

fn user(profile: &str, views_all: bool) -> Option<UserFacts> {
    Some(UserFacts {
        user_id: "0058d00000AbCdEAAV".into(),
        profile: Some(profile.into()),
        permission_sets: vec!["Sync".into()],
        views_all_data: Some(views_all),
        views_all_records: None,
    })
}

#[test]
fn people_read_runs_with_any_sqlite_shell() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, NOW).unwrap().store;
    let day = 86_400;
    let start = NOW.get() - 10 * day;
    // The view compares with this machine's clock, so one lease must outlive the test and one be long over.
    let far = UnixSeconds::new(i64::from(u32::MAX)).get();
    wait(async {
        let lease = granted(&store, request("job/accounts", "run-1", far)).await;
        let over = granted(&store, request("job/contacts", "run-2", 1000)).await;
        let running = |job: &str, id: &str, epoch| RunRow {
            outcome: RunOutcome::Running,
            ended_at: None,
            epoch,
            ..run(job, id, start + 5 * day)
        };
        let rows = vec![
            RunRow { user: user("Integration", true), ..run("accounts", "a", start) },
            RunRow { user: user("Integration", true), ..run("accounts", "b", start + day) },
            RunRow {
                user: user("Integration", false),
                outcome: RunOutcome::Partial,
                ..run("accounts", "c", start + day + 60)
            },
            RunRow { kind: RunKind::Reconcile, ..run("accounts", "d", start + 2 * day) },
            running("accounts", "e", lease.epoch),
        ];
        store.write_under(&lease, rows.into_iter().map(Fact::Run).collect()).await.unwrap();
        store.write_under(&over, vec![Fact::Run(running("contacts", "f", over.epoch))]).await.unwrap();
    });
    assert_eq!(
        lines(
            &path,
            "SELECT run_id, outcome, started_at, ended_at FROM runs WHERE run_id > 'b' ORDER BY run_id"
        ),
        [
            "c partial 2026-11-13T21:01:00Z 2026-11-13T21:02:00Z",
            "d complete 2026-11-14T21:00:00Z 2026-11-14T21:01:00Z",
            "e running 2026-11-17T21:00:00Z -",
            "f abandoned 2026-11-17T21:00:00Z -",
        ]
    );
    assert_eq!(
        lines(&path, "SELECT job, run_id, watermark, rows_written, lag_seconds > 0 FROM last_good_run"),
        ["accounts b 2026-11-13T20:59:59Z 7 1"],
        "neither the doubtful one nor a comparison of Ids"
    );
    assert_eq!(
        lines(
            &path,
            "SELECT day, job, runs, complete, partial, rows_received FROM run_days WHERE day < '2026-11-15' ORDER BY 1"
        ),
        ["2026-11-12 accounts 1 1 0 9", "2026-11-13 accounts 2 1 1 18", "2026-11-14 accounts 1 1 0 9"]
    );
    assert_eq!(
        lines(
            &path,
            "SELECT job, run_id, was_views_all_data, user_views_all_data, user_profile FROM permission_changes"
        ),
        ["accounts c 1 0 Integration"]
    );
}

use std::os::unix::fs::MetadataExt;

use super::{NOW, filled, folder, granted, names, request, row, run, sqlite, wait};
use crate::base::{Explain, Fault};
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::connect::Options;
use crate::store::sqlite::opening::OnDamage;
use crate::store::sqlite::schema::{MIGRATIONS, Migration};
use crate::store::{
    Fact, Integrity, MintQuery, RunQuery, Store, StoreError, migrate, open, open_or_memory, open_strict,
};

/// The store as the first release made it.
const FIRST: &[Migration] = &[MIGRATIONS[0]];

const LATER: &[Migration] = &[
    MIGRATIONS[0],
    MIGRATIONS[1],
    Migration { version: 3, name: "a test", sql: "CREATE TABLE extra (x INTEGER) STRICT;" },
    Migration { version: 4, name: "another", sql: "ALTER TABLE extra ADD COLUMN y TEXT;" },
];

const BROKEN: &[Migration] = &[
    MIGRATIONS[0],
    MIGRATIONS[1],
    Migration {
        version: 3,
        name: "half",
        sql: "CREATE TABLE extra (x INTEGER) STRICT; CREATE TABLE mint (y);",
    },
];

fn with(migrations: &'static [Migration]) -> Options {
    Options { migrations, ..Options::default() }
}

// faults B7
#[test]
fn an_older_store_is_brought_up_to_date_after_a_copy() {
    let folder = folder();
    let path = folder.path().join("state.db");
    filled(&path, 5);
    let store = SqliteStore::open_with(&path, with(LATER), OnDamage::Stop, NOW).unwrap();
    let info = wait(store.info()).unwrap();
    assert_eq!((info.schema_version, info.tables[0].rows), (4, 5));
    let copy = folder.path().join("state.db.v2.bak");
    assert_eq!(std::fs::metadata(&copy).unwrap().mode() & 0o777, 0o600);
    let db = rusqlite::Connection::open(&copy).unwrap();
    let kept: (i64, i64) = db
        .query_row("SELECT (SELECT count(*) FROM mint), (SELECT max(version) FROM migrations)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(kept, (5, 2));
}

// faults B7
#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("state.db");
    filled(&path, 5);
    drop(SqliteStore::open_with(&path, with(LATER), OnDamage::Stop, NOW).unwrap());
    for answer in [open(&sqlite(&path), NOW).map(drop), open_or_memory(&sqlite(&path), NOW).map(drop)] {
        let error = answer.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 4, known: 2, .. }), "{error:?}");
        assert_eq!(error.fault(), Fault::Misuse);
        assert!(error.to_string().contains("needs a newer sfmint"), "{error}");
    }
    assert!(!names(folder.path()).iter().any(|name| name.contains("corrupt")));
}

// faults B7
#[test]
fn a_step_that_fails_leaves_the_old_version_whole() {
    let folder = folder();
    let path = folder.path().join("state.db");
    filled(&path, 5);
    SqliteStore::open_with(&path, with(BROKEN), OnDamage::Stop, NOW).unwrap_err();
    assert_eq!(migrate(&sqlite(&path), NOW).unwrap().from, Some(2));
    let store = open_strict(&sqlite(&path), NOW).unwrap();
    assert_eq!(wait(store.info()).unwrap().tables[0].rows, 5);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("state.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = open(&sqlite(&path), NOW).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

// faults B7
#[test]
fn a_store_of_the_first_release_gets_its_runs() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let first = SqliteStore::open_with(&path, with(FIRST), OnDamage::Stop, NOW).unwrap();
    wait(first.record_mint(row(7))).unwrap();
    let lease = wait(granted(&first, request("job/accounts", "run-1", 1000)));
    drop(first);
    let migrated = migrate(&sqlite(&path), NOW).unwrap();
    assert_eq!((migrated.from, migrated.to), (Some(1), 2));
    assert!(migrated.backup.unwrap().ends_with("state.db.v1.bak"));
    let store = open_strict(&sqlite(&path), NOW).unwrap();
    assert_eq!(wait(store.mints(MintQuery::default())).unwrap(), [row(7)]);
    wait(store.write_under(&lease, vec![Fact::Run(run("accounts", "a", 1000))])).unwrap();
    assert_eq!(wait(store.runs(RunQuery::default(), NOW)).unwrap(), [run("accounts", "a", 1000)]);
    assert_eq!(wait(store.info()).unwrap().integrity, Integrity::Sound);
}

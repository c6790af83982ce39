use std::os::unix::fs::MetadataExt;

use super::{NOW, filled, folder, names, sqlite, wait};
use crate::base::{Explain, Fault};
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::connect::Options;
use crate::store::sqlite::opening::OnDamage;
use crate::store::sqlite::schema::{MIGRATIONS, Migration};
use crate::store::{Store, StoreError, migrate, open, open_or_memory, open_strict};

const LATER: &[Migration] = &[
    MIGRATIONS[0],
    Migration { version: 2, name: "a test", sql: "CREATE TABLE extra (x INTEGER) STRICT;" },
    Migration { version: 3, name: "another", sql: "ALTER TABLE extra ADD COLUMN y TEXT;" },
];

const BROKEN: &[Migration] = &[
    MIGRATIONS[0],
    Migration {
        version: 2,
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
    assert_eq!((info.schema_version, info.tables[0].rows), (3, 5));
    let copy = folder.path().join("state.db.v1.bak");
    assert_eq!(std::fs::metadata(&copy).unwrap().mode() & 0o777, 0o600);
    let db = rusqlite::Connection::open(&copy).unwrap();
    let kept: (i64, i64) = db
        .query_row("SELECT (SELECT count(*) FROM mint), (SELECT max(version) FROM migrations)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(kept, (5, 1));
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
        assert!(matches!(error, StoreError::Newer { found: 3, known: 1, .. }), "{error:?}");
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
    assert_eq!(migrate(&sqlite(&path), NOW).unwrap().from, Some(1));
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

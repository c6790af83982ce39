use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

use super::{NOW, filled, folder, names, sqlite, wait};
use crate::base::{Explain, Fault};
use crate::store::conformance::{row, suite};
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::connect::Options;
use crate::store::sqlite::file_system::Journal;
use crate::store::sqlite::opening::OnDamage;
use crate::store::{Integrity, MintQuery, Opened, Store, StoreError, open, open_or_memory, open_strict};

#[tokio::test]
async fn sqlite_passes_the_conformance_suite() {
    let folder = folder();
    let number = std::cell::Cell::new(0);
    let new = |journal: Option<Journal>| {
        number.set(number.get() + 1);
        let path = folder.path().join(format!("{}/state.db", number.get()));
        SqliteStore::open_with(&path, Options { journal, ..Options::default() }, OnDamage::Stop, NOW).unwrap()
    };
    suite(|| new(None)).await;
    // faults B10: as on a network file system
    suite(|| new(Some(Journal::Delete))).await;
}

#[tokio::test]
async fn what_one_process_wrote_the_next_one_reads() {
    let folder = folder();
    let path = folder.path().join("state/state.db");
    for at in 0..3 {
        let Opened { store, set_aside, .. } = open(&sqlite(&path), NOW).unwrap();
        assert_eq!(set_aside, None);
        store.record_mint(row(at)).await.unwrap();
    }
    let store = open_strict(&sqlite(&path), NOW).unwrap();
    assert_eq!(store.mints(MintQuery::default()).await.unwrap(), [row(2), row(1), row(0)]);
    let info = store.info().await.unwrap();
    assert_eq!((info.schema_version, info.journal.as_deref()), (2, Some("wal")));
    assert_eq!(info.integrity, Integrity::Sound);
    assert!(info.size_bytes > 4096);
}

#[test]
fn all_files_are_for_their_owner_only() {
    let folder = folder();
    let path = folder.path().join("state/state.db");
    let store = SqliteStore::open(&path, NOW).unwrap().store;
    wait(store.record_mint(row(1))).unwrap();
    let state = path.parent().unwrap();
    assert_eq!(std::fs::metadata(state).unwrap().mode() & 0o777, 0o700);
    assert_eq!(names(state), ["state.db", "state.db-shm", "state.db-wal", "state.db.lock"]);
    for name in names(state) {
        assert_eq!(std::fs::metadata(state.join(&name)).unwrap().mode() & 0o777, 0o600, "{name}");
    }
    drop(store);
    // As a volume mounted for a group leaves it.
    std::fs::set_permissions(&path, Permissions::from_mode(0o660)).unwrap();
    let _store = SqliteStore::open(&path, NOW).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn people_read_the_history_with_any_sqlite_shell() {
    let folder = folder();
    let path = folder.path().join("state.db");
    filled(&path, 4);
    let db = rusqlite::Connection::open(&path).unwrap();
    let line: String = db
        .query_row(
            "SELECT at || ' ' || connection || ' ' || outcome || ' ' || code FROM mints WHERE at < '1970-01-01T00:00:01Z'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(line, "1970-01-01T00:00:00Z sandbox refused mint.refused");
    let until: String = db.query_row("SELECT until FROM leases", [], |row| row.get(0)).unwrap();
    assert_eq!(until, "1970-01-01T00:17:40Z");
}

// faults B4
#[test]
fn a_full_store_says_so_and_keeps_what_it_has() {
    let folder = folder();
    let path = folder.path().join("state.db");
    filled(&path, 5);
    let options = Options { most_pages: Some(30), ..Options::default() };
    let store = SqliteStore::open_with(&path, options, OnDamage::SetAside, NOW).unwrap();
    let mut written = 0;
    let error = loop {
        match wait(store.record_mint(row(written))) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1000);
    };
    assert!(matches!(&error, StoreError::Full { free_bytes: Some(_), .. }), "{error:?}");
    assert_eq!((error.fault(), error.code()), (Fault::Disk, "store.full"));
    assert!(error.to_string().contains("state.db") && error.to_string().contains("bytes free"), "{error}");
    drop(store);
    let info = wait(open_strict(&sqlite(&path), NOW).unwrap().info()).unwrap();
    assert_eq!((info.integrity, info.tables[0].rows), (Integrity::Sound, 5 + written as u64));
}

// faults B10
#[test]
fn where_the_disk_is_in_the_way_facts_are_kept_in_memory() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let Opened { store, in_memory_because, .. } =
        open_or_memory(&sqlite(&folder.path().join("file/state.db")), NOW).unwrap();
    let because = in_memory_because.unwrap();
    assert_eq!(because.fault(), Fault::Disk, "{because:?}");
    wait(store.record_mint(row(1))).unwrap();
    assert_eq!(wait(store.mints(MintQuery::default())).unwrap().len(), 1);
}

#[test]
fn whoever_holds_the_file_too_long_is_waited_for_and_then_named() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let options = Options { patience: Duration::from_millis(30), ..Options::default() };
    let store = SqliteStore::open_with(&path, options, OnDamage::SetAside, NOW).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = wait(store.record_mint(row(1))).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    assert_eq!(error.fault(), Fault::Transient);
    other.execute_batch("COMMIT").unwrap();
    wait(store.record_mint(row(2))).unwrap();
    assert_eq!(wait(store.mints(MintQuery::default())).unwrap(), [row(2)]);
}

#[test]
fn the_log_is_folded_before_it_grows_long() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, NOW).unwrap().store;
    let mut longest = 0;
    wait(async {
        for at in 0..300 {
            store.record_mint(row(at)).await.unwrap();
            longest = longest.max(std::fs::metadata(folder.path().join("state.db-wal")).unwrap().len());
        }
    });
    assert!((100_000..600_000).contains(&longest), "{longest}");
    assert_eq!(wait(store.info()).unwrap().tables[0].rows, 300);
}

#[test]
fn a_wait_for_another_process_does_not_hold_up_a_single_thread() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, NOW).unwrap().store;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    wait(async {
        // The other writer ends in the same thread that awaits the write: it gets its turn only if the
        // wait is somewhere else.
        let ((), written) = tokio::join!(
            async {
                tokio::task::yield_now().await;
                other.execute_batch("COMMIT").unwrap();
            },
            store.record_mint(row(1))
        );
        written.unwrap();
    });
}

#[test]
fn without_a_runtime_the_work_is_done_in_place() {
    let folder = folder();
    let store = SqliteStore::open(&folder.path().join("state.db"), NOW).unwrap().store;
    let mut future = store.mints(MintQuery::default());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(rows) = future.as_mut().poll(&mut context) else {
        panic!("waits for a runtime")
    };
    assert_eq!(rows.unwrap(), []);
}

// faults B10
#[test]
fn a_store_that_moves_to_a_network_file_system_gives_up_its_log() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, NOW).unwrap().store;
    wait(store.record_mint(row(1))).unwrap();
    drop(store);
    assert!(path.with_file_name("state.db-wal").exists());
    let options = Options { journal: Some(Journal::Delete), ..Options::default() };
    let store = SqliteStore::open_with(&path, options, OnDamage::Stop, NOW).unwrap();
    wait(store.record_mint(row(2))).unwrap();
    assert_eq!(wait(store.mints(MintQuery::default())).unwrap(), [row(2), row(1)]);
    assert_eq!(wait(store.info()).unwrap().journal.as_deref(), Some("delete"));
    assert!(!path.with_file_name("state.db-wal").exists());
}

#[test]
fn a_reader_that_never_ends_makes_no_write_wait() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, NOW).unwrap().store;
    wait(store.record_mint(row(0))).unwrap();
    let shell = rusqlite::Connection::open(&path).unwrap();
    shell.execute_batch("BEGIN; SELECT count(*) FROM mint").unwrap();
    // Enough for the log to ask for folding at every write. Each would wait 5 s for the reader.
    let writes = async {
        for at in 1..100 {
            store.record_mint(row(at)).await.unwrap();
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let in_time = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), writes).await });
    in_time.expect("writes wait for the reader");
    assert!(std::fs::metadata(path.with_file_name("state.db-wal")).unwrap().len() > 600_000);
}

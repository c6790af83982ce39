use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::SqliteStore;
use super::connect::Options;
use super::opening::OnDamage;
use super::place::Journal;
use super::schema::{MIGRATIONS, Migration};
use crate::base::{Explain, Fault, UnixSeconds};
use crate::store::conformance::{granted, refusal, request, row, suite};
use crate::store::{
    Integrity, Location, MintQuery, Opened, Rebuilt, Store, StoreError, migrate, open, open_or_memory,
    open_strict, rebuild,
};

const NOW: UnixSeconds = UnixSeconds::new(1_795_381_200);

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn sqlite(path: &Path) -> Location {
    Location::Sqlite { path: path.to_path_buf() }
}

/// Runs outside any runtime, where every deed is done in place.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A store with `rows` mints, its log folded in, so that every byte counts.
fn filled(path: &Path, rows: i64) {
    let store = SqliteStore::open(path, NOW).unwrap().store;
    wait(async {
        for at in 0..rows {
            store.record_mint(if at % 3 == 0 { refusal(at) } else { row(at) }).await.unwrap();
        }
        granted(&store, request("job/accounts", "run-1", 1000)).await;
    });
    drop(store);
    let db = rusqlite::Connection::open(path).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    assert!(!path.with_file_name("state.db-wal").exists());
}

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
    assert_eq!((info.schema_version, info.journal.as_deref()), (1, Some("wal")));
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

/// Opens for work that must go on, writes and reads; says where the damaged store went, if anywhere.
fn works_on(path: &Path) -> Option<PathBuf> {
    let Opened { store, .. } = SqliteStore::open(path, NOW).unwrap_or_else(|error| panic!("open: {error:?}"));
    wait(async {
        store.record_mint(row(5000)).await.unwrap_or_else(|error| panic!("write: {error:?}"));
        let found = store.mints(MintQuery::default()).await.unwrap_or_else(|error| panic!("read: {error:?}"));
        if store.set_aside().is_none() {
            assert_eq!(found.first(), Some(&row(5000)));
        }
        granted(&store, request("job/accounts", "run-2", 9_000_000_000)).await;
    });
    store.set_aside()
}

// faults B6
#[test]
fn a_file_that_is_no_store_is_set_aside_and_work_goes_on() {
    for (what, content) in [
        ("zero length", vec![]),
        ("not a database", b"hello, this is a text file\n".repeat(400)),
        ("zeros", vec![0; 8192]),
        ("magic only", b"SQLite format 3\0".to_vec()),
    ] {
        let folder = folder();
        let path = folder.path().join("state.db");
        std::fs::write(&path, &content).unwrap();
        std::fs::write(folder.path().join("state.db-wal"), "old log").unwrap();
        let error = open_strict(&sqlite(&path), NOW).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{what}: {error:?}");
        assert_eq!((error.fault(), error.code()), (Fault::Disk, "store.damaged"));
        assert!(error.hints()[0].as_str().contains("sfmint store rebuild"));
        assert_eq!(std::fs::read(&path).unwrap(), content, "{what}: strict touches nothing");

        let opened = SqliteStore::open(&path, NOW).unwrap();
        let aside = opened.set_aside.expect(what);
        assert_eq!(aside.file_name().unwrap(), "state.db.corrupt-20261122T210000Z");
        assert_eq!(std::fs::read(&aside).unwrap(), content, "{what}: kept for whoever looks");
        assert!(folder.path().join("state.db.corrupt-20261122T210000Z-wal").exists(), "{what}: with its log");
        drop(opened.store);
        assert_eq!(works_on(&path), None, "{what}: the new one is sound");
    }
}

// faults B6
#[test]
fn a_store_cut_short_anywhere_never_stops_the_work() {
    let folder = folder();
    let sound = folder.path().join("sound/state.db");
    filled(&sound, 60);
    let content = std::fs::read(&sound).unwrap();
    let lengths = (0..content.len()).step_by(4096).chain([1, 99, 100, 511, 5000, content.len() - 1]);
    for length in lengths {
        let path = folder.path().join(format!("cut-{length}/state.db"));
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &content[..length]).unwrap();
        assert!(works_on(&path).is_some(), "{length} of {} bytes", content.len());
    }
}

// faults B6
#[test]
fn a_flipped_byte_at_every_512th_place_never_stops_the_work() {
    let folder = folder();
    let sound = folder.path().join("sound/state.db");
    filled(&sound, 60);
    let content = std::fs::read(&sound).unwrap();
    let header = (16..100).chain([100, 101, 105, 108]);
    let mut set_aside = 0;
    let places: Vec<usize> = (0..content.len()).step_by(512).chain(header).collect();
    for &place in &places {
        for flip in [0xff, 0x01] {
            let mut content = content.clone();
            content[place] ^= flip;
            let path = folder.path().join(format!("flip-{place}-{flip}/state.db"));
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &content).unwrap();
            let strict = open_strict(&sqlite(&path), NOW);
            assert!(
                matches!(strict, Ok(_) | Err(StoreError::Damaged { .. })),
                "flip {flip:x} at {place}: {strict:?}"
            );
            drop(strict);
            match works_on(&path) {
                Some(aside) => {
                    assert!(aside.exists());
                    set_aside += 1;
                }
                None => assert!(!names(path.parent().unwrap()).iter().any(|name| name.contains("corrupt"))),
            }
            std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        }
    }
    assert!(set_aside > 20, "{set_aside} of {} flips were noticed", places.len() * 2);
}

// faults B6
#[test]
fn damage_that_shows_only_later_is_set_aside_then() {
    let folder = folder();
    let path = folder.path().join("state.db");
    filled(&path, 200);
    let mut content = std::fs::read(&path).unwrap();
    for page in content.chunks_mut(4096).skip(6) {
        page[..64].fill(0xa5);
    }
    std::fs::write(&path, &content).unwrap();
    let Opened { store, set_aside, .. } = SqliteStore::open(&path, NOW).unwrap();
    assert_eq!(set_aside, None, "opening reads two pages and no more");
    wait(store.mints(MintQuery { limit: 1000, ..MintQuery::default() })).unwrap();
    assert!(store.set_aside().is_some_and(|aside| aside.exists()));
    wait(store.record_mint(row(1))).unwrap();

    let error = SqliteStore::open_strict(&store.set_aside().unwrap(), NOW).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "the strict one looks at every page: {error:?}");
}

// faults B6
#[test]
fn info_says_what_is_amiss_and_changes_nothing() {
    let folder = folder();
    let path = folder.path().join("state.db");
    filled(&path, 200);
    let mut content = std::fs::read(&path).unwrap();
    for page in content.chunks_mut(4096).skip(6) {
        page[..64].fill(0xa5);
    }
    std::fs::write(&path, &content).unwrap();
    let store = SqliteStore::open(&path, NOW).unwrap().store;
    let info = wait(store.info()).unwrap();
    assert!(matches!(&info.integrity, Integrity::Damaged(found) if !found.is_empty()), "{info:?}");
    assert_eq!(store.set_aside(), None);
}

// faults B6
#[test]
fn rebuild_makes_a_new_store_only_where_the_old_one_is_damaged() {
    let folder = folder();
    let path = folder.path().join("state.db");
    assert_eq!(rebuild(&sqlite(&path), NOW).unwrap(), Rebuilt::Made { set_aside: None }, "there was none");
    drop(SqliteStore::open(&path, NOW).unwrap());
    assert_eq!(rebuild(&sqlite(&path), NOW).unwrap(), Rebuilt::NotNeeded);
    filled(&path, 200);
    let mut content = std::fs::read(&path).unwrap();
    content[8 * 4096..9 * 4096].fill(0xa5);
    std::fs::write(&path, &content).unwrap();
    let Rebuilt::Made { set_aside: Some(aside) } = rebuild(&sqlite(&path), NOW).unwrap() else { panic!() };
    assert_eq!(std::fs::read(&aside).unwrap(), content);
    let info = wait(open_strict(&sqlite(&path), NOW).unwrap().info()).unwrap();
    assert_eq!(info.integrity, Integrity::Sound);
}

#[test]
fn a_store_made_anew_fences_the_holders_of_the_old_one() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, NOW).unwrap().store;
    let old = wait(granted(&store, request("job/accounts", "run-1", NOW.get())));
    std::fs::write(&path, "").unwrap();
    drop(store);
    let later = NOW.moved(60);
    let store = SqliteStore::open(&path, later).unwrap().store;
    let new = wait(granted(&store, request("job/accounts", "run-2", later.get())));
    assert!(new.epoch > old.epoch, "{} after {}", new.epoch, old.epoch);
    assert!(matches!(wait(store.write_under(&old, vec![])), Err(StoreError::LeaseLost { .. })));
}

#[test]
fn a_store_that_is_removed_under_a_running_process_is_made_anew() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, NOW).unwrap().store;
    wait(store.record_mint(row(1))).unwrap();
    std::fs::remove_file(&path).unwrap();
    wait(store.record_mint(row(2))).unwrap();
    assert_eq!(wait(store.mints(MintQuery::default())).unwrap(), [row(2)]);
    let other = open_strict(&sqlite(&path), NOW).unwrap();
    assert_eq!(wait(other.mints(MintQuery::default())).unwrap(), [row(2)], "and the old log is not replayed");
}

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

// faults B4
#[test]
fn a_full_store_says_so_and_keeps_what_it_has() {
    let folder = folder();
    let path = folder.path().join("state.db");
    filled(&path, 5);
    let options = Options { most_pages: Some(12), ..Options::default() };
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

// faults B6
#[test]
fn a_row_that_nobody_wrote_is_found_by_info_and_rebuild() {
    let folder = folder();
    let path = folder.path().join("state.db");
    filled(&path, 3);
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE mint SET outcome = 'mintee' WHERE id = 2")
        .unwrap();
    let store = open_strict(&sqlite(&path), NOW).unwrap();
    let Integrity::Damaged(found) = wait(store.info()).unwrap().integrity else { panic!() };
    assert!(found[0].contains("row 2 of `mint` has a `outcome`"), "{found:?}");
    let error = wait(store.mints(MintQuery::default())).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(matches!(rebuild(&sqlite(&path), NOW).unwrap(), Rebuilt::Made { set_aside: Some(_) }));
}

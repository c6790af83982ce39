use std::path::{Path, PathBuf};

use super::{NOW, filled, folder, names, sqlite, wait};
use crate::base::{Explain, Fault};
use crate::store::conformance::{granted, request, row};
use crate::store::sqlite::SqliteStore;
use crate::store::{Integrity, MintQuery, Opened, Rebuilt, Store, StoreError, open_strict, rebuild};

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

/// Pages from here on hold rows alone; the schema lies before.
const AFTER_SCHEMA: usize = 20;

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
    for page in content.chunks_mut(4096).skip(AFTER_SCHEMA) {
        page[..64].fill(0xa5);
    }
    std::fs::write(&path, &content).unwrap();
    let Opened { store, set_aside, .. } = SqliteStore::open(&path, NOW).unwrap();
    assert_eq!(set_aside, None, "opening reads the schema and no more");
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
    for page in content.chunks_mut(4096).skip(AFTER_SCHEMA) {
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

#[test]
fn a_store_that_is_replaced_stops_whoever_must_stop_at_damage() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let strict = SqliteStore::open_strict(&path, NOW).unwrap();
    let lease = wait(granted(&strict, request("job/accounts", "run-1", 1000)));
    std::fs::remove_file(&path).unwrap();
    let _new = SqliteStore::open(&path, NOW).unwrap();
    for _ in 0..2 {
        let error = wait(strict.write_under(&lease, vec![])).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    }
}

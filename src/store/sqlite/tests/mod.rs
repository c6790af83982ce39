//! What the store does on this machine: every day, when damaged, across versions, between processes.

use std::path::Path;

use super::SqliteStore;
use crate::base::UnixSeconds;
use crate::store::conformance::{granted, refusal, request, row};
use crate::store::conformance_runs::run;
use crate::store::{Fact, Location, Store};

mod damage;
mod every_day;
mod processes;
mod versions;
mod views;

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

/// A store with `rows` mints and up to ten runs, its log folded in, so that every byte counts.
fn filled(path: &Path, rows: i64) {
    let store = SqliteStore::open(path, NOW).unwrap().store;
    wait(async {
        for at in 0..rows {
            store.record_mint(if at % 3 == 0 { refusal(at) } else { row(at) }).await.unwrap();
        }
        let lease = granted(&store, request("job/accounts", "run-1", 1000)).await;
        let runs = (0..rows.min(10)).map(|at| Fact::Run(run("accounts", &format!("run-{at}"), at)));
        store.write_under(&lease, runs.collect()).await.unwrap();
    });
    drop(store);
    let db = rusqlite::Connection::open(path).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    assert!(!path.with_file_name("state.db-wal").exists());
}

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::connect::open_plain;

/// From this length on, the write-ahead log is folded into the file while it goes on growing. Bytes.
const FOLD_FROM: u64 = 8 << 20;

/// The longest that the log grows; a page then waits until all of it is folded, and the log begins anew. Bytes.
const LONGEST_LOG: u64 = 256 << 20;

/// Folds the write-ahead log into the database beside its writer, on a thread and a connection of its own.
///
/// SQLite would do it in the commit that makes the log long: a writer of millions of rows then waits for the disk twice
/// for each of them.
#[derive(Debug)]
pub(super) struct Folding {
    log: PathBuf,
    ask: Option<SyncSender<SyncSender<()>>>,
    thread: Option<JoinHandle<rusqlite::Result<()>>>,
}

impl Folding {
    /// One for the database at `path`. Nothing is started before the log is long.
    pub(super) fn new(path: &Path) -> Self {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Self { log: log.into(), ask: None, thread: None }
    }

    /// Whether there is a log at all.
    pub(super) fn has_log(&self) -> bool {
        self.log.exists()
    }

    /// A page was committed.
    pub(super) fn after_commit(&mut self, path: &Path) -> rusqlite::Result<()> {
        if self.log_length() < FOLD_FROM {
            return Ok(());
        }
        if self.thread.is_none() {
            let db = open_plain(path)?;
            let (ask, asked) = sync_channel::<SyncSender<()>>(1);
            let fold = move || {
                // Closing is the writer's to do, with all that belongs to it.
                db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
                asked.iter().try_for_each(|done| {
                    let folded = fold(&db);
                    drop(done);
                    folded
                })
            };
            let thread = std::thread::Builder::new().name("sfmint-fold".to_string()).spawn(fold);
            // Without a thread the log grows until the file is closed, and is folded then.
            self.thread = thread.ok();
            self.ask = Some(ask);
        }
        let (done, _) = sync_channel(0);
        if let Some(ask) = &self.ask {
            // Where one waits already, it folds this page too.
            let _ = ask.try_send(done);
        }
        self.look()
    }

    /// A page is about to begin.
    pub(super) fn before_page(&mut self) -> rusqlite::Result<()> {
        if self.log_length() > LONGEST_LOG
            && let Some(ask) = &self.ask
        {
            let (done, folded) = sync_channel(0);
            if ask.send(done).is_ok() {
                // Ends when the thread drops its half.
                let _ = folded.recv();
            }
        }
        self.look()
    }

    /// Waits for the last folding; tells what went wrong, once.
    pub(super) fn finish(&mut self) -> rusqlite::Result<()> {
        self.ask = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(folded)) => folded,
            Some(Err(_)) => Err(rusqlite::Error::UnwindingPanic),
            None => Ok(()),
        }
    }

    fn look(&mut self) -> rusqlite::Result<()> {
        match self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            true => self.finish(),
            false => Ok(()),
        }
    }

    fn log_length(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |log| log.len())
    }
}

impl Drop for Folding {
    fn drop(&mut self) {
        // The writer's connection is to be the last, so that its close leaves one file.
        let _ = self.finish();
    }
}

/// Readers and the writer are not kept waiting; what they still need stays in the log.
fn fold(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::ZERO)?;
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

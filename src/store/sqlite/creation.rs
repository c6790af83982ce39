use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::connect::Options;
use super::damage::set_strays_aside;
use super::file_system::Journal;
use super::place::{COMPANIONS, Place};
use super::schema::{APPLICATION_ID, advance};
use super::trouble::{Trouble, io};
use crate::base::UnixSeconds;
use crate::store::StoreError;

/// Makes an empty store, whole or not at all: beside its place first, then by rename. So a store of zero
/// length is always damage, never a process that was killed at its first breath.
///
/// Where somebody else was faster, theirs stays.
pub(super) fn create(place: &Place, options: &Options, now: UnixSeconds) -> Result<(), StoreError> {
    let _alone = place.lock_alone()?;
    if place.look()?.is_some() {
        return Ok(());
    }
    set_strays_aside(place, now)?;
    let draft = place.beside(".new");
    remove(place, ".new")?;
    private_file(&draft)?;
    let made = fill(&draft, options.journal.unwrap_or(place.journal), options, now)
        .map_err(|trouble| trouble.about(&draft))
        .and_then(|()| {
            File::open(&draft)
                .and_then(|file| file.sync_all())
                .and_then(|()| std::fs::rename(&draft, &place.file))
                .map_err(|error| io("make", &place.file, error))
        });
    if made.is_err() {
        // The reason it failed is worth more than whether the draft could be cleared away.
        let _ = remove(place, ".new");
    }
    made
}

/// An empty 0600 file that was not there before: SQLite itself would make it 0644.
pub(super) fn private_file(path: &Path) -> Result<(), StoreError> {
    (OpenOptions::new().write(true).create_new(true).mode(0o600).open(path))
        .map(drop)
        .map_err(|error| io("make", path, error))
}

fn remove(place: &Place, suffix: &str) -> Result<(), StoreError> {
    for companion in COMPANIONS.iter().chain(&[""]) {
        let path = place.beside(&format!("{suffix}{companion}"));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("remove", &path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn fill(draft: &Path, journal: Journal, options: &Options, now: UnixSeconds) -> Result<(), Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut db = Connection::open_with_flags(draft, flags)?;
    // No journal and no fsync: nobody sees the draft before it is whole, and one fsync follows at the end.
    db.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;
         PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;",
    )?;
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    advance(&mut db, options.migrations, 0, now)?;
    if journal == Journal::Wal {
        db.execute_batch("PRAGMA journal_mode = WAL;")?;
    }
    db.close().map_err(|(_, error)| error.into())
}

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::trouble::Trouble;
use crate::sync::destination::DestinationError;

/// The first bytes of every SQLite file that is not empty. <https://sqlite.org/fileformat2.html>, "Magic Header String".
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Opens the file, or makes it; none where there is no file and none is to be made.
pub(super) fn open(path: &Path, make: bool, patience: Duration) -> Result<Option<Connection>, Trouble> {
    let there = path.try_exists().map_err(|source| Trouble::Io { what: "look at", source })?;
    if !there && !make {
        return Ok(None);
    }
    if there {
        check_magic(path)?;
    } else if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|source| Trouble::Io { what: "make the folder of", source })?;
    }
    let db = open_plain(path)?;
    db.busy_timeout(patience)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // The swap renames a table under the views and triggers that name it; they are left as they are written.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, true)?;
    check_ours(&db, path)?;
    db.execute_batch(
        "PRAGMA wal_autocheckpoint = 0; PRAGMA cell_size_check = ON; PRAGMA cache_size = -16000; PRAGMA foreign_keys = OFF;",
    )?;
    if there && super::table::exists(&db, "_sfmint_checkpoint")? {
        use_log(&db, patience)?;
    }
    Ok(Some(db))
}

/// Lets readers read while a run writes. A file that was never read from is filled without the log: every byte would be
/// written twice.
///
/// Where another job is in the middle of a page of such a first load, the file stays as it is until the next time.
pub(super) fn use_log(db: &Connection, patience: Duration) -> Result<(), Trouble> {
    db.busy_timeout(Duration::ZERO)?;
    let changed = db.execute_batch("PRAGMA journal_mode = WAL");
    db.busy_timeout(patience)?;
    match changed.map_err(Trouble::from) {
        Err(trouble) if trouble.is_busy() => Ok(()),
        changed => changed,
    }
}

/// Another connection to the file.
pub(super) fn open_plain(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    Connection::open_with_flags(path, flags)
}

/// After a failed write the file is left to the next process, which finds out what is on the disk.
pub(super) fn keep_from_writing(db: &Connection) {
    // A connection that refuses even this is closed all the same.
    let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
}

fn check_magic(path: &Path) -> Result<(), Trouble> {
    let mut start = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(16).read_to_end(&mut start))
        .map_err(|source| Trouble::Io { what: "read", source })?;
    match start.is_empty() || start == MAGIC {
        true => Ok(()),
        false => Err(DestinationError::Foreign {
            place: format!("sqlite {}", path.display()),
            found: "a file that is no SQLite database".to_string(),
        }
        .into()),
    }
}

/// A database with tables, none of them our checkpoint's, belongs to somebody else.
fn check_ours(db: &Connection, path: &Path) -> Result<(), Trouble> {
    let (tables, ours): (i64, i64) = db.query_row(
        "SELECT count(*), ifnull(sum(name = '_sfmint_checkpoint'), 0) FROM sqlite_schema WHERE type = 'table'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    match tables == 0 || ours > 0 {
        true => Ok(()),
        false => Err(DestinationError::Foreign {
            place: format!("sqlite {}", path.display()),
            found: format!("{tables} tables, and no `_sfmint_checkpoint` among them"),
        }
        .into()),
    }
}

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::file_system::Journal;
use super::place::Place;
use super::schema::{APPLICATION_ID, MIGRATIONS, Migration};
use super::trouble::Trouble;
use crate::store::StoreError;

/// How long we wait for another process before saying so. A write takes well below a millisecond; what
/// takes longer is a disk that is ill, or a person with the `sqlite3` shell open.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What tests change about a store; users cannot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub migrations: &'static [Migration],
    pub journal: Option<Journal>,
    pub most_pages: Option<u32>,
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { migrations: MIGRATIONS, journal: None, most_pages: None, patience: PATIENCE }
    }
}

/// Opens the file that stands at `place` and says which schema version it has.
///
/// This is on the way of `sfmint token --fresh`, so it reads the schema and two marks: the header, with both
/// marks, and the newest row of `migrations`. SQLite itself notices here a wrong magic, a file shorter than
/// its header says, and a schema it cannot parse. Any other damage shows when its page is read, and is
/// dealt with there (see `link`).
pub(super) fn connect(place: &Place, options: &Options) -> Result<(Connection, u32), Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let db = Connection::open_with_flags(&place.file, flags)?;
    db.busy_timeout(options.patience)?;
    match settle(&db, place, options).and_then(|()| version(&db, place)) {
        Ok(version) => Ok((db, version)),
        Err(Trouble::Sqlite(error)) if Trouble::refuses_statement(&error) => {
            Err(Trouble::Nonsense(error.to_string()))
        }
        Err(trouble) => Err(trouble),
    }
}

fn settle(db: &Connection, place: &Place, options: &Options) -> Result<(), Trouble> {
    // Closing would fold the write-ahead log into the file, with an fsync, at the end of every short process.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    match options.journal.unwrap_or(place.journal) {
        Journal::Wal => {
            db.execute_batch(
                "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cell_size_check = ON;",
            )?;
        }
        Journal::Delete => {
            // A store that was made on a local disk and moved here still asks for a log; alone, it can
            // be opened without the shared memory that this file system lacks.
            db.execute_batch(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL;
                 PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;",
            )?;
        }
    }
    if let Some(pages) = options.most_pages {
        db.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(())
}

/// The schema version. It is written twice, so that one flipped bit is damage and not "a newer version".
fn version(db: &Connection, place: &Place) -> Result<u32, Trouble> {
    let mark: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let header: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let listed: Result<i64, Trouble> =
        db.query_row("SELECT max(version) FROM migrations", [], |row| row.get(0)).map_err(Trouble::from);
    let nonsense = |what: &str| Err(Trouble::Nonsense(what.to_string()));
    match listed {
        Ok(listed) if listed == header && mark == APPLICATION_ID => {
            u32::try_from(listed).or(nonsense("its version is negative"))
        }
        Ok(_) => nonsense("its marks in header and table disagree"),
        Err(trouble) if !trouble.doubts_schema() && !matches!(trouble, Trouble::Nonsense(_)) => Err(trouble),
        Err(_) if mark == APPLICATION_ID => nonsense("its table `migrations` is gone"),
        Err(_) if tables == 0 => nonsense("it is empty"),
        Err(_) => Err(StoreError::Foreign { path: place.file.clone() }.into()),
    }
}

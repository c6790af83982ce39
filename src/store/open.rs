use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::{MemoryStore, Store, StoreError};
use crate::base::{Explain, Fault, UnixSeconds};

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// Nowhere: in this process.
    Memory,
    /// A SQLite database.
    Sqlite {
        /// Its file; a folder that is missing is made, 0700.
        path: PathBuf,
    },
}

/// A store that was opened, and what happened on the way.
#[derive(Debug)]
#[must_use]
pub struct Opened<S = Arc<dyn Store>> {
    /// The store.
    pub store: S,
    /// Where the damaged store is now that was found in its place. Say it loudly: history is gone from
    /// sight, though not from disk.
    pub set_aside: Option<PathBuf>,
    /// Why this is a store in memory although a file was asked for. Say it once.
    pub in_memory_because: Option<StoreError>,
}

impl<S> Opened<S> {
    fn whole(store: S) -> Self {
        Self { store, set_aside: None, in_memory_because: None }
    }
}

/// What `sfmint store migrate` did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migrated {
    /// The schema version that was found; `None` where there was no store.
    pub from: Option<u32>,
    /// The schema version now.
    pub to: u32,
    /// The copy that was made before.
    pub backup: Option<PathBuf>,
}

/// What `sfmint store rebuild` did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rebuilt {
    /// The store is sound; nothing was touched.
    NotNeeded,
    /// A new store stands in its place, empty: the history of mints is not read back.
    Made {
        /// Where the damaged one is; `None` where there was none.
        set_aside: Option<PathBuf>,
    },
}

/// Opens a store for work that must go on: a damaged one is set aside and made anew.
///
/// Blocks: below a millisecond on a local disk, a few where it has to be made, 5 s at most where another process holds the file.
/// Makes what is missing, and brings an older schema up to date after a copy.
///
/// # Errors
///
/// - [`StoreError::Newer`], [`StoreError::Foreign`], [`StoreError::NotBuilt`] — *misuse*.
/// - [`StoreError::NotOurs`] — the file or folder could be another user's doing. *Denied*.
/// - [`StoreError::ReadOnly`], [`StoreError::Full`], [`StoreError::Io`] — *disk*.
/// - [`StoreError::Locked`] — *transient*.
pub fn open(location: &Location, now: UnixSeconds) -> Result<Opened, StoreError> {
    match location {
        Location::Memory => Ok(Opened::whole(Arc::new(MemoryStore::new()))),
        #[cfg(feature = "sqlite")]
        Location::Sqlite { path } => {
            let Opened { store, set_aside, in_memory_because } = super::SqliteStore::open(path, now)?;
            Ok(Opened { store: Arc::new(store), set_aside, in_memory_because })
        }
        #[cfg(not(feature = "sqlite"))]
        Location::Sqlite { .. } => Err(not_built(now)),
    }
}

/// Opens a store for `token`, `exec` and `api`, which work without one: where the disk or another process
/// is in the way, or the folder could be another user's doing, the folder is left alone, facts are kept
/// in memory, and `in_memory_because` says so.
///
/// # Errors
///
/// Those of [`open`] that are *misuse*: a store of a later version, or of another program.
pub fn open_or_memory(location: &Location, now: UnixSeconds) -> Result<Opened, StoreError> {
    match open(location, now) {
        Err(error) if error.fault() != Fault::Misuse => Ok(Opened {
            in_memory_because: Some(error),
            ..Opened::whole(Arc::new(MemoryStore::new()) as Arc<dyn Store>)
        }),
        answer => answer,
    }
}

/// Opens a store for work that must stop where it is damaged: every page is looked at, nothing is set aside.
///
/// # Errors
///
/// [`StoreError::Damaged`] — *disk*, exit code 74; the hint names `sfmint store rebuild`. Else as [`open`].
pub fn open_strict(location: &Location, now: UnixSeconds) -> Result<Arc<dyn Store>, StoreError> {
    match location {
        Location::Memory => Ok(Arc::new(MemoryStore::new())),
        #[cfg(feature = "sqlite")]
        Location::Sqlite { path } => Ok(Arc::new(super::SqliteStore::open_strict(path, now)?)),
        #[cfg(not(feature = "sqlite"))]
        Location::Sqlite { .. } => Err(not_built(now)),
    }
}

/// Brings the schema up to date, after a copy where there is something to lose.
///
/// # Errors
///
/// As [`open_strict`].
pub fn migrate(location: &Location, now: UnixSeconds) -> Result<Migrated, StoreError> {
    match location {
        Location::Memory => Ok(Migrated { from: None, to: 0, backup: None }),
        #[cfg(feature = "sqlite")]
        Location::Sqlite { path } => super::sqlite::migrate(path, now),
        #[cfg(not(feature = "sqlite"))]
        Location::Sqlite { .. } => Err(not_built(now)),
    }
}

/// Sets a damaged store aside and makes a new one. A sound one is left as it is.
///
/// # Errors
///
/// As [`open`].
pub fn rebuild(location: &Location, now: UnixSeconds) -> Result<Rebuilt, StoreError> {
    match location {
        Location::Memory => Ok(Rebuilt::NotNeeded),
        #[cfg(feature = "sqlite")]
        Location::Sqlite { path } => super::sqlite::rebuild(path, now),
        #[cfg(not(feature = "sqlite"))]
        Location::Sqlite { .. } => Err(not_built(now)),
    }
}

#[cfg(not(feature = "sqlite"))]
fn not_built(_now: UnixSeconds) -> StoreError {
    StoreError::NotBuilt { what: "SQLite" }
}

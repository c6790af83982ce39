use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::{Explain, Fault, Hint};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Written by a later version, whose meaning this one cannot know.
    #[error("the store {} has schema version {found}, and this sfmint knows {known}: it needs a newer sfmint", path.display())]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A sound database that belongs to another program.
    #[error("{} is a SQLite database of another program", path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// This build cannot open such a store.
    #[error("this build of sfmint has no {what} store")]
    NotBuilt {
        /// The kind that was asked for.
        what: &'static str,
    },
    /// Not a database, cut short, or holding what no version ever wrote.
    #[error("the store {} is damaged: {what}", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What was seen.
        what: String,
    },
    /// No room left.
    #[error("no room to write the store {}{}", path.display(), free(free_bytes))]
    Full {
        /// The store.
        path: PathBuf,
        /// Bytes that its file system still has for us, where it says so.
        free_bytes: Option<u64>,
    },
    /// The file system or the file takes no writes.
    #[error("the store {} cannot be written: it is read-only", path.display())]
    ReadOnly {
        /// The store.
        path: PathBuf,
    },
    /// The disk, or the way to it, failed.
    #[error("could not {doing} {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Somebody else wrote for longer than we wait.
    #[error("the store {} was busy for {} s", path.display(), waited.as_secs_f32())]
    Locked {
        /// The store.
        path: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
    /// The file or its folder could be another user's doing.
    #[error("{} {why}", path.display())]
    NotOurs {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What to do about it.
        hint: String,
    },
    /// Somebody else has the lease now.
    #[error("the lease `{name}` (epoch {epoch}) is no longer ours{}", newest_is(newest))]
    LeaseLost {
        /// What was leased.
        name: String,
        /// Our epoch.
        epoch: u64,
        /// The newest epoch, where the store knows the name at all.
        newest: Option<u64>,
    },
    /// A mistake of ours.
    #[error("the store did not understand its own request")]
    Internal {
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn free(bytes: &Option<u64>) -> String {
    bytes.map_or_else(String::new, |bytes| format!(": {bytes} bytes free"))
}

fn newest_is(newest: &Option<u64>) -> String {
    newest.map_or_else(String::new, |epoch| format!(": its newest epoch is {epoch}"))
}

impl StoreError {
    /// The file or folder it is about.
    pub fn path(&self) -> Option<&Path> {
        use StoreError::*;
        match self {
            Newer { path, .. } | Foreign { path } | Damaged { path, .. } | Full { path, .. } => Some(path),
            ReadOnly { path } | Io { path, .. } | Locked { path, .. } | NotOurs { path, .. } => Some(path),
            NotBuilt { .. } | LeaseLost { .. } | Internal { .. } => None,
        }
    }
}

impl Explain for StoreError {
    fn fault(&self) -> Fault {
        use StoreError::*;
        match self {
            Newer { .. } | Foreign { .. } | NotBuilt { .. } => Fault::Misuse,
            Damaged { .. } | Full { .. } | ReadOnly { .. } | Io { .. } => Fault::Disk,
            Locked { .. } | LeaseLost { .. } => Fault::Transient,
            NotOurs { .. } => Fault::Denied,
            Internal { .. } => Fault::Bug,
        }
    }

    fn code(&self) -> &'static str {
        use StoreError::*;
        match self {
            Newer { .. } => "store.newer",
            Foreign { .. } => "store.foreign",
            NotBuilt { .. } => "store.not_built",
            Damaged { .. } => "store.damaged",
            Full { .. } => "store.full",
            ReadOnly { .. } => "store.read_only",
            Io { .. } => "store.io",
            Locked { .. } => "store.locked",
            NotOurs { .. } => "store.not_ours",
            LeaseLost { .. } => "store.lease_lost",
            Internal { .. } => "store.internal",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        use StoreError::*;
        let hint = match self {
            Newer { .. } => "update this sfmint, or point --state-dir at a folder of its own".to_string(),
            Foreign { .. } => "name another file in `store = { sqlite = ... }`".to_string(),
            NotBuilt { .. } => "build sfmint with the feature `sqlite`".to_string(),
            Damaged { .. } => {
                "run `sfmint store rebuild`: it sets the damaged store aside and makes a new one".to_string()
            }
            Full { .. } => "free some room, or run `sfmint store prune`".to_string(),
            ReadOnly { .. } => {
                "point --state-dir (or SFMINT_STATE_DIR) at a folder that can be written".to_string()
            }
            Io { source, .. } => io_hint(source.as_ref()).to_string(),
            Locked { .. } => "try again; `sfmint store info` says what the store holds".to_string(),
            NotOurs { hint, .. } => hint.clone(),
            LeaseLost { .. } => "another run took over; let it finish".to_string(),
            Internal { .. } => "report this with the output of `sfmint store info`".to_string(),
        };
        vec![Hint::new(hint)]
    }
}

fn io_hint(source: &(dyn std::error::Error + Send + Sync + 'static)) -> &'static str {
    use std::io::ErrorKind;
    match source.downcast_ref::<std::io::Error>() {
        Some(error) if error.raw_os_error() == Some(24) => "raise the limit on open files (ulimit -n)",
        Some(error) if error.kind() == ErrorKind::PermissionDenied => {
            "point --state-dir (or SFMINT_STATE_DIR) at a folder that can be written"
        }
        _ => "look at the disk and its mount; --state-dir (or SFMINT_STATE_DIR) names another place",
    }
}

use std::io;
use std::path::{Path, PathBuf};

use crate::api::ApiError;
use crate::api::bulk::JobId;
use crate::base::{Explain, Fault, Hint, OAuthError};

/// Why a file was not loaded, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Salesforce, or the way there. Its own fault.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The file to load cannot be read. *Data*.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The results folder cannot be written. *Disk*.
    #[error("{} cannot be written", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not what it says. *Data*.
    #[error("row {row} of {}: {what}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Which row, the header line not counted; 0 for the header line itself.
        row: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The results folder belongs to another load. *Data*.
    #[error("{} holds the results of another load: {what}", path.display())]
    Other {
        /// The folder.
        path: PathBuf,
        /// What is different.
        what: &'static str,
    },
    /// The journal in the results folder is damaged. *Data*.
    #[error("{} is damaged", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Another process loads the same. *Transient*.
    #[error("another process loads into {}", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A job that was started is gone: what became of its rows is not known. *Data*.
    #[error("what became of {rows} rows is not known: Bulk job {job} is gone")]
    InDoubt {
        /// The job.
        job: JobId,
        /// Its rows.
        rows: u64,
    },
}

impl LoadError {
    pub(super) fn unreadable(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| LoadError::Unreadable { path: path.to_path_buf(), source }
    }

    pub(super) fn unwritable(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| LoadError::Unwritable { path: path.to_path_buf(), source }
    }
}

impl Explain for LoadError {
    fn fault(&self) -> Fault {
        match self {
            LoadError::Api(error) => error.fault(),
            LoadError::Unwritable { .. } => Fault::Disk,
            LoadError::Busy { .. } => Fault::Transient,
            LoadError::Unreadable { .. }
            | LoadError::Row { .. }
            | LoadError::Other { .. }
            | LoadError::Journal { .. }
            | LoadError::InDoubt { .. } => Fault::Data,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            LoadError::Api(error) => error.code(),
            LoadError::Unreadable { .. } => "load.unreadable",
            LoadError::Unwritable { .. } => "load.unwritable",
            LoadError::Row { .. } => "load.row",
            LoadError::Other { .. } => "load.other",
            LoadError::Journal { .. } => "load.journal",
            LoadError::Busy { .. } => "load.busy",
            LoadError::InDoubt { .. } => "load.in_doubt",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let text = match self {
            LoadError::Api(error) => return error.hints(),
            LoadError::Unreadable { .. } => "check the path and the file's permissions",
            LoadError::Unwritable { .. } => "name another folder with `--results`, or make room",
            LoadError::Row { .. } => "correct the file; nothing of it was sent",
            LoadError::Other { .. } => "name another folder with `--results` for this load",
            LoadError::Journal { .. } => {
                "look in Setup > Bulk Data Load Jobs at what was sent, then load what is missing with another `--results`"
            }
            LoadError::Busy { .. } => "wait for it, or name another folder with `--results`",
            LoadError::InDoubt { .. } => {
                "compare the org with the file, then load what is missing with another `--results`"
            }
        };
        vec![Hint::new(text)]
    }

    fn salesforce(&self) -> Option<&OAuthError> {
        match self {
            LoadError::Api(error) => error.salesforce(),
            _ => None,
        }
    }
}

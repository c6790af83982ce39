use std::path::Path;

use rusqlite::ErrorCode;

use crate::sync::destination::{DestinationError, io_error, room_at};

/// Less room than this, and a failed write is called a full disk whatever else the system said. Bytes.
const NO_ROOM: u64 = 64 * 1024;

/// Why work on the file failed: SQLite's word, the system's, or our own.
#[derive(Debug)]
pub(super) enum Trouble {
    Sqlite(rusqlite::Error),
    Io {
        what: &'static str,
        source: std::io::Error,
    },
    Said(DestinationError),
    /// What is there cannot be what we wrote.
    Nonsense(String),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<DestinationError> for Trouble {
    fn from(error: DestinationError) -> Self {
        Self::Said(error)
    }
}

impl Trouble {
    fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        }
    }

    /// Whether somebody else holds the file.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether nobody knows any more what is on the disk. A failed fsync that is tried again passes for done, because the
    /// kernel has marked its pages clean; so it never is.
    pub(super) fn leaves_doubt(&self) -> bool {
        matches!(
            self.code(),
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        )
    }

    /// Puts it into the words of this room.
    pub(super) fn about(self, path: &Path, place: &str) -> DestinationError {
        let code = self.code();
        let place = place.to_string();
        let error = match self {
            Self::Said(error) => return error,
            Self::Io { what, source } => return io_error(what, path, source),
            Self::Nonsense(found) => return DestinationError::Damaged { place, found },
            Self::Sqlite(error) => error,
        };
        let room = room_at(path);
        match code {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                DestinationError::Damaged { place, found: error.to_string() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DestinationError::Busy { place },
            Some(ErrorCode::DiskFull) => DestinationError::Full { path: path.into(), free_bytes: room },
            Some(ErrorCode::SystemIoFailure) if room.is_some_and(|free| free < NO_ROOM) => {
                DestinationError::Full { path: path.into(), free_bytes: room }
            }
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NoLargeFileSupport,
            ) => {
                let what = if code == Some(ErrorCode::CannotOpen) { "open" } else { "write" };
                io_error(what, path, std::io::Error::other(error))
            }
            _ => DestinationError::Refused { place, source: error.into() },
        }
    }
}

/// Nothing more is written after a write that failed.
pub(super) fn broken(path: &Path) -> DestinationError {
    io_error(
        "write",
        path,
        std::io::Error::other(
            "an earlier write failed; nothing more is written before the file is opened anew",
        ),
    )
}

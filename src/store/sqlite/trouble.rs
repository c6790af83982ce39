use std::path::Path;

use rusqlite::ErrorCode;

use super::connect::PATIENCE;
use super::file_system::free_bytes;
use crate::store::StoreError;

/// Less room than this, and a failed write is called a full disk whatever else the system said.
const NO_ROOM: u64 = 64 * 1024;

/// Why work on a connection failed: SQLite's word, or our own.
#[derive(Debug)]
pub(super) enum Trouble {
    Sqlite(rusqlite::Error),
    Said(StoreError),
    /// What a row or a page holds cannot be what we wrote.
    Nonsense(String),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::*;
        match error {
            // STRICT tables took nothing of the kind in, so the file has changed since.
            Utf8Error(..)
            | InvalidColumnType(..)
            | IntegralValueOutOfRange(..)
            | FromSqlConversionFailure(..) => Trouble::Nonsense(error.to_string()),
            error => Trouble::Sqlite(error),
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Said(error)
    }
}

impl Trouble {
    /// Whether somebody else holds the file.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether the statement itself was refused, which a sound schema never does to us.
    pub(super) fn doubts_schema(&self) -> bool {
        matches!(self, Trouble::Sqlite(error) if Self::refuses_statement(error))
    }

    /// Whether SQLite refused the statement itself, and not for want of room or of luck.
    pub(super) fn refuses_statement(error: &rusqlite::Error) -> bool {
        use ErrorCode::{ConstraintViolation, SchemaChanged, TypeMismatch, Unknown};
        let code = error.sqlite_error_code();
        matches!(code, Some(Unknown | ConstraintViolation | TypeMismatch | SchemaChanged))
    }

    fn code(&self) -> Option<ErrorCode> {
        match self {
            Trouble::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        }
    }

    /// Whether the file is damaged.
    pub(super) fn is_damage(&self, path: &Path) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
            || matches!(self, Trouble::Nonsense(_))
            || self.is_false_refusal(path)
    }

    /// Whether SQLite calls a file read-only that can be written: a flipped bit in its header asks for a
    /// version of the format that nobody has yet.
    fn is_false_refusal(&self, path: &Path) -> bool {
        let plain = matches!(self, Trouble::Sqlite(error) if error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_READONLY));
        plain && rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
    }

    /// Puts it into the words of this room.
    pub(super) fn about(self, path: &Path) -> StoreError {
        let code = self.code();
        let false_refusal = self.is_false_refusal(path);
        let path = path.to_path_buf();
        let error = match self {
            Trouble::Said(error) => return error,
            Trouble::Nonsense(what) => return StoreError::Damaged { path, what },
            Trouble::Sqlite(error) => error,
        };
        let room = free_bytes(&path);
        match code {
            Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, what: error.to_string() },
            Some(ErrorCode::NotADatabase) => {
                StoreError::Damaged { path, what: "it is not a database".to_string() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Locked { path, waited: PATIENCE }
            }
            Some(ErrorCode::DiskFull) => StoreError::Full { path, free_bytes: room },
            Some(ErrorCode::SystemIoFailure) if room.is_some_and(|free| free < NO_ROOM) => {
                StoreError::Full { path, free_bytes: room }
            }
            Some(ErrorCode::ReadOnly) if false_refusal => StoreError::Damaged {
                path,
                what: "its header asks for a format that does not exist".to_string(),
            },
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                StoreError::Io { path, doing: "open", source: error.into() }
            }
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NoLargeFileSupport,
            ) => StoreError::Io { path, doing: "read or write", source: error.into() },
            _ => StoreError::Internal { source: error.into() },
        }
    }
}

/// The system's word about a file, in the words of this room.
pub(super) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> StoreError {
    use std::io::ErrorKind;
    let path = path.to_path_buf();
    match source.kind() {
        ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            let free_bytes = free_bytes(&path);
            StoreError::Full { path, free_bytes }
        }
        _ => StoreError::Io { path, doing, source: source.into() },
    }
}

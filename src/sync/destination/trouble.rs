use std::io;
use std::path::Path;

use super::DestinationError;
use crate::base::printable;
use crate::sync::csv::{Misfit, Unclean};

/// Room that the file system of `path` still has for us. Bytes.
pub(super) fn room_at(path: &Path) -> Option<u64> {
    let vfs = match rustix::fs::statvfs(path) {
        Ok(vfs) => vfs,
        Err(_) => rustix::fs::statvfs(path.parent()?).ok()?,
    };
    vfs.f_bavail.checked_mul(vfs.f_frsize)
}

/// The system's word about a file.
pub(super) fn io_error(what: &'static str, path: &Path, source: io::Error) -> DestinationError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            DestinationError::Full { path: path.to_path_buf(), free_bytes: room_at(path) }
        }
        _ => DestinationError::Io { what, path: path.to_path_buf(), source },
    }
}

/// What is wrong with a row, numbered in its page.
pub(super) fn page_error(wrong: impl Into<Wrong>, rows_before: u64) -> DestinationError {
    match wrong.into() {
        Wrong::Nul(row) => DestinationError::Nul { row: rows_before + row },
        Wrong::Row(row, why) => DestinationError::Row { row: rows_before + row, why: printable(&why, 200) },
    }
}

pub(super) enum Wrong {
    Nul(u64),
    Row(u64, String),
}

impl From<Unclean> for Wrong {
    fn from(unclean: Unclean) -> Self {
        match unclean {
            Unclean::Nul(row) => Self::Nul(row),
            Unclean::NotUtf8(row) => Self::Row(row, "it is not UTF-8".to_string()),
        }
    }
}

impl From<Misfit> for Wrong {
    fn from(misfit: Misfit) -> Self {
        Self::Row(misfit.row, misfit.why)
    }
}

/// A call that its caller must not make now: a mistake of ours.
pub(super) fn out_of_order(place: String, why: &'static str) -> DestinationError {
    DestinationError::OutOfOrder { place, why }
}

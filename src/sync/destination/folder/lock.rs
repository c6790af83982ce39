use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::names::LOCK;
use crate::sync::destination::{DestinationError, io_error};

/// How often a waiting writer looks whether the lock is free.
const LOOK: Duration = Duration::from_millis(5);

/// The right to write the manifest, for as long as it is held: the time of one commit, not that of a run.
///
/// A run that was stopped holds nothing then, and the one that follows is not kept waiting; the epoch in the manifest
/// keeps the stopped one from writing when it wakes.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn wait(
        folder: &Path,
        patience: Duration,
        place: impl Fn() -> String,
    ) -> Result<Self, DestinationError> {
        let path = folder.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| io_error("make", &path, source))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if waited < patience => {
                    std::thread::sleep(LOOK);
                    waited += LOOK;
                }
                Err(TryLockError::WouldBlock) => return Err(DestinationError::Busy { place: place() }),
                Err(TryLockError::Error(source)) => return Err(io_error("lock", &path, source)),
            }
        }
    }
}

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::trouble::Trouble;
use crate::sync::destination::DestinationError;

/// How often a waiting page looks whether it is its turn.
const LOOK: Duration = Duration::from_millis(5);

/// The turn to write, held only until the write itself has begun.
///
/// SQLite lets one writer in and the others poll: a job that writes page after page would leave the others no moment to
/// get in. So every page first takes this lock, which the one that waits for the writer holds; the writer's next page
/// queues behind it.
#[derive(Debug)]
pub(super) struct Turn {
    _lock: File,
}

impl Turn {
    pub(super) fn wait(database: &Path, patience: Duration) -> Result<Self, Trouble> {
        let mut path = database.as_os_str().to_owned();
        path.push("-sfmint-turn");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|source| Trouble::Io { what: "make a lock beside", source })?;
        let mut waited = Duration::ZERO;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { _lock: lock }),
                Err(TryLockError::WouldBlock) if waited < patience => {
                    std::thread::sleep(LOOK);
                    waited += LOOK;
                }
                Err(TryLockError::WouldBlock) => {
                    let place = format!("sqlite {}", database.display());
                    return Err(DestinationError::Busy { place }.into());
                }
                Err(TryLockError::Error(source)) => {
                    return Err(Trouble::Io { what: "lock the turn of", source });
                }
            }
        }
    }
}

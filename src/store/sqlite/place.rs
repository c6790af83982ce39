use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connect::PATIENCE;
use super::file_system::{Journal, journal_on};
use super::ownership::{FileId, check_file, check_folder};
use super::trouble::io;
use crate::store::StoreError;

/// What SQLite puts beside a database, and what must therefore go where the database goes.
pub(super) const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// How often a lock is asked for while another process makes, migrates or sets aside.
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// A path that was looked at: its folder is ours to use, and its file, if any, is our own.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub file: PathBuf,
    pub journal: Journal,
}

impl Place {
    /// Makes the folder where it is missing (0700), and refuses one in which others could put files of theirs.
    pub(super) fn prepare(path: &Path) -> Result<Self, StoreError> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let name = path.file_name().ok_or_else(|| {
            io("open", path, std::io::Error::new(ErrorKind::InvalidInput, "the path names no file"))
        })?;
        let made = match folder.canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .and_then(|()| folder.canonicalize()),
            answer => answer,
        };
        let folder = made.map_err(|error| io("make the folder", folder, error))?;
        check_folder(&folder)?;
        let file = folder.join(name);
        for companion in COMPANIONS {
            check_file(&with_suffix(&file, companion))?;
        }
        Ok(Self { journal: journal_on(&folder), file })
    }

    /// The file as it stands now; `None` where there is none.
    pub(super) fn look(&self) -> Result<Option<FileId>, StoreError> {
        check_file(&self.file)
    }

    /// Whether a log or a rollback journal waits to be worked into the file.
    pub(super) fn has_log(&self) -> bool {
        let waits = |suffix| std::fs::metadata(self.beside(suffix)).is_ok_and(|log| log.len() > 0);
        waits("-wal") || waits("-journal")
    }

    /// A path beside the file: `state.db` and `.lock` make `state.db.lock`.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        with_suffix(&self.file, suffix)
    }

    /// Keeps others from replacing the file while it is opened.
    pub(super) fn lock_shared(&self) -> Result<File, StoreError> {
        self.lock(File::try_lock_shared)
    }

    /// Keeps others from opening the file while it is made, migrated or set aside.
    pub(super) fn lock_alone(&self) -> Result<File, StoreError> {
        self.lock(File::try_lock)
    }

    fn lock(&self, attempt: fn(&File) -> Result<(), TryLockError>) -> Result<File, StoreError> {
        let path = self.beside(".lock");
        check_file(&path)?;
        let nofollow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
        let file = (OpenOptions::new().create(true).truncate(false).write(true))
            .mode(0o600)
            .custom_flags(nofollow)
            .open(&path)
            .map_err(|error| io("open", &path, error))?;
        let mut waited = Duration::ZERO;
        loop {
            match attempt(&file) {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(io("lock", &path, error)),
                Err(TryLockError::WouldBlock) if waited >= PATIENCE => {
                    return Err(StoreError::Locked { path: self.file.clone(), waited });
                }
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(LOCK_PAUSE);
                    waited += LOCK_PAUSE;
                }
            }
        }
    }
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    // faults F12
    #[test]
    fn a_link_in_place_of_the_store_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        for name in ["state.db", "state.db-wal", "state.db.lock"] {
            let link = folder.path().join(name);
            std::os::unix::fs::symlink(&victim, &link).unwrap();
            let answer = Place::prepare(&folder.path().join("state.db"))
                .and_then(|place| place.look().and_then(|_| place.lock_shared()));
            assert!(matches!(answer, Err(StoreError::NotOurs { .. })), "{name}: {answer:?}");
            std::fs::remove_file(&link).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }

    // faults F12
    #[test]
    fn a_folder_that_everybody_may_write_is_refused_with_the_command_to_run() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let error = Place::prepare(&folder.path().join("state.db")).unwrap_err();
        assert!(
            matches!(&error, StoreError::NotOurs { hint, .. } if hint.contains("chmod 700")),
            "{error:?}"
        );
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        Place::prepare(&folder.path().join("state.db")).expect("sticky, as /tmp is");
    }

    #[test]
    fn a_missing_folder_is_made_for_us_alone() {
        let folder = tempfile::tempdir().unwrap();
        Place::prepare(&folder.path().join("a/b/state.db")).unwrap();
        let mode = std::fs::metadata(folder.path().join("a/b")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

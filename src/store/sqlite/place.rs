use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connect::PATIENCE;
use super::trouble::io;
use crate::store::StoreError;

/// What SQLite puts beside a database, and what must therefore go where the database goes.
pub(super) const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// How often a lock is asked for while another process makes, migrates or sets aside.
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// How SQLite keeps a transaction whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Journal {
    /// Readers and a writer side by side, and commits without fsync. Needs memory shared by all who open it.
    Wal,
    /// Slower, and right where several machines may meet.
    Delete,
}

/// Which file stands at a path, so that a file that was replaced is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
    pub length: u64,
}

impl FileId {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino(), length: metadata.len() }
    }

    /// Whether both are one file, whatever its length.
    pub(super) fn same_file(self, other: Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

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

/// Room that the file system of `path` still has for us.
pub(super) fn free_bytes(path: &Path) -> Option<u64> {
    let vfs = rustix::fs::statvfs(path.parent()?).ok()?;
    vfs.f_bavail.checked_mul(vfs.f_frsize)
}

fn check_folder(folder: &Path) -> Result<(), StoreError> {
    let metadata = std::fs::metadata(folder).map_err(|error| io("look at", folder, error))?;
    let not_ours = |why: String, hint| StoreError::NotOurs { path: folder.to_path_buf(), why, hint };
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us && metadata.uid() != 0 {
        let why = format!("belongs to uid {}, and this is uid {us}", metadata.uid());
        return Err(not_ours(why, "point --state-dir at a folder of your own".to_string()));
    }
    let mode = metadata.mode();
    let sticky = mode & 0o1000 != 0;
    if mode & 0o002 != 0 && !sticky {
        let hint = format!("run `chmod 700 {0}`, or use a folder in it: {0}/sfmint", folder.display());
        return Err(not_ours("can be written by everybody".to_string(), hint));
    }
    if mode & 0o020 != 0 && !sticky && !is_our_group(metadata.gid()) {
        let why = format!("can be written by group {}, which this process is not in", metadata.gid());
        return Err(not_ours(why, format!("run `chmod g-w {}`", folder.display())));
    }
    Ok(())
}

fn is_our_group(gid: u32) -> bool {
    rustix::process::getegid().as_raw() == gid
        || rustix::process::getgroups().is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid))
}

/// Refuses links, other users' files, and files that everybody may write; narrows the rest to 0600, which
/// a volume mounted for a group (Kubernetes `fsGroup`) widens at every mount.
fn check_file(path: &Path) -> Result<Option<FileId>, StoreError> {
    let metadata = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("look at", path, error)),
    };
    let not_ours = |why: &str, hint: String| {
        Err(StoreError::NotOurs { path: path.to_path_buf(), why: why.to_string(), hint })
    };
    let us = rustix::process::geteuid().as_raw();
    if metadata.is_symlink() {
        return not_ours(
            "is a symbolic link",
            "name the file itself in `store = { sqlite = ... }`".to_string(),
        );
    }
    if !metadata.is_file() {
        return not_ours("is not a file", "name another file in `store = { sqlite = ... }`".to_string());
    }
    if metadata.uid() != us {
        let why = format!("belongs to uid {}, and this is uid {us}", metadata.uid());
        return not_ours(&why, format!("run sfmint as uid {}, or with another --state-dir", metadata.uid()));
    }
    if metadata.mode() & 0o002 != 0 {
        return not_ours("can be written by everybody", format!("run `chmod 600 {}`", path.display()));
    }
    if metadata.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(0o600))
            .map_err(|error| io("make private", path, error))?;
    }
    Ok(Some(FileId::of(&metadata)))
}

#[cfg(target_os = "linux")]
fn journal_on(folder: &Path) -> Journal {
    rustix::fs::statfs(folder).map_or(Journal::Delete, |fs| journal_for(fs.f_type as u32))
}

#[cfg(not(target_os = "linux"))]
fn journal_on(_folder: &Path) -> Journal {
    Journal::Wal
}

/// Decides by the file system's magic number (statfs(2)): WAL wants memory that all who open the file
/// share, and on these another machine, or another kernel, may be among them.
#[cfg(target_os = "linux")]
fn journal_for(magic: u32) -> Journal {
    const SHARED: [(u32, &str); 11] = [
        (0x6969, "nfs"),
        (0x517b, "smb"),
        (0xff53_4d42, "cifs"),
        (0xfe53_4d42, "smb2"),
        (0x0102_1997, "9p"),
        (0x5346_414f, "afs"),
        (0x00c3_6400, "ceph"),
        (0x6573_5546, "fuse"),
        (0x0bd0_0bd0, "lustre"),
        (0x4750_4653, "gpfs"),
        (0x7461_636f, "ocfs2"),
    ];
    match SHARED.iter().any(|(known, _)| *known == magic) {
        true => Journal::Delete,
        false => Journal::Wal,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    // faults B10
    #[test]
    fn network_file_systems_get_no_write_ahead_log() {
        for magic in [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x6573_5546] {
            assert_eq!(journal_for(magic), Journal::Delete, "{magic:x}");
        }
        for (local, magic) in
            [("ext4", 0xef53), ("xfs", 0x5846_5342), ("tmpfs", 0x0102_1994), ("overlay", 0x794c_7630)]
        {
            assert_eq!(journal_for(magic), Journal::Wal, "{local}");
        }
    }

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

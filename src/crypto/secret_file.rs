use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::{getegid, geteuid, getgroups};
use zeroize::Zeroizing;

use super::{CertificateMistake, KeyMistake};
use crate::base::Secret;

/// Most that is read of a key, certificate or secret. Bytes; a 8192-bit key with its chain is 20,000.
pub const MOST_BYTES: usize = 1 << 20;

/// What a file looked like, cheap to ask for (one `stat`): equal stamps, equal content.
///
/// The change time is part of it, so that a file copied with its old modification time is still new, and so
/// that a `chmod` is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileStamp {
    /// The stamp of the file that `path` leads to now, through symbolic links.
    ///
    /// # Errors
    ///
    /// Those of `stat`.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::new(&std::fs::metadata(path)?))
    }

    fn new(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// A file that was read, kept open: as long as it is held, no other file can get its stamp by getting its inode.
#[derive(Debug)]
pub struct HeldFile {
    _file: File,
    stamp: FileStamp,
}

impl HeldFile {
    /// Its stamp when it was read.
    pub fn stamp(&self) -> FileStamp {
        self.stamp
    }
}

/// Reads a file that holds a secret, after making sure that nobody else can.
///
/// # Shape
///
/// Symbolic links are followed, as Kubernetes needs; every check is made on the file that was opened.
/// Out: the bytes, and the file they are from.
///
/// # Limits
///
/// 1 MiB, regular files only; never waits on a pipe or device.
///
/// # Errors
///
/// [`KeyMistake::ReadableByOthers`], [`KeyMistake::ForeignOwner`], [`KeyMistake::OpenDirectory`]: *denied*;
/// [`KeyMistake::Changing`] where it was written to meanwhile: *transient*; the rest *misuse* or *disk*.
pub fn read_secret_file(path: &Path) -> Result<(Secret<Vec<u8>>, HeldFile), KeyMistake> {
    let (file, meta) = open_regular(path).map_err(|why| match why {
        NotOpened::Io(error) => KeyMistake::io(error),
        NotOpened::NotAFile(what) => KeyMistake::NotAFile(what),
    })?;
    let mut groups = getgroups().map_err(|error| KeyMistake::Io(error.into()))?;
    groups.push(getegid());
    let groups: Vec<u32> = groups.iter().map(|group| group.as_raw()).collect();
    permitted(meta.mode(), meta.uid(), meta.gid(), geteuid().as_raw(), &groups)?;
    closed_directory(path)?;
    let bytes = read_capped(&file, meta.size()).map_err(KeyMistake::Io)?;
    let bytes = bytes.ok_or(KeyMistake::TooLong(MOST_BYTES))?;
    let stamp = FileStamp::new(&meta);
    if FileStamp::new(&file.metadata().map_err(KeyMistake::Io)?) != stamp {
        return Err(KeyMistake::Changing);
    }
    Ok((Secret::new("secret file", bytes), HeldFile { _file: file, stamp }))
}

/// Reads a file that is public, such as a certificate. Same limits, no permission checks.
///
/// # Errors
///
/// [`CertificateMistake::NoFile`], [`NotAFile`](CertificateMistake::NotAFile), [`TooLong`](CertificateMistake::TooLong): *misuse*;
/// [`Io`](CertificateMistake::Io).
pub fn read_public_file(path: &Path) -> Result<(Vec<u8>, HeldFile), CertificateMistake> {
    let (file, meta) = open_regular(path).map_err(|why| match why {
        NotOpened::Io(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => CertificateMistake::NoFile,
            _ => CertificateMistake::Io(error),
        },
        NotOpened::NotAFile(what) => CertificateMistake::NotAFile(what),
    })?;
    let bytes = read_capped(&file, meta.size()).map_err(CertificateMistake::Io)?;
    let bytes = bytes.ok_or(CertificateMistake::TooLong(MOST_BYTES))?;
    Ok((bytes, HeldFile { _file: file, stamp: FileStamp::new(&meta) }))
}

/// Who may have access to a secret file: its owner, who is us or root, and to read it, a group of ours
/// (a Kubernetes secret volume belongs to root and to the pod's `fsGroup`) or root's own (systemd's `LoadCredential=`
/// gives root's files to the service by an access control list, whose mask shows as the group's bits: 0440).
fn permitted(mode: u32, owner: u32, group: u32, user: u32, groups: &[u32]) -> Result<(), KeyMistake> {
    let mode = mode & 0o7777;
    if owner != user && owner != 0 {
        return Err(KeyMistake::ForeignOwner { owner, user });
    }
    if mode & 0o022 != 0 {
        return Err(KeyMistake::ReadableByOthers { how: "changed", mode });
    }
    let trusted = groups.contains(&group) || (owner == 0 && group == 0);
    if mode & 0o004 != 0 || (mode & 0o040 != 0 && !trusted) {
        return Err(KeyMistake::ReadableByOthers { how: "read", mode });
    }
    Ok(())
}

/// A directory that everybody may write to (without the sticky bit) lets everybody put another key there.
fn closed_directory(path: &Path) -> Result<(), KeyMistake> {
    let resolved = std::fs::canonicalize(path).map_err(KeyMistake::io)?;
    let Some(directory) = resolved.parent() else { return Ok(()) };
    let mode = std::fs::metadata(directory).map_err(KeyMistake::io)?.mode();
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        return Err(KeyMistake::OpenDirectory(directory.to_path_buf()));
    }
    Ok(())
}

enum NotOpened {
    Io(io::Error),
    NotAFile(&'static str),
}

/// Opens without waiting (a pipe would block until somebody writes), then looks at what was opened.
fn open_regular(path: &Path) -> Result<(File, Metadata), NotOpened> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    // Asked first by name, because to open some devices is to act on them.
    regular(&std::fs::metadata(path).map_err(NotOpened::Io)?)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(NotOpened::Io)?;
    let meta = file.metadata().map_err(NotOpened::Io)?;
    regular(&meta)?;
    Ok((file, meta))
}

fn regular(meta: &Metadata) -> Result<(), NotOpened> {
    let kind = meta.file_type();
    Err(NotOpened::NotAFile(match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }))
}

/// The content, or `None` where it is longer than [`MOST_BYTES`]. Room is made beforehand: a buffer that grows
/// leaves copies behind.
fn read_capped(file: &File, size: u64) -> io::Result<Option<Vec<u8>>> {
    let expected = usize::try_from(size).unwrap_or(MOST_BYTES).min(MOST_BYTES);
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected + 1));
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= MOST_BYTES).then(|| std::mem::take(&mut *bytes)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    // faults C13
    #[test]
    fn who_may_have_access_to_a_key_is_a_table() {
        let (us, groups) = (1000, [1000, 2000]);
        let fine = [
            (0o600, 1000, 1000),
            (0o400, 1000, 7),
            (0o400, 0, 0),
            (0o440, 0, 2000),
            (0o440, 0, 0),
            (0o640, 1000, 1000),
        ];
        for (mode, owner, group) in fine {
            assert!(permitted(mode, owner, group, us, &groups).is_ok(), "{mode:o} {owner} {group}");
        }
        let refused = [
            (0o644, 1000, 1000),
            (0o604, 1000, 1000),
            (0o444, 0, 0),
            (0o640, 1000, 7),
            (0o660, 1000, 1000),
            (0o602, 0, 0),
        ];
        for (mode, owner, group) in refused {
            let mistake = permitted(mode, owner, group, us, &groups).unwrap_err();
            assert!(
                matches!(mistake, KeyMistake::ReadableByOthers { .. }),
                "{mode:o} {owner} {group}: {mistake}"
            );
        }
        let foreign = permitted(0o600, 1001, 1000, us, &groups).unwrap_err();
        assert!(matches!(foreign, KeyMistake::ForeignOwner { owner: 1001, user: 1000 }));
    }

    fn file(mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        std::fs::write(&path, "content").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    // faults C14
    #[test]
    fn a_symlink_is_judged_by_what_it_leads_to() {
        let (dir, path) = file(0o644);
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(matches!(read_secret_file(&link), Err(KeyMistake::ReadableByOthers { mode: 0o644, .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_secret_file(&link).unwrap().0.expose(), b"content");
    }

    #[test]
    fn a_directory_open_to_all_is_refused_and_a_sticky_one_is_not() {
        let (dir, path) = file(0o600);
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(read_secret_file(&path), Err(KeyMistake::OpenDirectory(_))));
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(read_secret_file(&path).is_ok());
    }

    #[test]
    fn what_is_no_regular_file_is_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        let mistake = |path: &Path| read_secret_file(path).unwrap_err().to_string();
        assert_eq!(mistake(&pipe), "is a pipe, not a regular file");
        assert_eq!(mistake(dir.path()), "is a directory, not a regular file");
        assert_eq!(mistake(Path::new("/dev/zero")), "is a device, not a regular file");
        assert_eq!(mistake(&dir.path().join("nothing")), "does not exist");
        assert_eq!(mistake(Path::new("/dev/null/below")), "does not exist");
    }

    #[test]
    fn a_file_longer_than_any_key_is_refused() {
        let (_dir, path) = file(0o600);
        File::options().write(true).open(&path).unwrap().set_len(1 << 30).unwrap();
        assert!(matches!(read_secret_file(&path), Err(KeyMistake::TooLong(MOST_BYTES))));
        assert!(matches!(read_public_file(&path), Err(CertificateMistake::TooLong(MOST_BYTES))));
    }
}

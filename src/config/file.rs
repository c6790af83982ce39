use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::document::Role;
use super::{ConfigError, Origin};

/// The largest config file that is read. Bytes.
///
/// A connection takes about 400 bytes; this is room for 2,500 of them in one file, and little enough that a
/// log or a disk image named by mistake is refused at once.
pub(super) const LARGEST: u64 = 1024 * 1024;

/// Whose a file must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MustBe {
    /// Anybody's, as long as nobody else can write it.
    Safe,
    /// The user's own: it lay in the current directory.
    Mine,
    /// The user's own or root's: its folder can be written by others.
    MineOrRoots,
}

/// A config file's text, and where it stands.
pub(super) struct SourceFile {
    /// As the user named it.
    pub path: Arc<Path>,
    /// What relative paths in it start from. Absolute.
    pub base: PathBuf,
    pub text: String,
    /// What it may hold.
    pub role: Role,
    line_starts: Vec<usize>,
}

impl SourceFile {
    pub fn new(path: &Path, base: PathBuf, text: String) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.into(), base, text, role: Role::Main, line_starts }
    }

    /// The same file, for what it may hold.
    pub fn of_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// The place of a byte range's start, as people count: from 1, in characters.
    pub fn place(&self, span: Range<usize>) -> Origin {
        let at = span.start.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= at);
        let start = self.line_starts[line - 1];
        let column = self
            .text
            .get(start..at)
            .map_or(0, |before| before.trim_start_matches('\u{feff}').chars().count());
        Origin::File { path: self.path.clone(), line, column: column + 1 }
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({}, {} bytes)", self.path.display(), self.text.len())
    }
}

/// Reads a config file; `None` where there is none.
///
/// Owner and mode are those of the opened file, not of its name, so nobody can swap it between look and read.
pub(super) fn read(path: &Path, must_be: MustBe) -> Result<Option<SourceFile>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.into(), source };
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return match std::fs::read_link(path) {
                Ok(target) => Err(ConfigError::DanglingLink { path: path.into(), target }),
                Err(_) => Ok(None),
            };
        }
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        let found = if metadata.is_dir() { "a folder" } else { "a pipe or device" };
        return Err(ConfigError::NotAFile { path: path.into(), found });
    }
    trusted(path, &metadata, must_be)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(ConfigError::TooLarge { path: path.into(), limit: LARGEST });
    }
    let text =
        String::from_utf8(bytes).map_err(|error| not_text(path, error.as_bytes(), error.utf8_error()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let base = std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    Ok(Some(SourceFile::new(path, base.map_err(unreadable)?, text)))
}

fn not_text(path: &Path, bytes: &[u8], error: std::str::Utf8Error) -> ConfigError {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let before = &bytes[..error.valid_up_to()];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    ConfigError::NotText { path: path.into(), line: (!utf16).then_some(line) }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // A pipe without a writer would keep us waiting for ever.
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(unix)]
fn trusted(path: &Path, metadata: &Metadata, must_be: MustBe) -> Result<(), ConfigError> {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    let whose = Whose { owner: metadata.uid(), group: metadata.gid(), mode: metadata.mode() & 0o7777 };
    let me = Whose { owner: user, group: rustix::process::getegid().as_raw(), mode: 0 };
    let mine = |owner| match must_be {
        MustBe::Safe => true,
        MustBe::Mine => owner == user,
        MustBe::MineOrRoots => owner == user || owner == 0,
    };
    // The link itself must be ours as well: whoever laid it chose the file.
    let link = std::fs::symlink_metadata(path).map_or(whose.owner, |link| link.uid());
    if let Some(owner) = [whose.owner, link].into_iter().find(|owner| !mine(*owner)) {
        return Err(ConfigError::NotYours { path: path.into(), owner, user });
    }
    match whose.others_can_write(&me) {
        true => Err(ConfigError::WritableByOthers { path: path.into(), mode: whose.mode }),
        false => Ok(()),
    }
}

#[cfg(not(unix))]
fn trusted(_path: &Path, _metadata: &Metadata, _must_be: MustBe) -> Result<(), ConfigError> {
    Ok(())
}

/// Whether a folder can be written by others, so that any file in it may have been laid there.
/// Kubernetes mounts its volumes so.
pub(super) fn folder_is_shared(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(folder).is_ok_and(|metadata| metadata.mode() & 0o022 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        false
    }
}

#[cfg(unix)]
struct Whose {
    owner: u32,
    group: u32,
    mode: u32,
}

#[cfg(unix)]
impl Whose {
    /// Whether somebody else can write it. A group that is the user's alone, by the custom that it bears the
    /// user's number (umask 002 goes with it), is nobody else.
    fn others_can_write(&self, me: &Whose) -> bool {
        let own_group = self.group == me.group && me.group == me.owner && self.owner == me.owner;
        self.mode & 0o002 != 0 || self.mode & 0o020 != 0 && !own_group
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn who_can_write_a_file_is_read_from_its_mode() {
        let me = Whose { owner: 1000, group: 1000, mode: 0 };
        for (owner, group, mode, refused) in [
            (1000, 1000, 0o600, false),
            (1000, 1000, 0o644, false),
            (1000, 1000, 0o664, false),
            (1000, 100, 0o664, true),
            (0, 0, 0o644, false),
            (0, 1000, 0o464, true),
            (1000, 1000, 0o646, true),
            (1000, 1000, 0o666, true),
            (0, 0, 0o1777, true),
        ] {
            let whose = Whose { owner, group, mode };
            assert_eq!(whose.others_can_write(&me), refused, "{owner}:{group} {mode:o}");
        }
    }

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let file = SourceFile::new(Path::new("c.toml"), PathBuf::new(), "é = 1\nü = x\n".into());
        for (at, expected) in
            [(0, "c.toml:1:1"), (3, "c.toml:1:3"), (7, "c.toml:2:1"), (12, "c.toml:2:5"), (99, "c.toml:3:1")]
        {
            assert_eq!(file.place(at..at).to_string(), expected, "{at}");
        }
    }
}

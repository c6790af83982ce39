use std::fs::{File, OpenOptions, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Seek};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file that appears whole, or not at all: it is written under another name beside its place, and renamed.
///
/// Dropped before [`finish`](Self::finish), it leaves nothing behind. The other name is drawn anew each time, so that
/// what a killed process left is in nobody's way.
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file for `path`, which holds what it held until the end. `mode` is what the file has from its
    /// first byte.
    pub fn begin(path: &Path, mode: u32) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
        let drawn = RandomState::new().build_hasher().finish();
        let beside = path.with_file_name(format!(".{}.{drawn:016x}.part", name.to_string_lossy()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        let whole = Self { file, beside, path: path.to_path_buf() };
        // Past the umask, which is for files without a mode of their own.
        whole.file.set_permissions(Permissions::from_mode(mode))?;
        Ok(whole)
    }

    /// How much was written. Bytes.
    pub fn written(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Takes back what was written after the first `length` bytes.
    pub fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(io::SeekFrom::Start(length)).map(|_| ())
    }

    /// To the disk, and to its place.
    pub fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.beside, &self.path)
    }
}

impl io::Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    /// What was not finished is not left behind; a finished file has been renamed.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.beside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing_and_two_at_once_are_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let mut first = WholeFile::begin(&path, 0o640).unwrap();
        let second = WholeFile::begin(&path, 0o600).unwrap();
        first.write_all(b"Id\n").unwrap();
        assert!(!path.exists());
        first.finish().unwrap();
        drop(second);
        assert_eq!(std::fs::read(&path).unwrap(), b"Id\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

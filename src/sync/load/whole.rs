use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file that appears whole, or not at all: written beside its place, and renamed.
///
/// One process at a time works in a results folder, so the other name is always the same, and what a killed process left
/// is written over.
#[derive(Debug)]
pub(super) struct Whole {
    file: io::BufWriter<File>,
    beside: PathBuf,
    path: PathBuf,
}

impl Whole {
    pub fn begin(path: &Path) -> io::Result<Self> {
        let mut beside = path.as_os_str().to_os_string();
        beside.push(".part");
        let file = io::BufWriter::with_capacity(256 * 1024, File::create(&beside)?);
        Ok(Self { file, beside: beside.into(), path: path.to_path_buf() })
    }

    /// How much was written so far.
    pub fn mark(&mut self) -> io::Result<u64> {
        self.file.stream_position()
    }

    /// Takes back what was written after `mark`.
    pub fn cut_back(&mut self, mark: u64) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().set_len(mark)?;
        self.file.seek(SeekFrom::Start(mark)).map(|_| ())
    }

    /// To the disk, and to its place, which is on the disk as well then.
    pub fn finish(self) -> io::Result<()> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        std::fs::rename(&self.beside, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

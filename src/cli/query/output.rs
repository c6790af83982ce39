use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::base::Fault;
use crate::cli::Exit;
use crate::cli::report::{Complaint, told};
use crate::cli::whole_file::WholeFile;

/// Where rows go: stdout, a file that appears when it is whole, or what is no file and is written to as it is.
pub enum Output {
    Stdout(BufWriter<io::Stdout>),
    File { writer: BufWriter<WholeFile>, path: PathBuf },
    Straight { writer: BufWriter<File>, path: PathBuf },
}

impl Output {
    /// Opens the file that was named, or stdout.
    pub fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Stdout(BufWriter::new(io::stdout()))) };
        Self::at(path).map_err(|error| unwritable(path, error))
    }

    /// How much was written so far, where what was written can be taken back; `None` where it cannot.
    pub fn mark(&mut self) -> io::Result<Option<u64>> {
        match self {
            Output::File { writer, .. } => {
                writer.flush()?;
                writer.get_ref().written().map(Some)
            }
            Output::Stdout(_) | Output::Straight { .. } => Ok(None),
        }
    }

    /// Takes back what was written since `mark`.
    pub fn cut_back(&mut self, mark: u64) -> io::Result<()> {
        match self {
            Output::File { writer, .. } => {
                writer.flush()?;
                writer.get_mut().cut(mark)
            }
            Output::Stdout(_) | Output::Straight { .. } => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// A symbolic link is followed: the file it points to is replaced, and the link stays. A new file is its owner's
    /// alone; one that is replaced hands on its mode.
    fn at(path: &Path) -> io::Result<Self> {
        let there = match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            there => Some(there?),
        };
        // Descriptors, pipes and devices are places that no rename reaches.
        let is_place = path.starts_with("/dev") || path.starts_with("/proc");
        match there {
            Some(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Some(there) if is_place || !there.is_file() => {
                let file = OpenOptions::new().append(true).open(path)?;
                Ok(Self::Straight { writer: BufWriter::new(file), path: path.to_path_buf() })
            }
            _ => {
                let target = match (path.is_symlink(), &there) {
                    (true, Some(_)) => std::fs::canonicalize(path)?,
                    (true, None) => path.with_file_name(std::fs::read_link(path)?.as_os_str()),
                    (false, _) => path.to_path_buf(),
                };
                let mode = there.map_or(0o600, |there| there.permissions().mode() & 0o777);
                let file = WholeFile::begin(&target, mode)?;
                Ok(Self::File { writer: BufWriter::new(file), path: path.to_path_buf() })
            }
        }
    }

    /// Where to write.
    pub fn writer(&mut self) -> &mut dyn Write {
        match self {
            Output::Stdout(writer) => writer,
            Output::File { writer, .. } => writer,
            Output::Straight { writer, .. } => writer,
        }
    }

    /// What a failed write means: a pipe that was closed is no error.
    pub fn failed(&self, error: io::Error) -> anyhow::Result<Exit> {
        match self {
            Output::Stdout(_) | Output::Straight { .. } if error.kind() == io::ErrorKind::BrokenPipe => {
                Ok(Exit::Done)
            }
            Output::Stdout(_) => Err(unwritable(Path::new("stdout"), error)),
            Output::File { path, .. } | Output::Straight { path, .. } => Err(unwritable(path, error)),
        }
    }

    /// All is written: the file takes its place.
    pub fn end(mut self) -> anyhow::Result<Exit> {
        match self.writer().flush() {
            Err(error) => self.failed(error),
            Ok(()) => match self {
                Output::Stdout(_) | Output::Straight { .. } => Ok(Exit::Done),
                Output::File { writer, path } => writer
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)
                    .and_then(WholeFile::finish)
                    .map(|()| Exit::Done)
                    .map_err(|error| unwritable(&path, error)),
            },
        }
    }
}

fn unwritable(path: &Path, error: io::Error) -> anyhow::Error {
    let says = format!("{} cannot be written", path.display());
    told(Complaint::new("output.unwritable", Fault::Disk, says).because(error))
}

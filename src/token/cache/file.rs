use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::warn;
use zeroize::Zeroizing;

use crate::base::{Clock, Connection, Explain, Fault, Hint};

use super::Record;

/// The most a record may be. Bytes. A JWT-format token with all its scopes stays below a tenth of it.
const MAX_RECORD: u64 = 64 * 1024;

/// Where records are kept below the state directory.
const FOLDER: &str = "tokens";

/// Why no cache file can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// Somebody else could put a token there, or read ours.
    #[error("{path} {why}")]
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It cannot be made or written.
    #[error("{path} cannot be written")]
    Unwritable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Explain for CacheError {
    fn fault(&self) -> Fault {
        match self {
            CacheError::Unsafe { .. } => Fault::Denied,
            CacheError::Unwritable { .. } => Fault::Disk,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            CacheError::Unsafe { .. } => "state.unsafe",
            CacheError::Unwritable { .. } => "state.unwritable",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            CacheError::Unsafe { path, .. } => vec![Hint::new(format!(
                "make it yours alone: `chmod 700 {}` as its owner, or name another with --state-dir",
                path.display()
            ))],
            CacheError::Unwritable { .. } => vec![Hint::new(
                "name a state directory that can be written with --state-dir or SFMINT_STATE_DIR",
            )],
        }
    }
}

/// The record of one connection in a file of mode 0600, and the lock that goes with it.
///
/// Written whole to a new file that is renamed over the old one, so no reader sees a half. No fsync: after a
/// power cut the worst is a mint.
#[derive(Debug)]
pub struct FileCache {
    key: String,
    path: PathBuf,
    lock: PathBuf,
}

/// The lock on a record. Dropped with the process, however that ends.
#[derive(Debug)]
pub struct Guard(#[allow(dead_code)] File);

impl FileCache {
    /// The cache of `connection` in `folder`, which `token_folder` made safe.
    pub fn new(folder: &Path, connection: &Connection) -> Self {
        let key = Record::key(connection);
        Self { path: folder.join(format!("{key}.json")), lock: folder.join(format!("{key}.lock")), key }
    }

    /// Where the record is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the record; an empty one where there is none.
    ///
    /// A record that is damaged, of another version, or not ours alone is set aside with a warning.
    pub fn read(&self, connection: &Connection, clock: &dyn Clock) -> Record {
        let why = match read_ours(&self.path) {
            Ok(None) => return Record::default(),
            Ok(Some(bytes)) => match Record::from_bytes(&bytes, &self.key, connection, clock) {
                Ok(record) => return record,
                Err(why) => why,
            },
            Err(why) => why,
        };
        let aside = self.path.with_extension("json.damaged");
        let moved = fs::rename(&self.path, &aside);
        warn!(
            connection.name = %connection.name,
            "the kept token of `{}` was set aside ({}): {why}",
            connection.name,
            if moved.is_ok() { aside.display() } else { self.path.display() }
        );
        Record::default()
    }

    /// Writes the record whole. The caller holds the lock.
    ///
    /// # Errors
    ///
    /// [`CacheError::Unwritable`]: the disk is full, gone, or read-only; what was there before is still there.
    pub fn write(&self, record: &Record, _guard: &Guard) -> Result<(), CacheError> {
        // One name for all: the lock is held, and what a killed process left is written over.
        let new = self.path.with_extension("json.new");
        let written =
            write_new(&new, &record.to_bytes(&self.key)).and_then(|()| fs::rename(&new, &self.path));
        written.map_err(|source| {
            let _ = fs::remove_file(&new);
            CacheError::Unwritable { path: self.path.clone(), source }
        })
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    ///
    /// [`CacheError::Unwritable`]: the lock file cannot be made.
    pub fn try_lock(&self) -> Result<Option<Guard>, CacheError> {
        let unwritable = |source| CacheError::Unwritable { path: self.lock.clone(), source };
        let file = open_ours(&self.lock).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Guard(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unwritable(error)),
        }
    }
}

/// How long to wait before asking for the lock for the `n`th time: 2 ms at first, 50 ms at most.
pub(crate) fn lock_pause(n: u32) -> Duration {
    Duration::from_millis(2 << n.min(5)).min(Duration::from_millis(50))
}

/// The folder of records below a state directory, made if need be (mode 0700), and safe.
///
/// # Errors
///
/// - [`CacheError::Unsafe`]: it belongs to somebody else, or others can reach into it. *Denied*.
/// - [`CacheError::Unwritable`]: it cannot be made: a read-only or full disk. *Disk*.
pub fn token_folder(state_dir: &Path) -> Result<PathBuf, CacheError> {
    let path = state_dir.join(FOLDER);
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let metadata = builder.create(&path).and_then(|()| fs::symlink_metadata(&path));
    let metadata = metadata.map_err(|source| CacheError::Unwritable { path: path.clone(), source })?;
    is_ours(&metadata).map_err(|why| CacheError::Unsafe { path: path.clone(), why })?;
    Ok(path)
}

#[cfg(unix)]
fn is_ours(metadata: &fs::Metadata) -> Result<(), &'static str> {
    use std::os::unix::fs::MetadataExt;
    if metadata.is_symlink() {
        Err("is a symbolic link")
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        Err("belongs to another user")
    } else if metadata.mode() & 0o077 != 0 {
        Err("can be reached by other users")
    } else {
        Ok(())
    }
}

#[cfg(not(unix))]
fn is_ours(_: &fs::Metadata) -> Result<(), &'static str> {
    Ok(())
}

/// Opens for reading and writing, made 0600 where it is missing; never through a link.
pub(super) fn open_ours(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    owned(&mut options);
    let file = options.open(path)?;
    is_ours(&file.metadata()?).map_err(io::Error::other)?;
    Ok(file)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owned(&mut options);
    let mut file = match options.open(path) {
        // Left by a process that was killed while it wrote.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            options.open(path)?
        }
        opened => opened?,
    };
    file.write_all(bytes)
}

#[cfg(unix)]
fn owned(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
}

#[cfg(not(unix))]
fn owned(_: &mut OpenOptions) {}

/// Reads a file that must be ours alone; `None` where there is none.
fn read_ours(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let mut options = OpenOptions::new();
    options.read(true);
    owned(&mut options);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    is_ours(&metadata).map_err(|why| format!("it {why}"))?;
    if !metadata.is_file() || metadata.len() > MAX_RECORD {
        return Err("it is no file that sfmint wrote".into());
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1));
    file.take(MAX_RECORD).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(Some(bytes))
}

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};

use super::{Certificate, PrivateKey};
use crate::base::{Explain, Fault, Hint, printable};

/// A key or certificate that was not written. Nothing is left behind, and nothing was replaced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// There is a file of this name. *Misuse.*
    #[error("{} is there already, and is not replaced", printable(&.path.to_string_lossy(), 400))]
    Exists {
        /// Its path.
        path: PathBuf,
    },
    /// The disk said no. *Disk*, or *denied* for permissions.
    #[error("{} cannot be written", printable(&.path.to_string_lossy(), 400))]
    Io {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Explain for WriteError {
    fn fault(&self) -> Fault {
        match self {
            WriteError::Exists { .. } => Fault::Misuse,
            WriteError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Fault::Denied
            }
            WriteError::Io { .. } => Fault::Disk,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            WriteError::Exists { .. } => "key.exists",
            WriteError::Io { .. } => "key.unwritable",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            WriteError::Exists { .. } => {
                vec![Hint::new("choose another directory, or move the old file away")]
            }
            WriteError::Io { .. } => Vec::new(),
        }
    }
}

/// Writes a private key: PKCS#8 in PEM, mode 0600 from its first moment, whole or not at all.
///
/// An existing file is never replaced: a lost private key cannot be made again.
///
/// # Errors
///
/// [`WriteError::Exists`]: *misuse*; [`WriteError::Io`]: *disk*.
pub fn write_key_file(path: &Path, key: &PrivateKey) -> Result<(), WriteError> {
    publish(path, key.pkcs8_pem().expose().as_bytes(), 0o600)
}

/// Writes a certificate in PEM, mode 0644, whole or not at all.
///
/// # Errors
///
/// Those of [`write_key_file`].
pub fn write_certificate_file(path: &Path, certificate: &Certificate) -> Result<(), WriteError> {
    publish(path, certificate.pem().as_bytes(), 0o644)
}

/// Beside the target under another name, to the disk, then given its own.
fn publish(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => WriteError::Exists { path: path.to_path_buf() },
        _ => WriteError::Io { path: path.to_path_buf(), source },
    };
    if path.symlink_metadata().is_ok() {
        return Err(WriteError::Exists { path: path.to_path_buf() });
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let unnamed = || failed(io::Error::from(io::ErrorKind::InvalidInput));
    let name = path.file_name().ok_or_else(unnamed)?.to_string_lossy();
    let (temporary, mut file) = temporary(directory, &name, mode).map_err(failed)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| give_name(&temporary, path))
        .and_then(|()| File::open(directory)?.sync_all());
    let removed = match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    written.and(removed).map_err(failed)
}

/// A new file that nobody else has; steps aside for what a crash left behind.
fn temporary(directory: &Path, name: &str, mode: u32) -> io::Result<(PathBuf, File)> {
    let mut attempt = 0;
    loop {
        let path = directory.join(format!(".{name}.{}-{attempt}.new", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).mode(mode).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// `link` refuses a name that is taken; a file system without links gets a rename, its name looked up before.
fn give_name(temporary: &Path, path: &Path) -> io::Result<()> {
    match std::fs::hard_link(temporary, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => std::fs::rename(temporary, path),
        linked => linked,
    }
}

/// RFC 7468: the base64 of `der` in lines of 64, between a BEGIN and an END line.
pub(super) fn armor(label: &str, der: &[u8]) -> String {
    let mut out = String::with_capacity(der.len() * 3 / 2 + 2 * label.len() + 64);
    out.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut line = [0; 64];
    for chunk in der.chunks(48) {
        out.push_str(Base64::encode(chunk, &mut line).unwrap_or_default());
        out.push('\n');
    }
    zeroize::Zeroize::zeroize(&mut line);
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

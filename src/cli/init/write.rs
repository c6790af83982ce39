use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::base::Fault;

use super::super::report::{Complaint, told};
use super::super::whole_file::WholeFile;

/// A file that is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Relative to the folder.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Writes files into a folder: what is missing, and what is exactly as an earlier run wrote it (`ours`).
///
/// Anything else that is there stays, and nothing at all is written then. Back come the paths that were written.
///
/// # Errors
///
/// `init.exists`: every file that is in the way. *Misuse*.
pub fn all(folder: &Path, files: &[Handed], ours: &[Handed]) -> anyhow::Result<Vec<PathBuf>> {
    let mut due = Vec::new();
    let mut in_the_way = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => due.push((path, file)),
            Err(error) => return Err(failed(&path, error)),
            Ok(found) if found == file.bytes => {}
            Ok(found) if ours.iter().any(|old| old.path == file.path && old.bytes == found) => {
                due.push((path, file))
            }
            Ok(_) => in_the_way.push(path.display().to_string()),
        }
    }
    if !in_the_way.is_empty() {
        let says = format!("{} would be replaced, and somebody changed it", in_the_way.join(", "));
        return Err(told(
            Complaint::new("init.exists", Fault::Misuse, says)
                .hint("move it away, or write to another folder with --out-dir"),
        ));
    }
    for (path, file) in &due {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
        }
        replace(path, &file.bytes)?;
    }
    Ok(due.into_iter().map(|(path, _)| path).collect())
}

/// Writes a public file whole: under another name, to the disk, then by rename.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        let mut file = WholeFile::begin(path, 0o644)?;
        file.write_all(bytes)?;
        file.finish()
    };
    write().map_err(|error| failed(path, error))
}

/// Writes a public file that must not be there yet.
pub fn new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
    }
    if path.symlink_metadata().is_ok() {
        let says = format!("{} is there already, and is not replaced", path.display());
        return Err(told(Complaint::new("init.exists", Fault::Misuse, says)));
    }
    replace(path, bytes)
}

/// Makes a folder that only its owner looks into, below folders that anybody may.
pub fn private_folder(path: &Path) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(path, error)),
        _ => Ok(()),
    }
}

/// Config folders end up in repositories; keys must not.
pub fn keep_keys_out_of_git(folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(".gitignore");
    match path.exists() {
        true => Ok(()),
        false => replace(&path, b"*.key\n"),
    }
}

/// A disk that said no.
pub fn failed(path: &Path, error: io::Error) -> anyhow::Error {
    let fault = match error.kind() {
        io::ErrorKind::PermissionDenied => Fault::Denied,
        _ => Fault::Disk,
    };
    told(
        Complaint::new("init.unwritable", fault, format!("{} cannot be used", path.display())).because(error),
    )
}

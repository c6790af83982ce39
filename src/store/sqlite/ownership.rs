use std::fs::{Metadata, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::trouble::io;
use crate::base::Intruder;
use crate::store::StoreError;

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

/// Refuses a folder in which others could put files of theirs.
pub(super) fn check_folder(folder: &Path) -> Result<(), StoreError> {
    let metadata = std::fs::metadata(folder).map_err(|error| io("look at", folder, error))?;
    let (us, mode) = (rustix::process::geteuid().as_raw(), metadata.mode());
    match Intruder::of(metadata.uid(), metadata.gid(), mode, us, is_our_group) {
        None => Ok(()),
        Some(intruder) => Err(StoreError::NotOurs {
            path: folder.to_path_buf(),
            why: intruder.to_string(),
            hint: intruder.hint(&folder.display().to_string()),
        }),
    }
}

fn is_our_group(gid: u32) -> bool {
    rustix::process::getegid().as_raw() == gid
        || rustix::process::getgroups().is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid))
}

/// Refuses links, other users' files, and files that everybody may write; narrows the rest to 0600, which
/// a volume mounted for a group (Kubernetes `fsGroup`) widens at every mount.
pub(super) fn check_file(path: &Path) -> Result<Option<FileId>, StoreError> {
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

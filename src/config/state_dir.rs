use std::io;
use std::path::{Path, PathBuf};

use crate::base::{Finding, Hint, Intruder, Level};

use super::Environment;
use super::locations::{self, Flags};
use super::origin::{Sourced, shown};

/// The state directory, made ready; `None` where there is none, which is then among the warnings.
pub(super) fn choose(
    flags: &Flags,
    environment: &Environment,
    warnings: &mut Vec<Finding>,
) -> Option<Sourced<PathBuf>> {
    let no_state = |says: String| {
        Finding::new(
            "state.memory_only",
            Level::Warn,
            format!("{says}; tokens and history are kept in memory only"),
        )
        .hint(Hint::new("name a folder that can be written with --state-dir or SFMINT_STATE_DIR"))
    };
    let Some((dir, origin)) = locations::state_dir(flags, environment) else {
        warnings.push(no_state("there is no state directory: HOME is not set".into()));
        return None;
    };
    match prepare(&dir) {
        Ok(value) => Some(Sourced { value, origin }),
        Err(why) => {
            warnings.push(no_state(format!("state directory {} {why}", shown(&dir))));
            None
        }
    }
}

/// Makes sure that a state directory is there, ours, and can be written: created 0700 where it is missing.
///
/// # Errors
///
/// Why it cannot be used, in words that fit after its path. Nothing is kept on disk then.
fn prepare(dir: &Path) -> Result<PathBuf, String> {
    let dir = std::path::absolute(dir).map_err(|error| error.to_string())?;
    match std::fs::metadata(&dir) {
        Ok(metadata) => usable(&dir, &metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(&dir).map_err(|error| format!("cannot be created: {error}"))?;
        }
        Err(error) => return Err(format!("cannot be looked at: {error}")),
    }
    Ok(dir)
}

#[cfg(unix)]
fn create(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn create(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)
}

/// A directory into which others can put files of theirs is where tokens and history would be swapped: the store refuses it too.
#[cfg(unix)]
fn usable(dir: &Path, metadata: &std::fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    if !metadata.is_dir() {
        return Err("is not a folder".into());
    }
    let in_group = |gid| {
        rustix::process::getegid().as_raw() == gid
            || rustix::process::getgroups()
                .is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid))
    };
    if let Some(intruder) = Intruder::of(metadata.uid(), metadata.gid(), metadata.mode(), user, in_group) {
        return Err(format!("{intruder} ({})", intruder.hint(&shown(dir).to_string())));
    }
    rustix::fs::access(dir, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
        .map_err(|error| format!("cannot be written: {}", io::Error::from(error)))
}

#[cfg(not(unix))]
fn usable(_dir: &Path, metadata: &std::fs::Metadata) -> Result<(), String> {
    if metadata.is_dir() { Ok(()) } else { Err("is not a folder".into()) }
}

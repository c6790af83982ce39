use std::io;
use std::path::{Path, PathBuf};

use crate::base::{Finding, Level};

use super::document::Role;
use super::file::{self, MustBe, SourceFile};
use super::locations::{Candidate, Flags, FoundBy};
use super::origin::shown;
use super::{ConfigError, Origin};

/// The first config file that is there.
pub(super) fn find(
    flags: &Flags,
    candidates: &[Candidate],
    warnings: &mut Vec<Finding>,
) -> Result<Option<(SourceFile, FoundBy)>, ConfigError> {
    for Candidate { path, found_by } in candidates {
        let must_be = match found_by {
            FoundBy::CurrentDirectory => MustBe::Mine,
            FoundBy::Name | FoundBy::Convention => MustBe::Safe,
        };
        match file::read(path, must_be) {
            Ok(Some(file)) => return Ok(Some((file, *found_by))),
            Ok(None) if *found_by == FoundBy::Name => {
                let named_by = match flags.config {
                    Some(_) => Origin::Flag("--config"),
                    None => Origin::Environment("SFMINT_CONFIG".into()),
                };
                return Err(ConfigError::NotFound { path: path.clone(), named_by });
            }
            Ok(None) => {}
            // A home that is not ours (a container's HOME=/root) hides whether there is a file; go on, and say so.
            Err(ConfigError::Unreadable { source, .. })
                if *found_by != FoundBy::Name
                    && source.kind() == io::ErrorKind::PermissionDenied
                    && std::fs::symlink_metadata(path).is_err() =>
            {
                let says = format!("cannot look for {}: {source}", shown(path));
                warnings.push(Finding::new("config.not_looked_at", Level::Info, says));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The files of connections.d and jobs.d beside the config file, in order of their names.
pub(super) fn beside(main: &Path, found_by: FoundBy) -> Result<Vec<SourceFile>, ConfigError> {
    let folders = [
        ("connections.d", Role::Connections),
        #[cfg(feature = "sync")]
        ("jobs.d", Role::Jobs),
    ];
    let mut files = Vec::new();
    for (name, role) in folders {
        let folder = main.parent().unwrap_or(Path::new("")).join(name);
        let must_be = match found_by {
            FoundBy::CurrentDirectory => MustBe::Mine,
            _ if file::folder_is_shared(&folder) => MustBe::MineOrRoots,
            _ => MustBe::Safe,
        };
        for path in toml_files(&folder)? {
            files.extend(file::read(&path, must_be)?.map(|file| file.of_role(role)));
        }
    }
    Ok(files)
}

/// `*.toml` in a folder, sorted; none where there is no folder. Hidden files are an editor's or Kubernetes' own.
fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: folder.into(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        if !name.as_encoded_bytes().starts_with(b".")
            && Path::new(&name).extension().is_some_and(|end| end == "toml")
        {
            paths.push(folder.join(name));
        }
    }
    paths.sort();
    Ok(paths)
}

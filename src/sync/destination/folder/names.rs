use std::collections::HashSet;
use std::path::Path;

use super::manifest::{Manifest, PartKind};
use crate::sync::destination::{DestinationError, io_error};

/// The file that says which others count.
pub(super) const MANIFEST: &str = "_manifest.json";
/// What every hidden file of ours begins with.
const HIDDEN: &str = ".sfmint-";
/// The manifest before it is whole.
pub(super) const NEW_MANIFEST: &str = ".sfmint-manifest.json";
/// How far a run has come that is not published yet.
pub(super) const PROGRESS: &str = ".sfmint-progress.json";
/// That, before it is whole.
pub(super) const NEW_PROGRESS: &str = ".sfmint-progress.new";
/// Whose lock is the right to write the manifest.
pub(super) const LOCK: &str = ".sfmint-lock";
/// What a run's hidden file begins with.
const STAGE: &str = ".sfmint-stage-";

/// The name of a run's hidden file. A holder of another epoch may still have its own open.
pub(super) fn stage(epoch: u64, number: u32, ending: &str) -> String {
    format!("{STAGE}{epoch}-{number}.{ending}")
}

/// The name of a part: in the order of names is the order of time. Deletes begin with `_`, so that a pattern that reads the
/// rows leaves them out.
pub(super) fn part(kind: PartKind, object: &str, generation: u64, number: u64, ending: &str) -> String {
    match kind {
        PartKind::Rows => format!("{object}-{generation:06}-{number:06}.{ending}"),
        PartKind::Deletes => format!("_deletes-{object}-{generation:06}-{number:06}.{ending}"),
    }
}

/// Refuses a folder that holds files and no manifest.
pub(super) fn check_empty(folder: &Path, place: &str) -> Result<(), DestinationError> {
    if !folder.is_dir() {
        return Ok(());
    }
    for name in entries(folder)? {
        if !name.starts_with(HIDDEN) && name != "lost+found" {
            let found = format!("`{}`, and no {MANIFEST}", crate::base::printable(&name, 80));
            return Err(DestinationError::Foreign { place: place.to_string(), found });
        }
    }
    Ok(())
}

/// Removes what a run left that came to no end: its hidden file, and parts that no manifest names.
pub(super) fn sweep(folder: &Path, manifest: &Manifest, stage: Option<&str>) -> Result<(), DestinationError> {
    let named: HashSet<&str> = manifest.parts.iter().map(|part| part.file.as_str()).collect();
    for name in entries(folder)? {
        let left = if name.starts_with(HIDDEN) {
            name != LOCK && Some(name.as_str()) != stage
        } else {
            is_part(&name, &manifest.object, manifest.format.ending()) && !named.contains(name.as_str())
        };
        if left {
            let path = folder.join(&name);
            std::fs::remove_file(&path).map_err(|source| io_error("remove", &path, source))?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<String>, DestinationError> {
    let list = || -> std::io::Result<Vec<String>> {
        std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    };
    list().map_err(|source| io_error("list", folder, source))
}

/// Whether a name is one that [`part`] gives.
fn is_part(name: &str, object: &str, ending: &str) -> bool {
    let inner = || {
        let name = name.strip_prefix("_deletes-").unwrap_or(name);
        let numbers =
            name.strip_prefix(object)?.strip_prefix('-')?.strip_suffix(ending)?.strip_suffix('.')?;
        let (generation, number) = numbers.split_once('-')?;
        let is_number = |text: &str| text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        Some(is_number(generation) && is_number(number))
    };
    inner().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_are_known_and_others_are_not() {
        for kind in [PartKind::Rows, PartKind::Deletes] {
            assert!(is_part(&part(kind, "Account", 1, 1_234_567, "csv"), "Account", "csv"));
        }
        for name in [
            "Account.csv",
            "Account-000001.csv",
            "Accounts-000001-000001.csv",
            "Account-1-1.csv",
            "notes.txt",
        ] {
            assert!(!is_part(name, "Account", "csv"), "{name}");
        }
    }
}

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::base::job::DestinationPlace;

use super::super::Mistake;
use super::ResolvedJob;

/// Jobs that would write to one place: an object's table in one file, or its folder below one folder. Each has its own
/// checkpoint there, so two would take each other's rows for their own.
pub(in crate::config) fn clashes(jobs: &[ResolvedJob]) -> Vec<Mistake> {
    let mut taken: HashMap<(PathBuf, String), &ResolvedJob> = HashMap::new();
    let mut mistakes = Vec::new();
    for one in jobs {
        let Some(path) = file_or_folder(&one.job.destination) else { continue };
        // SQLite folds names of tables, and so do some file systems.
        let object = one.job.source.object_name();
        let place = (plain(path), object.as_str().to_ascii_lowercase());
        match taken.get(&place) {
            Some(first) => {
                let says = format!(
                    "job `{}` would write `{object}` into {}, as job `{}` at {} does; give it a `destination` of its own",
                    one.job.name,
                    super::super::origin::shown(path),
                    first.job.name,
                    first.header
                );
                mistakes.push(Mistake::new(one.header.clone(), says));
            }
            None => {
                taken.insert(place, one);
            }
        }
    }
    mistakes
}

/// Jobs that would write into the file where history and leases are kept: a table there that no version of the store made
/// is damage to it.
pub(in crate::config) fn into_the_store(jobs: &[ResolvedJob], store: &Path) -> Vec<Mistake> {
    let is_store = |place: &DestinationPlace| matches!(place, DestinationPlace::Sqlite(path) if plain(path) == plain(store));
    let theirs = jobs.iter().filter(|one| is_store(&one.job.destination));
    let says = |one: &ResolvedJob| {
        let origin = one.draft.destination.as_ref().map_or(&one.header, |said| &said.origin);
        let says =
            format!("job `{}` would write into sfmint's own store; give it a file of its own", one.job.name);
        Mistake::new(origin.clone(), says)
    };
    theirs.map(says).collect()
}

/// The file or folder of a destination that has one.
pub(in crate::config) fn file_or_folder(place: &DestinationPlace) -> Option<&Path> {
    match place {
        DestinationPlace::Sqlite(path) | DestinationPlace::Csv(path) | DestinationPlace::Jsonl(path) => {
            Some(path)
        }
        DestinationPlace::Stdout => None,
    }
}

/// A path without `.` and `..`, by its letters alone: what it leads to may not be there yet.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

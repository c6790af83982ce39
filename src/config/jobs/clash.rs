use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::base::job::DestinationPlace;

use super::super::Mistake;
use super::ResolvedJob;

/// Jobs that would write to one place: an object's table in one file, or one folder. Each has its own checkpoint there,
/// so two would take each other's rows for their own.
pub(in crate::config) fn clashes(jobs: &[ResolvedJob]) -> Vec<Mistake> {
    let mut taken: HashMap<PathBuf, Vec<&ResolvedJob>> = HashMap::new();
    let mut mistakes = Vec::new();
    for one in jobs {
        let Some(path) = file_or_folder(&one.job.destination) else { continue };
        let there = taken.entry(plain(path)).or_default();
        match there.iter().find(|first| !can_share(first, one)) {
            Some(first) => {
                let says = format!(
                    "job `{}` would write `{}` into {}, as job `{}` at {} does; give it a `destination` of its own",
                    one.job.name,
                    one.job.source.object_name(),
                    super::super::origin::shown(path),
                    first.job.name,
                    first.header
                );
                mistakes.push(Mistake::new(one.header.clone(), says));
            }
            None => there.push(one),
        }
    }
    mistakes
}

/// Whether two jobs of one path keep out of each other's way: by tables of two names, which SQLite folds.
fn can_share(one: &ResolvedJob, other: &ResolvedJob) -> bool {
    let table = |of: &ResolvedJob| match of.job.destination {
        DestinationPlace::Sqlite(_) => Some(of.job.source.object_name().as_str().to_ascii_lowercase()),
        _ => None,
    };
    matches!((table(one), table(other)), (Some(one), Some(other)) if one != other)
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

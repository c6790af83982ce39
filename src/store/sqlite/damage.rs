use std::path::{Path, PathBuf};

use tracing::warn;

use super::ownership::FileId;
use super::place::{COMPANIONS, Place};
use super::trouble::io;
use crate::base::UnixSeconds;
use crate::store::StoreError;

/// Moves a damaged store out of the way, with all that belongs to it, so that it can be looked at later.
///
/// Only the file that was `seen` is moved: where another process was faster, the store that stands there
/// now is its new one. The log goes first; a kill in between leaves a damaged store without a log, which
/// the next process sets aside in turn, and never a new store beside an old log.
pub(super) fn set_aside(
    place: &Place,
    seen: FileId,
    what: &StoreError,
    now: UnixSeconds,
) -> Result<Option<PathBuf>, StoreError> {
    let _alone = place.lock_alone()?;
    if !place.look()?.is_some_and(|stands| stands.same_file(seen)) {
        return Ok(None);
    }
    let target = free_name(place, now);
    move_companions(place, &target)?;
    std::fs::rename(&place.file, &target).map_err(|error| io("set aside", &place.file, error))?;
    warn!(
        store.path = %place.file.display(),
        store.set_aside = %target.display(),
        error.code = "store.damaged",
        "{what}; set aside as {} and made anew: its history is not read back", target.display()
    );
    Ok(Some(target))
}

/// Moves a log that was left without its database; beside a new one it would be taken for its own.
pub(super) fn set_strays_aside(place: &Place, now: UnixSeconds) -> Result<(), StoreError> {
    if COMPANIONS.iter().any(|companion| place.beside(companion).exists()) {
        move_companions(place, &free_name(place, now))?;
    }
    Ok(())
}

fn move_companions(place: &Place, target: &Path) -> Result<(), StoreError> {
    for companion in COMPANIONS {
        let path = place.beside(companion);
        let mut aside = target.as_os_str().to_owned();
        aside.push(companion);
        match std::fs::rename(&path, &aside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("set aside", &path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `state.db.corrupt-20261122T210000Z`, with a number behind it where that is taken.
fn free_name(place: &Place, now: UnixSeconds) -> PathBuf {
    let time: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':' | ' ')).collect();
    let taken = |path: &Path| {
        let companions = COMPANIONS.iter().map(|companion| {
            let mut name = path.as_os_str().to_owned();
            name.push(companion);
            PathBuf::from(name)
        });
        std::iter::once(path.to_path_buf()).chain(companions).any(|path| path.symlink_metadata().is_ok())
    };
    let first = place.beside(&format!(".corrupt-{time}"));
    std::iter::once(first)
        .chain((2..).map(|number: u32| place.beside(&format!(".corrupt-{time}-{number}"))))
        .find(|path| !taken(path))
        .unwrap_or_else(|| place.beside(".corrupt"))
}

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::sync::destination::{DestinationError, io_error};

pub(super) fn make_folder(path: &Path) -> Result<(), DestinationError> {
    std::fs::create_dir_all(path).map_err(|source| io_error("make", path, source))
}

/// Whether a file must outlive the machine's next loss of power, or only this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasting {
    Power,
    Process,
}

/// Puts `text` in the place of the file `name`, whole or not at all.
pub(super) fn replace(
    folder: &Path,
    name: &str,
    draft: &str,
    text: &[u8],
    lasting: Lasting,
) -> Result<(), DestinationError> {
    let (path, new) = (folder.join(name), folder.join(draft));
    let put = || -> std::io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(text)?;
        if lasting == Lasting::Power {
            file.sync_all()?;
        }
        std::fs::rename(&new, &path)
    };
    let done = put().map_err(|source| io_error("write", &path, source));
    match done {
        Ok(()) if lasting == Lasting::Power => sync_folder(folder),
        Ok(()) => Ok(()),
        Err(error) => {
            // The reason it failed is worth more than whether the draft could be cleared away.
            let _ = std::fs::remove_file(&new);
            Err(error)
        }
    }
}

/// Makes the names in a folder last.
pub(super) fn sync_folder(folder: &Path) -> Result<(), DestinationError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|source| io_error("sync", folder, source))
}

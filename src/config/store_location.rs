use std::path::PathBuf;

use super::at::At;
use super::kind::Kind;
use super::later;
use super::origin::Sourced;

/// Where facts are kept that outlive the process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreLocation {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// This process only: there is no state directory that can be written.
    Memory,
}

/// Reads `store = { sqlite = "path" }`; the path stays as written, for it starts at the state directory.
pub(super) fn store(at: &mut At<'_, '_>) -> Option<Sourced<PathBuf>> {
    let mut found = None;
    for (key, value) in at.table()? {
        match key.get_ref().as_ref() {
            "sqlite" => {
                let mut inner = At { reader: at.reader, name: "sqlite", kind: &Kind::Path, value };
                let path = inner.written_path()?;
                found = Some(PathBuf::from(path));
            }
            name @ "postgres" => {
                at.reader.mistake(key.span(), later::refusal(name));
                return None;
            }
            _ => {
                at.reader.unknown_key(key, "`store`", &["sqlite"]);
                return None;
            }
        }
    }
    match found {
        Some(path) => Some(at.sourced(path)),
        None => at.mistake(format!("names no store; accepted is {}", at.kind.accepts())),
    }
}

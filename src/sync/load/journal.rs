use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::whole::Whole;
use super::{Batch, Cut, Load, LoadError, Outcome};
use crate::api::bulk::ingest::IngestOperation;

/// What was sent so far, in the results folder: written before each deed, so that a process that dies leaves word.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Journal {
    object: String,
    operation: IngestOperation,
    external_id: Option<String>,
    org: String,
    sha256: String,
    pub batches: Vec<Batch>,
    /// Known once every job has ended and its rows were told.
    pub outcome: Option<Outcome>,
    #[serde(skip)]
    path: PathBuf,
}

impl Journal {
    /// Reads the journal of a load that was begun before, or begins one.
    ///
    /// # Errors
    ///
    /// [`LoadError::Other`]: it is of another file, object, operation or org. [`LoadError::Journal`]: damaged.
    pub fn open(load: &Load, cut: &Cut, org: &str) -> Result<Self, LoadError> {
        let path = load.results.join("load.json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self {
                    object: load.object.clone(),
                    operation: load.operation,
                    external_id: load.external_id.clone(),
                    org: org.to_string(),
                    sha256: cut.sha256.clone(),
                    batches: cut.batches.clone(),
                    outcome: None,
                    path,
                });
            }
            Err(error) => return Err(LoadError::unreadable(&path)(error)),
        };
        let damaged = |source| LoadError::Journal { path: path.clone(), source };
        let mut journal: Self = serde_json::from_slice(&text).map_err(damaged)?;
        let differs = [
            (journal.sha256 != cut.sha256, "the file has changed since"),
            (!journal.object.eq_ignore_ascii_case(&load.object), "it was into another object"),
            (journal.operation != load.operation, "it had another operation"),
            (journal.external_id != load.external_id, "it had another external id"),
            (journal.org != org, "it was into another org"),
        ];
        if let Some((_, what)) = differs.into_iter().find(|(differs, _)| *differs) {
            return Err(LoadError::Other { path: load.results.clone(), what });
        }
        journal.path = path;
        Ok(journal)
    }

    /// Puts it on the disk.
    pub fn save(&self) -> Result<(), LoadError> {
        let unwritable = LoadError::unwritable(&self.path);
        let text = serde_json::to_vec_pretty(self)
            .map_err(|source| LoadError::Journal { path: self.path.clone(), source })?;
        let mut file = Whole::begin(&self.path).map_err(&unwritable)?;
        file.write_all(&text).map_err(&unwritable)?;
        file.finish().map_err(&unwritable)
    }
}

/// The files that tell what became of each row.
pub(super) fn result_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.csv"))
}

use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::format::Format;
use super::names::{MANIFEST, NEW_MANIFEST};
use super::read::Readable;
use super::whole_file::{Lasting, replace};
use crate::base::{JobName, ObjectName, printable};
use crate::sync::destination::{DestinationError, io_error};
use crate::sync::{Checkpoint, Column};

/// The layout that this reads and writes. A newer one is refused.
const VERSION: u32 = 1;

/// What a folder holds: the one truth about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The layout's version.
    pub version: u32,
    pub format: Format,
    pub job: String,
    pub object: String,
    /// Rises with each set of parts that replaces all before it.
    pub generation: u64,
    /// The run that wrote the newest part.
    pub run_id: Option<String>,
    /// Rows in all parts; more than the object has, where a row is in several.
    pub rows: u64,
    /// The columns of the newest rows.
    pub columns: Vec<Column>,
    /// The fencing epoch of whoever may write here.
    pub epoch: u64,
    /// Rises with each change of parts or checkpoint.
    pub commit: u64,
    /// The number of the next part.
    pub next_part: u64,
    /// Sets of columns that parts refer to.
    pub schemas: Vec<Vec<Column>>,
    /// The parts, oldest first.
    pub parts: Vec<Part>,
    pub checkpoint: Option<Checkpoint>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub file: String,
    pub kind: PartKind,
    pub run_id: String,
    /// Which of the manifest's `schemas` its columns are.
    pub schema: usize,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
    /// No row of it changed later; none where nobody looked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PartKind {
    /// Rows as the org had them.
    Rows,
    /// Ids that the org no longer has.
    Deletes,
}

impl Manifest {
    pub(super) fn new(job: &JobName, object: &ObjectName, format: Format) -> Self {
        Self {
            version: VERSION,
            format,
            job: job.to_string(),
            object: object.to_string(),
            generation: 0,
            run_id: None,
            rows: 0,
            columns: Vec::new(),
            epoch: 0,
            commit: 0,
            next_part: 1,
            schemas: Vec::new(),
            parts: Vec::new(),
            checkpoint: None,
        }
    }

    pub(super) fn read(folder: &Path, place: &str) -> Result<Option<Self>, DestinationError> {
        let path = folder.join(MANIFEST);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(source) => return Err(io_error("read", &path, source)),
        };
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let damaged = |error: serde_json::Error| DestinationError::Damaged {
            place: place.to_string(),
            found: format!("{MANIFEST} cannot be read: {error}"),
        };
        let Version { version } = serde_json::from_slice(&text).map_err(damaged)?;
        if version > VERSION {
            let found = format!("a {MANIFEST} of layout {version}, which a newer sfmint wrote");
            return Err(DestinationError::Foreign { place: place.to_string(), found });
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(damaged)?;
        match manifest
            .parts
            .iter()
            .find(|part| part.schema >= manifest.schemas.len() || part.file.contains('/'))
        {
            Some(part) => Err(DestinationError::Damaged {
                place: place.to_string(),
                found: format!("{MANIFEST} names a part that cannot be, `{}`", printable(&part.file, 80)),
            }),
            None => Ok(Some(manifest)),
        }
    }

    pub(super) fn check_owner(
        &self,
        job: &JobName,
        format: Format,
        place: &str,
    ) -> Result<(), DestinationError> {
        let found = if self.job != job.as_str() {
            format!("parts of job `{}`", printable(&self.job, 64))
        } else if self.format != format {
            format!("parts in {}", self.format.name())
        } else {
            return Ok(());
        };
        Err(DestinationError::Foreign { place: place.to_string(), found })
    }

    /// Writes it in the place of the one that was there, and makes it last.
    pub(super) fn write(&self, folder: &Path) -> Result<(), DestinationError> {
        let mut text = match serde_json::to_vec_pretty(self) {
            Ok(text) => text,
            Err(error) => return Err(io_error("write", &folder.join(MANIFEST), error.into())),
        };
        text.push(b'\n');
        replace(folder, MANIFEST, NEW_MANIFEST, &text, Lasting::Power)
    }

    /// The number of a set of columns, which is added where it is new.
    pub(super) fn schema(&mut self, columns: &[Column]) -> usize {
        self.schemas.iter().position(|known| known == columns).unwrap_or_else(|| {
            self.schemas.push(columns.to_vec());
            self.schemas.len() - 1
        })
    }

    pub(super) fn readable<'a>(&'a self, part: &'a Part) -> Readable<'a> {
        Readable { file: &part.file, kind: part.kind, columns: &self.schemas[part.schema], bytes: part.bytes }
    }
}

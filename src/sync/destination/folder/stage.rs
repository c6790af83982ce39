use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::flusher::Flusher;
use super::format::Format;
use super::manifest::{Manifest, PartKind};
use super::names::{self, NEW_PROGRESS, PROGRESS};
use super::read::Readable;
use super::whole_file::{Lasting, replace};
use crate::sync::destination::{DestinationError, Landing, io_error};
use crate::sync::{Checkpoint, Column};

/// What is gathered before it is written. Bytes.
const BUFFER: usize = 256 * 1024;

/// After how much a hidden file is synced while it goes on growing, so that little is left to sync at its end. Bytes.
const SYNC_EVERY: usize = 8 << 20;

/// How far a run has come that is not published: it counts only beside the manifest that it was written beside, and only
/// while the hidden file still holds what it held.
///
/// Neither file is synced page by page. A killed process leaves both whole; after a loss of power the checksum tells
/// whether they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The manifest's `commit`.
    base: u64,
    pub run_id: String,
    pub whole: bool,
    pub file: String,
    pub columns: Vec<Column>,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
    pub newest: Option<String>,
    pub checkpoint: Checkpoint,
}

impl Progress {
    pub(super) fn goes_on_as(&self, landing: &Landing) -> bool {
        self.run_id == landing.run_id && self.whole == landing.whole && self.columns == landing.columns
    }
}

/// How far the run has come that was under way when its process ended, if that still stands.
pub(super) fn read_progress(
    folder: &Path,
    manifest: &Manifest,
) -> Result<Option<Progress>, DestinationError> {
    let Ok(text) = std::fs::read(folder.join(PROGRESS)) else { return Ok(None) };
    let Ok(progress) = serde_json::from_slice::<Progress>(&text) else { return Ok(None) };
    if progress.base != manifest.commit || progress.file.contains('/') {
        return Ok(None);
    }
    let path = folder.join(&progress.file);
    let Ok(file) = File::open(&path) else { return Ok(None) };
    let mut hash = Sha256::new();
    let mut left = file.take(progress.bytes);
    let mut buffer = vec![0; BUFFER];
    loop {
        match left.read(&mut buffer).map_err(|source| io_error("read", &path, source))? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok((hex(hash) == progress.sha256).then_some(progress))
}

/// Lets a run that was killed begin anew the next time.
pub(super) fn forget(folder: &Path) {
    // What cannot be removed now is found wanting again.
    let _ = std::fs::remove_file(folder.join(PROGRESS));
}

/// A run's hidden file.
#[derive(Debug)]
pub(super) struct Stage {
    path: PathBuf,
    file: BufWriter<File>,
    flusher: Flusher,
    /// Bytes that the flusher was not told of yet.
    unsynced: usize,
    /// Of all bytes written.
    hash: Sha256,
    bytes: u64,
    newest: Option<String>,
    /// What the last page that is kept left.
    kept: Kept,
    run_id: String,
    whole: bool,
    columns: Vec<Column>,
    checkpoint: Option<Checkpoint>,
}

#[derive(Clone, Debug)]
struct Kept {
    hash: Sha256,
    bytes: u64,
    rows: u64,
    newest: Option<String>,
}

impl Stage {
    /// An empty one, with its header line.
    pub(super) fn new(folder: &Path, format: Format, landing: &Landing) -> Result<Self, DestinationError> {
        let (path, file) = create(folder, format, landing.epoch)?;
        let hash = Sha256::new();
        let mut stage = Self {
            flusher: Flusher::new(&file).map_err(|source| io_error("write", &path, source))?,
            unsynced: 0,
            path,
            file: BufWriter::with_capacity(BUFFER, file),
            kept: Kept { hash: hash.clone(), bytes: 0, rows: 0, newest: None },
            hash,
            bytes: 0,
            newest: None,
            run_id: landing.run_id.clone(),
            whole: landing.whole,
            columns: landing.columns.clone(),
            checkpoint: None,
        };
        stage.write(&format.header(&landing.columns))?;
        stage.kept = Kept { hash: stage.hash.clone(), bytes: stage.bytes, rows: 0, newest: None };
        Ok(stage)
    }

    /// Goes on with what a killed process left, in a copy: the process may only have been stopped, and then it writes
    /// into its own file when it wakes.
    pub(super) fn adopt(
        folder: &Path,
        format: Format,
        landing: &Landing,
        progress: Progress,
    ) -> Result<Self, DestinationError> {
        let (path, file) = create(folder, format, landing.epoch)?;
        let left = folder.join(&progress.file);
        let mut stage = Self {
            flusher: Flusher::new(&file).map_err(|source| io_error("write", &path, source))?,
            unsynced: 0,
            path,
            file: BufWriter::with_capacity(BUFFER, file),
            hash: Sha256::new(),
            bytes: 0,
            newest: progress.newest.clone(),
            kept: Kept {
                hash: Sha256::new(),
                bytes: 0,
                rows: progress.rows,
                newest: progress.newest.clone(),
            },
            run_id: progress.run_id,
            whole: progress.whole,
            columns: progress.columns,
            checkpoint: Some(progress.checkpoint),
        };
        let mut from =
            File::open(&left).map_err(|source| io_error("read", &left, source))?.take(progress.bytes);
        let mut buffer = vec![0; BUFFER];
        loop {
            match from.read(&mut buffer).map_err(|source| io_error("read", &left, source))? {
                0 => break,
                read => stage.write(&buffer[..read])?,
            }
        }
        stage.kept.hash = stage.hash.clone();
        stage.kept.bytes = stage.bytes;
        match hex(stage.hash.clone()) == progress.sha256 {
            true => Ok(stage),
            false => Err(DestinationError::Busy { place: folder.display().to_string() }),
        }
    }

    pub(super) fn write(&mut self, text: &[u8]) -> Result<(), DestinationError> {
        self.file.write_all(text).map_err(|source| io_error("write", &self.path, source))?;
        self.hash.update(text);
        self.bytes += text.len() as u64;
        self.unsynced += text.len();
        if self.unsynced > SYNC_EVERY {
            self.unsynced = 0;
            self.flusher.nudge();
        }
        Ok(())
    }

    /// Notes when a row changed.
    pub(super) fn note(&mut self, stamp: &str) {
        if self.newest.as_deref().is_none_or(|newest| newest < stamp) {
            self.newest = Some(stamp.to_string());
        }
    }

    /// The page stays.
    pub(super) fn keep_page(&mut self, rows: u64, checkpoint: &Checkpoint) -> Result<(), DestinationError> {
        self.file.flush().map_err(|source| io_error("write", &self.path, source))?;
        let rows = self.kept.rows + rows;
        self.kept = Kept { hash: self.hash.clone(), bytes: self.bytes, rows, newest: self.newest.clone() };
        self.checkpoint = Some(checkpoint.clone());
        Ok(())
    }

    /// The page goes.
    pub(super) fn cut_back(&mut self) -> Result<(), DestinationError> {
        let cut = |stage: &mut Self| -> std::io::Result<()> {
            stage.file.flush()?;
            let file = stage.file.get_mut();
            file.set_len(stage.kept.bytes)?;
            file.seek(SeekFrom::Start(stage.kept.bytes)).map(drop)
        };
        cut(self).map_err(|source| io_error("cut back", &self.path, source))?;
        self.hash = self.kept.hash.clone();
        self.bytes = self.kept.bytes;
        self.newest = self.kept.newest.clone();
        Ok(())
    }

    /// Says how far it has come, for the process that goes on where this one is killed.
    pub(super) fn write_progress(&self, folder: &Path, manifest: &Manifest) -> Result<(), DestinationError> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(()) };
        let progress = Progress {
            base: manifest.commit,
            run_id: self.run_id.clone(),
            whole: self.whole,
            file: self.file_name().to_string(),
            columns: self.columns.clone(),
            rows: self.kept.rows,
            bytes: self.kept.bytes,
            sha256: hex(self.kept.hash.clone()),
            newest: self.kept.newest.clone(),
            checkpoint: checkpoint.clone(),
        };
        let text = serde_json::to_vec(&progress)
            .map_err(|error| io_error("write", &folder.join(PROGRESS), error.into()))?;
        replace(folder, PROGRESS, NEW_PROGRESS, &text, Lasting::Process)
    }

    /// Ends it: everything is on the disk. What it comes to.
    pub(super) fn finish(mut self) -> Result<Finished, DestinationError> {
        let path = self.path;
        self.file.flush().map_err(|source| io_error("write", &path, source))?;
        self.flusher.finish().map_err(|source| io_error("sync", &path, source))?;
        self.file.get_ref().sync_all().map_err(|source| io_error("sync", &path, source))?;
        Ok(Finished {
            path,
            run_id: self.run_id,
            columns: self.columns,
            rows: self.kept.rows,
            bytes: self.kept.bytes,
            sha256: hex(self.kept.hash),
            newest: self.kept.newest,
        })
    }

    pub(super) fn file_name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    pub(super) fn whole(&self) -> bool {
        self.whole
    }

    pub(super) fn rows(&self) -> u64 {
        self.kept.rows
    }

    /// Clears it away: there is no room for it, or no trust in it.
    pub(super) fn remove(self, folder: &Path) {
        // What cannot be removed now is swept when the next run begins.
        let _ = std::fs::remove_file(folder.join(PROGRESS));
        let _ = std::fs::remove_file(&self.path);
        let (_, _unwritten) = self.file.into_parts();
    }

    /// What is kept of it so far, to be read.
    pub(super) fn as_part(&self) -> StagedPart {
        StagedPart {
            file: self.file_name().to_string(),
            columns: self.columns.clone(),
            bytes: self.kept.bytes,
        }
    }
}

/// A hidden file on its way to be a part.
#[derive(Debug)]
pub(super) struct Finished {
    pub path: PathBuf,
    pub run_id: String,
    pub columns: Vec<Column>,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
    pub newest: Option<String>,
}

#[derive(Debug)]
pub(super) struct StagedPart {
    file: String,
    columns: Vec<Column>,
    bytes: u64,
}

impl StagedPart {
    pub(super) fn readable(&self) -> Readable<'_> {
        Readable { file: &self.file, kind: PartKind::Rows, columns: &self.columns, bytes: self.bytes }
    }
}

fn create(folder: &Path, format: Format, epoch: u64) -> Result<(PathBuf, File), DestinationError> {
    let mut number = 0;
    loop {
        let path = folder.join(names::stage(epoch, number, format.ending()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(source) => return Err(io_error("make", &path, source)),
        }
    }
}

pub(super) fn hex(hash: Sha256) -> String {
    use std::fmt::Write;
    hash.finalize().iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

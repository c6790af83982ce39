//! Folders of part files, CSV or JSON Lines, with a manifest that says which files count and how far they go.
//!
//! Nothing is ever changed in place: a run writes a hidden file, and at its end the file gets its name and the manifest its
//! line. What is not in the manifest is not there. Start at [`Folder`]; the layout is told in docs/reference/destinations.md.

mod flusher;
mod format;
mod lock;
mod manifest;
mod names;
mod overlap;
mod page;
mod publish;
mod read;
mod stage;
#[cfg(test)]
mod tests;
mod whole_file;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use super::{Destination, DestinationError, Held, Landed, Landing, out_of_order};
use crate::base::job::Deletes;
use crate::base::{JobName, UnixSeconds};
use crate::sync::csv::Cleaner;
use crate::sync::json::JsonRow;
use crate::sync::{Checkpoint, Rows};
use lock::Lock;
use manifest::Manifest;
use overlap::Delivered;
use stage::Stage;

pub use format::Format;

/// How long a page waits for another process that is writing the manifest. That takes milliseconds, and on an ill disk
/// seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A job's folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    job: JobName,
    format: Format,
    patience: Duration,
    run: Option<Run>,
    stage: Option<Stage>,
    /// The run that a caller was told it may go on with, and how many rows of it were received.
    promised: Option<(String, u64)>,
    /// An fsync failed, or the disk is full: nothing more is written.
    broken: bool,
}

/// What a run needs for each of its pages.
#[derive(Debug)]
struct Run {
    landing: Landing,
    json: JsonRow,
    delivered: Delivered,
    cleaner: Cleaner,
    landed: Landed,
    rows_in_page: u64,
    in_page: bool,
}

impl Folder {
    /// The folder of `job` at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>, job: JobName, format: Format) -> Self {
        Self {
            path: path.into(),
            job,
            format,
            patience: PATIENCE,
            run: None,
            stage: None,
            promised: None,
            broken: false,
        }
    }

    fn place(&self) -> String {
        format!("{} {}", self.format.name(), self.path.display())
    }

    fn lock(&self) -> Result<Lock, DestinationError> {
        Lock::wait(&self.path, self.patience, || self.place())
    }

    /// The manifest, if this job's; none in an empty folder or where there is none.
    fn manifest(&self) -> Result<Option<Manifest>, DestinationError> {
        let place = self.place();
        match Manifest::read(&self.path, &place)? {
            Some(manifest) => manifest.check_owner(&self.job, self.format, &place).map(|()| Some(manifest)),
            None => names::check_empty(&self.path, &place).map(|()| None),
        }
    }

    /// The manifest that a holder of `epoch` may write.
    fn fenced(&self, epoch: u64) -> Result<Manifest, DestinationError> {
        let manifest = self.manifest()?;
        let manifest = manifest.ok_or_else(|| DestinationError::Damaged {
            place: self.place(),
            found: "its manifest is gone".to_string(),
        })?;
        match manifest.epoch > epoch {
            true => {
                Err(DestinationError::Fenced { place: self.place(), ours: epoch, newest: manifest.epoch })
            }
            false => Ok(manifest),
        }
    }

    /// Does `work`, and after a failure that leaves doubt about the disk nothing ever again.
    fn do_or_break<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, DestinationError>,
    ) -> Result<T, DestinationError> {
        if self.broken {
            let source = std::io::Error::other("an earlier write failed; nothing more is written");
            return Err(DestinationError::Io { what: "write", path: self.path.clone(), source });
        }
        let done = work(self);
        if let Err(DestinationError::Full { .. } | DestinationError::Io { .. }) = &done {
            self.broken = true;
            self.in_page(false);
            if let Some(stage) = self.stage.take() {
                stage.remove(&self.path);
            }
        }
        done
    }

    /// The hidden file of a run that was killed, where `landing` goes on with it.
    ///
    /// A caller that was told how far the run came reads on from there: where that no longer stands, rows would be
    /// missing in between.
    fn go_on(&self, manifest: &Manifest, landing: &Landing) -> Result<Option<Stage>, DestinationError> {
        let progress =
            stage::read_progress(&self.path, manifest)?.filter(|found| found.run_id == landing.run_id);
        let in_manifest = manifest.checkpoint.as_ref().and_then(|checkpoint| checkpoint.run.as_ref());
        let received = match (&progress, in_manifest) {
            (Some(progress), _) => progress.checkpoint.run.as_ref().map_or(0, |run| run.received),
            (None, Some(run)) if run.run_id == landing.run_id && !run.whole => run.received,
            _ => 0,
        };
        let promised = self.promised.as_ref().filter(|(run_id, _)| *run_id == landing.run_id);
        let fits = progress.as_ref().is_none_or(|progress| progress.goes_on_as(landing));
        if !fits || promised.is_some_and(|(_, told)| *told != received) {
            stage::forget(&self.path);
            let found = format!("what run {} staged is gone, or has other columns", landing.run_id);
            return Err(DestinationError::Damaged { place: self.place(), found });
        }
        progress.map(|progress| Stage::adopt(&self.path, self.format, landing, progress)).transpose()
    }

    fn in_page(&mut self, is: bool) {
        if let Some(run) = &mut self.run {
            run.in_page = is;
        }
    }
}

impl Destination for Folder {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>, DestinationError> {
        if !self.path.is_dir() {
            return Ok(None);
        }
        let Some(manifest) = self.manifest()? else { return Ok(None) };
        let found = match stage::read_progress(&self.path, &manifest)? {
            Some(progress) => Some(progress.checkpoint),
            None => manifest.checkpoint.map(|mut checkpoint| {
                // Rows that replace everything count only once they do.
                checkpoint.run = checkpoint.run.filter(|run| !run.whole);
                checkpoint
            }),
        };
        let run = found.as_ref().and_then(|checkpoint| checkpoint.run.as_ref());
        self.promised = run.map(|run| (run.run_id.clone(), run.received));
        Ok(found)
    }

    fn begin(&mut self, landing: &Landing) -> Result<(), DestinationError> {
        self.run = None;
        self.stage = None;
        if landing.id.is_none() && !landing.whole {
            return Err(out_of_order(self.place(), "rows without Id are only ever replaced whole"));
        }
        self.do_or_break(|this| {
            whole_file::make_folder(&this.path)?;
            let _lock = this.lock()?;
            let mut manifest = match this.manifest()? {
                Some(_) => this.fenced(landing.epoch)?,
                None => Manifest::new(&this.job, &landing.object, this.format),
            };
            if manifest.object != landing.object.as_str() {
                let found = format!("rows of {}", manifest.object);
                return Err(DestinationError::Foreign { place: this.place(), found });
            }
            manifest.epoch = landing.epoch;
            manifest.write(&this.path)?;
            this.stage = this.go_on(&manifest, landing)?;
            names::sweep(&this.path, &manifest, this.stage.as_ref().map(Stage::file_name))?;
            if let Some(stage) = &this.stage {
                stage.write_progress(&this.path, &manifest)?;
            }
            let mut delivered = Delivered::default();
            if !landing.whole {
                delivered = Delivered::read_back(&this.path, &mut manifest, landing, &this.place())?;
            }
            this.run = Some(Run {
                cleaner: Cleaner::new(landing.nul),
                json: JsonRow::new(&landing.columns),
                landing: landing.clone(),
                delivered,
                landed: Landed::default(),
                rows_in_page: 0,
                in_page: false,
            });
            Ok(())
        })
    }

    fn begin_page(&mut self) -> Result<(), DestinationError> {
        self.do_or_break(|this| {
            let place = this.place();
            let Some(run) = &mut this.run else { return Err(out_of_order(place, "no run has begun")) };
            if this.stage.is_none() {
                this.stage = Some(Stage::new(&this.path, this.format, &run.landing)?);
            }
            run.landed = Landed::default();
            run.cleaner.nuls = 0;
            run.rows_in_page = 0;
            run.in_page = true;
            Ok(())
        })
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), DestinationError> {
        self.do_or_break(|this| match (&mut this.run, &mut this.stage) {
            (Some(run), Some(stage)) if run.in_page => page::write(run, stage, this.format, rows),
            _ => Err(out_of_order(this.place(), "no page has begun")),
        })
    }

    fn commit_page(&mut self, checkpoint: &mut Checkpoint) -> Result<Landed, DestinationError> {
        self.do_or_break(|this| {
            let (landed, mut grown) = match &this.run {
                Some(run) if run.in_page => {
                    (Landed { nuls: run.cleaner.nuls, ..run.landed }, checkpoint.clone())
                }
                _ => return Err(out_of_order(this.place(), "no page has begun")),
            };
            grown.count(landed);
            let _lock = this.lock()?;
            let manifest = this.fenced(checkpoint.epoch)?;
            if let Some(stage) = &mut this.stage {
                stage.keep_page(landed.written, &grown)?;
                stage.write_progress(&this.path, &manifest)?;
            }
            this.in_page(false);
            *checkpoint = grown;
            Ok(landed)
        })
    }

    fn discard_page(&mut self) -> Result<(), DestinationError> {
        if self.broken {
            return Ok(());
        }
        self.do_or_break(|this| {
            this.in_page(false);
            match &mut this.stage {
                Some(stage) => stage.cut_back(),
                None => Ok(()),
            }
        })
    }

    fn held(
        &mut self,
        visit: &mut dyn FnMut(Held<'_>) -> Result<(), DestinationError>,
    ) -> Result<(), DestinationError> {
        if !self.path.is_dir() {
            return Ok(());
        }
        let Some(manifest) = self.manifest()? else { return Ok(()) };
        let mut seen: HashSet<Box<[u8]>> = HashSet::new();
        let place = self.place();
        let staged = self.stage.as_ref().filter(|stage| !stage.whole()).map(Stage::as_part);
        let parts: Vec<read::Readable<'_>> = manifest
            .parts
            .iter()
            .map(|part| manifest.readable(part))
            .chain(staged.as_ref().map(stage::StagedPart::readable))
            .collect();
        for (at, part) in parts.iter().enumerate().rev() {
            // Of the oldest part nobody asks any more: a first load of ten million rows needs no set of their Ids.
            let is_oldest = at == 0;
            part.visit(&self.path, self.format, &place, &mut |row| {
                let known = match is_oldest {
                    true => seen.contains(row.id.as_bytes()),
                    false => !seen.insert(row.id.as_bytes().into()),
                };
                match known {
                    true => Ok(()),
                    false => visit(Held { id: row.id, stamp: row.stamp, is_deleted: row.is_deleted }),
                }
            })?;
        }
        Ok(())
    }

    fn gone(
        &mut self,
        ids: &mut dyn Iterator<Item = String>,
        at: UnixSeconds,
        checkpoint: &Checkpoint,
    ) -> Result<u64, DestinationError> {
        let ignored = self.run.as_ref().is_some_and(|run| run.landing.deletes == Deletes::Ignore);
        self.do_or_break(|this| {
            let _lock = this.lock()?;
            let mut manifest = this.fenced(checkpoint.epoch)?;
            this.seal_increment(&mut manifest)?;
            let mut none = std::iter::empty();
            let run_id = this.run.as_ref().map_or(String::new(), |run| run.landing.run_id.clone());
            let ids: &mut dyn Iterator<Item = String> = if ignored { &mut none } else { ids };
            let count = publish::deletes(&this.path, this.format, &mut manifest, &run_id, ids, at)?;
            this.commit(manifest, checkpoint)?;
            Ok(count)
        })
    }

    fn publish(&mut self, checkpoint: &Checkpoint) -> Result<(), DestinationError> {
        self.do_or_break(|this| {
            let _lock = this.lock()?;
            let mut manifest = this.fenced(checkpoint.epoch)?;
            match this.run.take() {
                Some(run) if run.landing.whole => this.seal_generation(&mut manifest, &run)?,
                Some(_) => this.seal_increment(&mut manifest)?,
                None => return Err(out_of_order(this.place(), "no run has begun")),
            }
            this.commit(manifest, checkpoint)
        })
    }

    fn abandon(&mut self, checkpoint: &Checkpoint) -> Result<(), DestinationError> {
        self.discard_page()?;
        self.do_or_break(|this| {
            this.run = None;
            let _lock = this.lock()?;
            let mut manifest = this.fenced(checkpoint.epoch)?;
            this.seal_increment(&mut manifest)?;
            this.stage = None;
            this.commit(manifest, checkpoint)
        })
    }
}

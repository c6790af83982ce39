use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::format::Format;
use super::manifest::{Manifest, Part, PartKind};
use super::names;
use super::stage::{Finished, Stage, hex};
use super::whole_file::sync_folder;
use super::{Folder, Run};
use crate::base::UnixSeconds;
use crate::sync::Checkpoint;
use crate::sync::destination::{DestinationError, io_error};

impl Folder {
    /// Makes a part of the rows that the run has kept so far, if there are any. Rows that are to replace everything stay
    /// as they are.
    pub(super) fn seal_increment(&mut self, manifest: &mut Manifest) -> Result<(), DestinationError> {
        match self.stage.take() {
            Some(stage) if stage.whole() => self.stage = Some(stage),
            Some(stage) if stage.rows() > 0 => self.seal(manifest, stage.finish()?)?,
            _ => {}
        }
        Ok(())
    }

    /// Makes a generation of the run's rows, also where there are none.
    pub(super) fn seal_generation(
        &mut self,
        manifest: &mut Manifest,
        run: &Run,
    ) -> Result<(), DestinationError> {
        let stage = match self.stage.take() {
            Some(stage) => stage,
            None => Stage::new(&self.path, self.format, &run.landing)?,
        };
        let finished = stage.finish()?;
        manifest.generation += 1;
        manifest.parts.clear();
        manifest.schemas.clear();
        self.seal(manifest, finished)
    }

    /// Gives a hidden file its name; the hidden name stays beside it until the manifest tells of it.
    fn seal(&self, manifest: &mut Manifest, stage: Finished) -> Result<(), DestinationError> {
        let file = next_name(manifest, PartKind::Rows);
        let path = self.path.join(&file);
        if std::fs::hard_link(&stage.path, &path).is_err() {
            // Not every file system has links.
            std::fs::rename(&stage.path, &path).map_err(|source| io_error("name", &path, source))?;
        }
        let schema = manifest.schema(&stage.columns);
        manifest.run_id = Some(stage.run_id.clone());
        manifest.columns = stage.columns;
        manifest.parts.push(Part {
            file,
            kind: PartKind::Rows,
            run_id: stage.run_id,
            schema,
            rows: stage.rows,
            bytes: stage.bytes,
            sha256: stage.sha256,
            newest: stage.newest,
        });
        Ok(())
    }

    /// Writes the manifest: from this moment on its parts count and no others. What counts no more is removed after that.
    pub(super) fn commit(
        &mut self,
        mut manifest: Manifest,
        checkpoint: &Checkpoint,
    ) -> Result<(), DestinationError> {
        manifest.commit += 1;
        manifest.epoch = checkpoint.epoch;
        manifest.rows =
            manifest.parts.iter().filter(|part| part.kind == PartKind::Rows).map(|part| part.rows).sum();
        manifest.checkpoint = Some(checkpoint.clone());
        sync_folder(&self.path)?;
        manifest.write(&self.path)?;
        let stage = self.stage.as_ref();
        names::sweep(&self.path, &manifest, stage.map(Stage::file_name))?;
        match stage {
            Some(stage) => stage.write_progress(&self.path, &manifest),
            None => Ok(()),
        }
    }
}

/// Writes a part of Ids that the org no longer has; none where there are none. Answers how many.
pub(super) fn deletes(
    folder: &Path,
    format: Format,
    manifest: &mut Manifest,
    run_id: &str,
    ids: &mut dyn Iterator<Item = String>,
    at: UnixSeconds,
) -> Result<u64, DestinationError> {
    let mut ids = ids.peekable();
    if ids.peek().is_none() {
        return Ok(0);
    }
    let columns = Format::delete_columns();
    let file = next_name(manifest, PartKind::Deletes);
    let (hidden, path) =
        (folder.join(names::stage(manifest.epoch, u32::MAX, format.ending())), folder.join(&file));
    let mut hash = Sha256::new();
    let (mut rows, mut bytes) = (0, 0);
    let write = || -> std::io::Result<()> {
        let mut out = BufWriter::new(File::create(&hidden)?);
        let mut put = |text: &[u8]| {
            hash.update(text);
            bytes += text.len() as u64;
            out.write_all(text)
        };
        put(&format.header(&columns))?;
        for id in ids {
            put(&format.delete(&id, at))?;
            rows += 1;
        }
        out.flush()?;
        out.get_ref().sync_all()?;
        std::fs::rename(&hidden, &path)
    };
    if let Err(source) = write() {
        // The reason it failed is worth more than whether the draft could be cleared away.
        let _ = std::fs::remove_file(&hidden);
        return Err(io_error("write", &path, source));
    }
    let schema = manifest.schema(&columns);
    let part = Part {
        file,
        kind: PartKind::Deletes,
        run_id: run_id.to_string(),
        schema,
        rows,
        bytes,
        sha256: hex(hash),
        newest: None,
    };
    manifest.parts.push(part);
    Ok(rows)
}

fn next_name(manifest: &mut Manifest, kind: PartKind) -> String {
    let number = manifest.next_part;
    manifest.next_part += 1;
    names::part(kind, &manifest.object, manifest.generation, number, manifest.format.ending())
}

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Destination, DestinationError, Held, Landed, Landing, io_error, out_of_order, page_error};
use crate::base::UnixSeconds;
use crate::base::job::Deletes;
use crate::sync::csv::{Cell, Cleaner, RowReader, Unclean};
use crate::sync::json::JsonRow;
use crate::sync::{Checkpoint, Rows};

/// How much of a page waits in memory until it is whole; what is more waits in a file without a name. Bytes.
const IN_MEMORY: usize = 8 << 20;

/// JSON Lines for whoever reads standard output.
///
/// A page is printed when it is whole, so that one that breaks leaves nothing. There is no checkpoint here and nothing to
/// read back: a reader that must not see a row twice keeps Id and stamp itself. Of rows that are gone, a line with Id and
/// `_sfmint_deleted_at` is printed.
pub struct Lines<W> {
    out: W,
    run: Option<(Landing, JsonRow)>,
    page: Option<Page>,
}

struct Page {
    cleaner: Cleaner,
    landed: Landed,
    rows: u64,
    text: Vec<u8>,
    rest: Option<(File, PathBuf)>,
}

impl<W> fmt::Debug for Lines<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("run", &self.run).finish_non_exhaustive()
    }
}

impl<W: Write + Send> Lines<W> {
    /// Lines into `out`.
    pub fn new(out: W) -> Self {
        Self { out, run: None, page: None }
    }

    fn place() -> String {
        "stdout".to_string()
    }

    fn print(&mut self, text: &[u8]) -> Result<(), DestinationError> {
        self.out.write_all(text).map_err(said)
    }
}

/// What a write to the reader ended in.
fn said(error: std::io::Error) -> DestinationError {
    match error.kind() {
        ErrorKind::BrokenPipe => DestinationError::Closed { place: "stdout".to_string() },
        _ => io_error("write", Path::new("stdout"), error),
    }
}

impl Page {
    /// Makes room in memory.
    fn spill(&mut self) -> Result<(), DestinationError> {
        let folder = std::env::temp_dir();
        let spill = |page: &mut Self| -> std::io::Result<()> {
            if page.rest.is_none() {
                page.rest = Some(nameless(&folder)?);
            }
            if let Some((file, _)) = &mut page.rest {
                file.write_all(&page.text)?;
            }
            page.text.clear();
            Ok(())
        };
        spill(self).map_err(|source| io_error("keep a page in", &folder, source))
    }
}

/// A file in `folder` that nobody else ever finds, and that goes with this process, however that ends.
fn nameless(folder: &Path) -> std::io::Result<(File, PathBuf)> {
    let mut number = 0;
    loop {
        let path = folder.join(format!("sfmint-page-{}-{number}", std::process::id()));
        match File::options().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok((file, path));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

impl<W: Write + Send> Destination for Lines<W> {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>, DestinationError> {
        Ok(None)
    }

    fn keeps(&self) -> bool {
        false
    }

    fn begin(&mut self, landing: &Landing) -> Result<(), DestinationError> {
        self.page = None;
        self.run = Some((landing.clone(), JsonRow::new(&landing.columns)));
        Ok(())
    }

    fn begin_page(&mut self) -> Result<(), DestinationError> {
        let Some((landing, _)) = &self.run else {
            return Err(out_of_order(Self::place(), "no run has begun"));
        };
        self.page = Some(Page {
            cleaner: Cleaner::new(landing.nul),
            landed: Landed::default(),
            rows: 0,
            text: Vec::new(),
            rest: None,
        });
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), DestinationError> {
        let (Some((landing, json)), Some(page)) = (&self.run, &mut self.page) else {
            return Err(out_of_order(Self::place(), "no page has begun"));
        };
        let before = page.rows;
        page.rows += rows.count;
        let rows = page.cleaner.clean(rows).map_err(|unclean| page_error(unclean, before))?;
        Unclean::utf8(&rows).map_err(|unclean| page_error(unclean, before))?;
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(landing.columns.len());
        let mut reader = RowReader::new(rows.text, landing.columns.len());
        while reader.next_row(&mut cells).map_err(|misfit| page_error(misfit, before))?.is_some() {
            let deleted = landing.is_deleted.is_some_and(|at| cells[at].raw() == b"true");
            if deleted && landing.deletes == Deletes::Ignore {
                page.landed.unchanged += 1;
                continue;
            }
            json.render(&cells, &mut page.text);
            page.landed.written += 1;
            page.landed.deleted += u64::from(deleted);
        }
        match page.text.len() > IN_MEMORY {
            true => page.spill(),
            false => Ok(()),
        }
    }

    fn commit_page(&mut self, checkpoint: &mut Checkpoint) -> Result<Landed, DestinationError> {
        let Some(page) = self.page.take() else {
            return Err(out_of_order(Self::place(), "no page has begun"));
        };
        if let Some((mut file, path)) = page.rest {
            let mut buffer = vec![0; 1 << 18];
            file.seek(SeekFrom::Start(0)).map_err(|source| io_error("read", &path, source))?;
            loop {
                match file.read(&mut buffer).map_err(|source| io_error("read", &path, source))? {
                    0 => break,
                    read => self.print(&buffer[..read])?,
                }
            }
        }
        self.print(&page.text)?;
        self.out.flush().map_err(said)?;
        let landed = Landed { nuls: page.cleaner.nuls, ..page.landed };
        checkpoint.count(landed);
        Ok(landed)
    }

    fn discard_page(&mut self) -> Result<(), DestinationError> {
        self.page = None;
        Ok(())
    }

    fn held(
        &mut self,
        _visit: &mut dyn FnMut(Held<'_>) -> Result<(), DestinationError>,
    ) -> Result<(), DestinationError> {
        Ok(())
    }

    fn gone(
        &mut self,
        ids: &mut dyn Iterator<Item = String>,
        at: UnixSeconds,
        _checkpoint: &Checkpoint,
    ) -> Result<u64, DestinationError> {
        let mut count = 0;
        for id in ids {
            self.print(&JsonRow::deleted(&id, at))?;
            count += 1;
        }
        self.out.flush().map_err(said)?;
        Ok(count)
    }

    fn publish(&mut self, _checkpoint: &Checkpoint) -> Result<(), DestinationError> {
        self.run = None;
        Ok(())
    }

    fn abandon(&mut self, _checkpoint: &Checkpoint) -> Result<(), DestinationError> {
        self.page = None;
        self.run = None;
        Ok(())
    }
}

use std::hash::{DefaultHasher, Hasher};

use super::csv::RowCutter;
use super::destination::{Destination, Landed};
use super::{Checkpoint, Column, Rows, SyncError};
use crate::api::bulk::RowScan;

/// What came of a page's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Rows counted.
    pub rows: u64,
    /// Bytes, the header line included.
    pub bytes: u64,
    /// A mark of the first row, by which a page that comes twice is known: no two rows of a result are the same.
    pub first: Option<u64>,
}

/// A destination, and the page that is being taken into it.
#[derive(Debug)]
pub(super) struct Desk {
    destination: Box<dyn Destination>,
    page: Option<OpenPage>,
}

#[derive(Debug)]
struct OpenPage {
    cutter: RowCutter,
    taken: Taken,
    /// What went wrong; the chunks after it are not looked at.
    failed: Option<SyncError>,
}

impl Desk {
    pub fn new(destination: Box<dyn Destination>) -> Self {
        Self { destination, page: None }
    }

    /// The destination between pages.
    pub fn destination(&mut self) -> &mut dyn Destination {
        &mut *self.destination
    }

    /// A page of these columns begins.
    pub fn begin(&mut self, columns: &[Column]) -> Result<(), SyncError> {
        self.destination.begin_page()?;
        self.page = Some(OpenPage { cutter: RowCutter::new(columns), taken: Taken::default(), failed: None });
        Ok(())
    }

    /// Takes some of the page's text; a failure is told at its end.
    pub fn take(&mut self, chunk: &[u8]) {
        let Self { destination, page: Some(page) } = self else { return };
        if page.failed.is_none() {
            page.failed = page.take(&mut **destination, chunk).err();
        }
    }

    /// The page's text has ended.
    pub fn end(&mut self) -> Result<Taken, SyncError> {
        let Self { destination, page: Some(page) } = self else { return Ok(Taken::default()) };
        if let Some(error) = page.failed.take() {
            return Err(error);
        }
        if let Some(last) = page.cutter.finish()? {
            page.taken.note(last);
            destination.rows(last)?;
        }
        Ok(page.taken)
    }

    /// The page is whole: it lasts, with the checkpoint, and so does what it did to the counts.
    pub fn commit(&mut self, checkpoint: &mut Checkpoint) -> Result<Landed, SyncError> {
        self.page = None;
        Ok(self.destination.commit_page(checkpoint)?)
    }

    /// The page is not: it never was.
    pub fn discard(&mut self) -> Result<(), SyncError> {
        match self.page.take() {
            Some(_) => Ok(self.destination.discard_page()?),
            None => Ok(()),
        }
    }
}

impl OpenPage {
    fn take(&mut self, destination: &mut dyn Destination, chunk: &[u8]) -> Result<(), SyncError> {
        self.taken.bytes += chunk.len() as u64;
        for rows in self.cutter.push(chunk)? {
            self.taken.note(rows);
            destination.rows(rows)?;
        }
        Ok(())
    }
}

impl Taken {
    fn note(&mut self, rows: Rows<'_>) {
        self.first.get_or_insert_with(|| {
            let end = RowScan::first(rows.text).unwrap_or(rows.text.len());
            let mut hasher = DefaultHasher::new();
            hasher.write(&rows.text[..end]);
            hasher.finish()
        });
        self.rows += rows.count;
    }
}

//! Where rows land. One file or folder a destination; each keeps its checkpoint together with its rows.
//!
//! A destination knows nothing of Salesforce: it takes [`Rows`] and gives back counts.

mod error;
mod folder;
mod lines;
mod sqlite;
#[cfg(test)]
mod tests;
mod trouble;

use std::fmt::Debug;

use super::{Checkpoint, Column, Rows};
use crate::base::job::{Deletes, DestinationPlace, Nul};
use crate::base::{JobName, ObjectName, UnixSeconds};

pub use error::DestinationError;
pub use folder::{Folder, Format};
pub use lines::Lines;
pub use sqlite::Sqlite;
use trouble::{io_error, out_of_order, page_error, room_at};

/// The destination of `job` at `place`. Nothing is opened or made yet.
pub fn open(place: &DestinationPlace, job: &JobName) -> Box<dyn Destination> {
    match place {
        DestinationPlace::Sqlite(path) => Box::new(Sqlite::new(path, job.clone())),
        DestinationPlace::Csv(path) => Box::new(Folder::new(path, job.clone(), Format::Csv)),
        DestinationPlace::Jsonl(path) => Box::new(Folder::new(path, job.clone(), Format::Jsonl)),
        DestinationPlace::Stdout => Box::new(Lines::new(std::io::stdout())),
    }
}

/// Where the field stands that tells when a row changed, by the names that Salesforce gives it; the first that is there.
pub fn stamp_column(columns: &[Column]) -> Option<usize> {
    let at = |name: &str| columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
    ["SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime"].into_iter().find_map(at)
}

/// What a run is about to write.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The run; the same as that of the checkpoint where a killed one goes on.
    pub run_id: String,
    /// The fencing epoch of the lease. [`Destination::begin`] claims the destination for it: from then on, whoever holds
    /// an older one writes nothing more.
    pub epoch: u64,
    /// When it began, by this machine's clock: `_sfmint_synced_at`.
    pub at: UnixSeconds,
    /// What the rows are called.
    pub object: ObjectName,
    /// The columns of every row, in order.
    pub columns: Vec<Column>,
    /// Where `Id` stands among them; none for queries without it, whose rows are only ever replaced whole.
    pub id: Option<usize>,
    /// Where the field stands that tells when a row changed.
    pub stamp: Option<usize>,
    /// Where `IsDeleted` stands, where deleted rows are asked for.
    pub is_deleted: Option<usize>,
    /// Whether the rows replace all that is there, as a new generation, at [`Destination::publish`].
    pub whole: bool,
    /// Rows that changed before this were delivered before; the overlap starts here. None with `whole`.
    pub low: Option<UnixSeconds>,
    /// What becomes of rows with `IsDeleted` true.
    pub deletes: Deletes,
    /// What becomes of NUL characters.
    pub nul: Nul,
}

/// What became of a page's rows: received = written + unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Landed {
    /// Rows that were new or differed.
    pub written: u64,
    /// Rows that were there already, with the same Id and stamp.
    pub unchanged: u64,
    /// Of the written ones, those with `IsDeleted` true.
    pub deleted: u64,
    /// NUL characters that were replaced or left out.
    pub nuls: u64,
}

/// A row that a destination holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<'a> {
    /// Its Id, 18 characters.
    pub id: &'a str,
    /// When it last changed, as the org wrote it, where the destination keeps that.
    pub stamp: Option<&'a str>,
    /// Whether it is known to be deleted, by `IsDeleted` or by `_sfmint_deleted_at`.
    pub is_deleted: bool,
}

/// Takes a job's rows. Blocking; a run keeps it on a thread of its own.
///
/// The order of calls: [`checkpoint`](Self::checkpoint), [`begin`](Self::begin), then for each page
/// [`begin_page`](Self::begin_page), [`rows`](Self::rows) any number of times, and [`commit_page`](Self::commit_page) or
/// [`discard_page`](Self::discard_page); at the end [`publish`](Self::publish) or [`abandon`](Self::abandon).
/// A process that is killed anywhere leaves what the last `commit_page` or `publish` left.
pub trait Destination: Send + Debug {
    /// What it knows of itself; none where this job never wrote here.
    ///
    /// # Errors
    ///
    /// [`DestinationError::Foreign`]: what is there is not ours. [`DestinationError::Damaged`].
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>, DestinationError>;

    /// Whether rows can be read back, and a checkpoint kept. Standard output keeps neither.
    fn keeps(&self) -> bool {
        true
    }

    /// Makes ready for rows: claims the destination for the landing's epoch, makes or widens the table, opens or goes on
    /// with a stage.
    ///
    /// Where `landing.run_id` is not that of the checkpoint's run, what an earlier run staged is thrown away.
    ///
    /// # Errors
    ///
    /// [`DestinationError::Full`], [`DestinationError::Io`] — *disk*; [`DestinationError::Busy`],
    /// [`DestinationError::Fenced`] — *transient*; [`DestinationError::Foreign`] — *misuse*.
    fn begin(&mut self, landing: &Landing) -> Result<(), DestinationError>;

    /// A page begins.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin).
    fn begin_page(&mut self) -> Result<(), DestinationError>;

    /// Takes whole rows of the page.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin); [`DestinationError::Row`]: a row that is no row of these columns — *data*.
    fn rows(&mut self, rows: Rows<'_>) -> Result<(), DestinationError>;

    /// Makes the page and `checkpoint` last, both or neither. What becomes of the rows is counted.
    ///
    /// The counts in the run of `checkpoint` are those before this page; the destination adds its own before it keeps it.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin); [`DestinationError::Fenced`]: a newer lease has written here — *transient*.
    fn commit_page(&mut self, checkpoint: &mut Checkpoint) -> Result<Landed, DestinationError>;

    /// Takes the page back: it did not come whole.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin).
    fn discard_page(&mut self) -> Result<(), DestinationError>;

    /// Every row that is held, newest form of each Id, in any order.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin), and those of `visit`.
    fn held(
        &mut self,
        visit: &mut dyn FnMut(Held<'_>) -> Result<(), DestinationError>,
    ) -> Result<(), DestinationError>;

    /// Marks or removes rows that the org no longer has; with the checkpoint, both or neither. Answers how many.
    ///
    /// # Errors
    ///
    /// Those of [`commit_page`](Self::commit_page).
    fn gone(
        &mut self,
        ids: &mut dyn Iterator<Item = String>,
        at: UnixSeconds,
        checkpoint: &Checkpoint,
    ) -> Result<u64, DestinationError>;

    /// The run is complete: what was staged takes the place of what was there, with the checkpoint, at once.
    ///
    /// # Errors
    ///
    /// Those of [`commit_page`](Self::commit_page).
    fn publish(&mut self, checkpoint: &Checkpoint) -> Result<(), DestinationError>;

    /// The run's rows are in doubt: what was staged is thrown away, and the checkpoint stands as it is given.
    /// Rows of an incremental run that are committed stay: they are the org's, only not known to be all.
    ///
    /// # Errors
    ///
    /// Those of [`commit_page`](Self::commit_page).
    fn abandon(&mut self, checkpoint: &Checkpoint) -> Result<(), DestinationError>;
}

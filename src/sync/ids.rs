use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ask::{Question, ask, forget};
use super::completeness::agree;
use super::csv::RowReader;
use super::destination::{Destination, DestinationError, Held, Landed, Landing};
use super::lander::Lander;
use super::pull::Pull;
use super::scratch::{Scratch, Side};
use super::{Checkpoint, Column, ColumnKind, Progress, Rows, SyncError, World};
use crate::base::UnixSeconds;
use crate::base::job::Job;

/// Reads Ids (and, where the query has them, stamps and `IsDeleted`) into one side of a scratch file, every row counted.
///
/// # Errors
///
/// Those of a pull; [`SyncError::InDoubt`] where the counts disagree.
pub(super) async fn read(
    world: &World<'_>,
    job: &Job,
    scratch: &Arc<Mutex<Scratch>>,
    side: Side,
    query: &IdQuery,
    all: bool,
) -> Result<(), SyncError> {
    let question = Question { soql: &query.soql, count: Some(&query.count), all, transport: job.transport };
    let answerer = ask(world.client, &question, |_| async { Ok(()) }).await?;
    let columns = query.columns();
    let reader = IdReader { scratch: scratch.clone(), side, columns: columns.clone(), rows: 0 };
    let pull = Pull {
        client: world.client,
        lander: &Lander::start(Box::new(reader)),
        open: answerer.pages(world.client, &query.soql, all, &columns),
        columns,
        processed: answerer.processed(),
        budget: job.api_budget_percent,
        stopping: world.stopping,
        tell: &|_| {},
    };
    let run = Progress::new("", &query.soql, all, true, world.clock.now());
    let pulled = pull.all(&mut Checkpoint { run: Some(run), ..Checkpoint::blank(job) }, None).await;
    if let Some(bulk) = answerer.bulk() {
        forget(world.client, bulk).await;
    }
    agree(&pulled?.counts).map_err(SyncError::InDoubt)
}

/// A query for `Id` and, where the object has them, the stamp and `IsDeleted`, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdQuery {
    /// The query.
    pub soql: String,
    /// The same for the number of rows.
    pub count: String,
    /// The stamp's field.
    pub stamp: Option<String>,
    /// Whether `IsDeleted` comes along.
    pub is_deleted: bool,
}

impl IdQuery {
    fn columns(&self) -> Vec<Column> {
        let stamp = self.stamp.as_ref().map(|name| Column::new(name.clone(), ColumnKind::DateTime));
        let is_deleted = self.is_deleted.then(|| Column::new("IsDeleted", ColumnKind::Bool));
        [Some(Column::new("Id", ColumnKind::Id)), stamp, is_deleted].into_iter().flatten().collect()
    }
}

/// One side of a scratch file as something that rows land in. Nothing is ever taken back: an Id that the org has shown
/// it has shown, and one that comes again counts once.
#[derive(Debug)]
struct IdReader {
    scratch: Arc<Mutex<Scratch>>,
    side: Side,
    columns: Vec<Column>,
    /// Rows of the page.
    rows: u64,
}

impl IdReader {
    fn scratch(&self) -> MutexGuard<'_, Scratch> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, kind: ColumnKind) -> Option<usize> {
        self.columns.iter().position(|column| column.kind == kind)
    }
}

impl Destination for IdReader {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>, DestinationError> {
        Ok(None)
    }

    fn begin(&mut self, _: &Landing) -> Result<(), DestinationError> {
        Ok(())
    }

    fn begin_page(&mut self) -> Result<(), DestinationError> {
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), DestinationError> {
        let (stamp, is_deleted) = (self.place(ColumnKind::DateTime), self.place(ColumnKind::Bool));
        let scratch = self.scratch();
        let mut reader = RowReader::new(rows.text, self.columns.len());
        let mut cells = Vec::new();
        let misfit = |error: super::csv::Misfit| DestinationError::Row { row: error.row, why: error.why };
        let mut count = 0;
        while reader.next_row(&mut cells).map_err(misfit)?.is_some() {
            let text =
                |at: usize| cells.get(at).map(|cell| String::from_utf8_lossy(&cell.value()).into_owned());
            let stamp = stamp.and_then(text).filter(|stamp| !stamp.is_empty());
            let deleted = is_deleted.and_then(text).as_deref() == Some("true");
            let added = scratch.add(self.side, &text(0).unwrap_or_default(), stamp.as_deref(), deleted);
            count += 1;
            added.map_err(|error| DestinationError::Refused {
                place: "the scratch file".into(),
                source: error.into(),
            })?;
        }
        drop(scratch);
        self.rows += count;
        Ok(())
    }

    fn commit_page(&mut self, checkpoint: &mut Checkpoint) -> Result<Landed, DestinationError> {
        let landed = Landed { written: std::mem::take(&mut self.rows), ..Landed::default() };
        checkpoint.count(landed);
        Ok(landed)
    }

    fn discard_page(&mut self) -> Result<(), DestinationError> {
        self.rows = 0;
        Ok(())
    }

    fn held(
        &mut self,
        _: &mut dyn FnMut(Held<'_>) -> Result<(), DestinationError>,
    ) -> Result<(), DestinationError> {
        Ok(())
    }

    fn gone(
        &mut self,
        _: &mut dyn Iterator<Item = String>,
        _: UnixSeconds,
        _: &Checkpoint,
    ) -> Result<u64, DestinationError> {
        Ok(0)
    }

    fn publish(&mut self, _: &Checkpoint) -> Result<(), DestinationError> {
        Ok(())
    }

    fn abandon(&mut self, _: &Checkpoint) -> Result<(), DestinationError> {
        Ok(())
    }
}

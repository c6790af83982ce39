use std::collections::HashSet;
use std::time::Duration;

use tracing::{debug, warn};

use crate::api::{ApiError, Client};
use crate::base::{Explain, Fault};

use super::completeness::Counts;
use super::csv::PageError;
use super::extract::{Fetched, Next, PageStream};
use super::lander::Lander;
use super::page::Taken;
use super::{Checkpoint, Column, SyncError, budget};

/// How often a page that did not come whole is asked for.
const ATTEMPTS: u32 = 3;

/// Opens the pages of a result from a locator on.
pub(super) type Opener = Box<dyn Fn(Option<String>) -> PageStream + Send + Sync>;

/// Takes the pages of one result into a destination, one after the other, and counts.
pub(super) struct Pull<'a> {
    pub client: &'a Client,
    pub lander: &'a Lander,
    pub open: Opener,
    /// The columns of every row.
    pub columns: Vec<Column>,
    /// `numberRecordsProcessed`, where a job tells it before the pages come.
    pub processed: Option<u64>,
    /// `api_budget_percent`.
    pub budget: u8,
    /// Asked between pages whether to stop.
    pub stopping: &'a (dyn Fn() -> bool + Send + Sync),
    /// Told after each page.
    pub tell: &'a (dyn Fn(&Counts) + Send + Sync),
}

/// What the pages of a result brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pulled {
    pub counts: Counts,
    pub bytes: u64,
    pub nuls: u64,
    pub deleted: u64,
}

impl Pull<'_> {
    /// Takes page after page to the last, each whole or not at all, each together with the checkpoint.
    ///
    /// A page that breaks off is taken back and asked for again; so is one with more or fewer rows than it announces, once.
    /// Nothing that looks like an end is believed: see the errors.
    ///
    /// # Errors
    ///
    /// - [`SyncError::Torn`], [`SyncError::Repeated`], [`SyncError::Circle`], [`SyncError::Empty`],
    ///   [`SyncError::NoWayOn`] — *data*.
    /// - [`SyncError::Spent`], [`SyncError::Interrupted`] — *transient*: what is committed is kept and read on from.
    /// - Those of the API and of the destination.
    pub async fn all(&self, checkpoint: &mut Checkpoint, from: Option<String>) -> Result<Pulled, SyncError> {
        let before = checkpoint.run.as_ref().map_or(0, |run| run.received);
        let mut received = before;
        // Pages of an earlier process were compared with their headers then; what they announced is what they brought.
        let mut pulled = Pulled {
            counts: Counts {
                announced: Some(before),
                processed: self.processed,
                ..counts(received, checkpoint)
            },
            ..Pulled::default()
        };
        let mut seen: HashSet<Option<String>> = HashSet::from([from.clone()]);
        let mut firsts: HashSet<u64> = HashSet::new();
        let mut pages = (self.open)(from.clone());
        let mut number =
            checkpoint.run.as_ref().and_then(|run| run.bulk.as_ref()).map_or(0, |bulk| bulk.pages);
        let mut at = from;
        let mut attempts = 0;
        loop {
            if (self.stopping)() {
                return Err(SyncError::Interrupted);
            }
            budget::may_go_on(self.client.usage().as_ref(), self.budget)?;
            let (taken, page) = match self.page(&mut pages, number + 1).await {
                Ok(Some(taken)) => taken,
                Ok(None) => {
                    return Err(SyncError::NoWayOn {
                        page: number,
                        received: pulled.counts.received,
                        processed: pulled.counts.processed.unwrap_or(pulled.counts.received),
                    });
                }
                Err(error) => {
                    self.lander.with(|desk| desk.discard()).await?;
                    attempts += 1;
                    if !may_heal(&error) || attempts >= ATTEMPTS {
                        return Err(error);
                    }
                    warn!(
                        page.number = number + 1,
                        http.attempt = attempts,
                        error.code = error.code(),
                        "page {} did not come whole ({error}): asking for it again",
                        number + 1
                    );
                    tokio::time::sleep(Duration::from_millis(250 << attempts)).await;
                    pages = (self.open)(at.clone());
                    continue;
                }
            };
            attempts = 0;
            number += 1;
            self.judge(number, &taken, &page, &mut seen, &mut firsts, &pulled.counts).await?;
            let ended = !matches!(page.next, Next::More(_));
            at = match &page.next {
                Next::More(next) => Some(next.clone()),
                _ => None,
            };
            // Counted here, apart from what the destination counts: the two are compared in the end.
            received += taken.rows;
            if let Some(bulk) = checkpoint.run.as_mut().and_then(|run| run.bulk.as_mut()) {
                (bulk.locator, bulk.pages, bulk.ended) = (at.clone(), number, ended);
            }
            let mut kept = checkpoint.clone();
            let (landed, kept) =
                self.lander.with(move |desk| desk.commit(&mut kept).map(|landed| (landed, kept))).await?;
            *checkpoint = kept;
            pulled.nuls += landed.nuls;
            pulled.deleted += landed.deleted;
            pulled.bytes += taken.bytes;
            let announced = pulled.counts.announced.zip(page.announced).map(|(sum, rows)| sum + rows);
            let processed = pulled.counts.processed.or(page.total);
            pulled.counts = Counts { announced, processed, ..counts(received, checkpoint) };
            (self.tell)(&pulled.counts);
            debug!(
                page.number = number,
                page.rows = taken.rows,
                page.bytes = taken.bytes,
                "page {number} is written"
            );
            if ended {
                let Counts { processed, received, .. } = pulled.counts;
                return match (&page.next, processed) {
                    (Next::Missing, Some(processed)) if processed != received => {
                        Err(SyncError::NoWayOn { page: number, received, processed })
                    }
                    (Next::Missing, None) => {
                        Err(SyncError::NoWayOn { page: number, received, processed: received })
                    }
                    _ => Ok(pulled),
                };
            }
        }
    }

    /// One page, taken in and not yet committed; `None` where the stream ended before it.
    async fn page(&self, pages: &mut PageStream, number: u64) -> Result<Option<(Taken, Fetched)>, SyncError> {
        let Some(mut page) = pages.next().await? else { return Ok(None) };
        let columns = self.columns.clone();
        self.lander.with(move |desk| desk.begin(&columns)).await?;
        while let Some(chunk) = page.chunks.recv().await {
            let chunk = chunk?;
            self.lander.give(move |desk| desk.take(&chunk)).await?;
        }
        let taken = self.lander.with(|desk| desk.end()).await?;
        match page.announced {
            Some(announced) if announced != taken.rows => {
                Err(SyncError::Torn { page: number, announced, received: taken.rows })
            }
            _ => Ok(Some((taken, page))),
        }
    }

    /// Doubts a page that looks like none: one that came before, one that leads back, an empty one that leads on.
    async fn judge(
        &self,
        number: u64,
        taken: &Taken,
        page: &Fetched,
        seen: &mut HashSet<Option<String>>,
        firsts: &mut HashSet<u64>,
        counts: &Counts,
    ) -> Result<(), SyncError> {
        let leads_on = matches!(page.next, Next::More(_));
        let error = if taken.first.is_some_and(|first| !firsts.insert(first)) {
            SyncError::Repeated { page: number }
        } else if let Next::More(next) = &page.next
            && !seen.insert(Some(next.clone()))
        {
            SyncError::Circle { page: number }
        } else if leads_on && taken.rows == 0 {
            SyncError::Empty { page: number }
        } else if let (Some(processed), true) = (counts.processed, counts.received + taken.rows > 0)
            && counts.received + taken.rows > processed
        {
            SyncError::InDoubt(super::completeness::Doubt::Processed {
                processed,
                received: counts.received + taken.rows,
            })
        } else {
            return Ok(());
        };
        self.lander.with(|desk| desk.discard()).await?;
        Err(error)
    }
}

/// What was received, beside what the destination made of it.
fn counts(received: u64, checkpoint: &Checkpoint) -> Counts {
    let run = checkpoint.run.as_ref();
    Counts {
        announced: None,
        processed: None,
        received,
        written: run.map_or(0, |run| run.written),
        unchanged: run.map_or(0, |run| run.unchanged),
    }
}

/// Whether a page may come whole when it is asked for again.
fn may_heal(error: &SyncError) -> bool {
    match error {
        SyncError::Torn { .. } | SyncError::Page(PageError::CutShort { .. }) => true,
        SyncError::Api(ApiError::CursorGone { .. } | ApiError::BulkJobGone { .. }) => false,
        SyncError::Api(error) => error.fault() == Fault::Transient,
        SyncError::Destination(error) => error.code() == "destination.row",
        _ => false,
    }
}

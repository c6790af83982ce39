use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracing::{debug, info, warn};

use super::bulk_rows::{BulkRows, Trouble};
use super::output::Output;
use super::{Format, Verb};
use crate::api::bulk::query::{self, NextPage, Operation, Pages, QueryJob, ResultPage};
use crate::api::bulk::{Poll, refused_by_bulk};
use crate::api::{ApiError, Client};
use crate::base::{ConnectionName, Explain};
use crate::cli::Exit;
use crate::cli::report::told_of;

/// Rows that a page holds at most. What breaks off is read again from the page's beginning, and each page is a call.
const PAGE: u64 = 100_000;

/// How often a page is read where it breaks off.
const READINGS: u32 = 3;

/// How long cleaning up in the org may keep a process that wants to end.
const CLEANING: Duration = Duration::from_secs(5);

/// A job that this process made and does not need any more, or could not finish with.
#[derive(Debug, Default)]
pub struct Abandoned(Mutex<Option<QueryJob>>);

impl Abandoned {
    fn set(&self, job: Option<QueryJob>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = job;
    }

    /// Aborts and deletes the job, where there is one. That it cannot be done is no error: the org does it after seven
    /// days.
    pub async fn clean_up(&self, client: &Client) {
        let job = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(job) = job else { return };
        let cleaned = async {
            query::abort(client, &job).await?;
            query::delete(client, &job).await
        };
        match tokio::time::timeout(CLEANING, cleaned).await {
            Ok(Ok(())) => info!(bulk.job = %job.id, "aborted and deleted Bulk job {}", job.id),
            Ok(Err(error)) => debug!(bulk.job = %job.id, "a Bulk job is left in the org: {error}"),
            Err(_) => debug!(bulk.job = %job.id, "a Bulk job is left in the org: no answer in time"),
        }
    }
}

/// How a query by Bulk ended.
pub enum Ended {
    /// With all rows.
    Done(Exit),
    /// Before it began: Bulk cannot do this query, REST may.
    AskRest(Output),
}

/// Runs a query by Bulk: one job, its pages one after the other, the next one asked for while one is written.
pub async fn run(
    client: &Client,
    verb: &Verb,
    format: Format,
    out: Output,
    abandoned: &Abandoned,
    name: &ConnectionName,
) -> anyhow::Result<Ended> {
    let job = match complete(client, verb, abandoned).await {
        Ok(job) => job,
        Err(error) => match refused_by_bulk(&error) {
            Some(reason) => {
                warn!(connection.name = %name, error.code = error.code(), "{reason}: asking by REST");
                return Ok(Ended::AskRest(out));
            }
            None => return Err(told_of(name)(error)),
        },
    };
    let mut rows = BulkRows::new(format, &verb.soql, out);
    match read(client, &job, &mut rows).await {
        Ok(()) => {
            abandoned.set(None);
            rows.end().map(Ended::Done)
        }
        Err(Trouble::Api(error)) => Err(told_of(name)(error)),
        Err(Trouble::Columns(complaint)) => Err(told_of(name)(complaint)),
        // The reader of a pipe that has seen enough ends the job too.
        Err(Trouble::Output(error)) => rows.out.failed(error).map(Ended::Done),
    }
}

async fn complete(client: &Client, verb: &Verb, abandoned: &Abandoned) -> Result<QueryJob, ApiError> {
    let operation = if verb.all { Operation::QueryAll } else { Operation::Query };
    let mut job = query::create(client, operation, &verb.soql).await?;
    abandoned.set(Some(job.clone()));
    info!(bulk.job = %job.id, "made Bulk job {} for {}", job.id, job.object);
    job.wait(client, &Poll::default(), |job| {
        info!(bulk.job = %job.id, "Bulk job {}: {}, {} rows", job.id, job.state, job.records_processed.unwrap_or(0));
    })
    .await?;
    Ok(job)
}

/// Reads every page, the next one opened meanwhile since the org may need seconds to begin it; says that all rows came.
async fn read(client: &Client, job: &QueryJob, rows: &mut BulkRows<'_>) -> Result<(), Trouble> {
    let mut pages = Pages::new(client, job, None, Some(PAGE));
    let mut last = NextPage::Last;
    let mut next = pages.next().await?;
    while let Some(page) = next {
        last = page.next.clone();
        let (landed, following) = tokio::join!(one_page(client, job, rows, page), pages.next());
        landed?;
        next = following?;
    }
    agree(rows.received(), pages.announced(), pages.expected(), &last)?;
    Ok(())
}

/// Reads one page into the rows; from its beginning again where it breaks off and what was written can be taken back.
async fn one_page(
    client: &Client,
    job: &QueryJob,
    rows: &mut BulkRows<'_>,
    mut page: ResultPage,
) -> Result<(), Trouble> {
    let place = rows.place()?;
    for reading in 1.. {
        let announced = page.rows;
        let error = match rows.page(client, job, &mut page).await {
            Ok(received) if announced.is_none_or(|announced| announced == received) => return Ok(()),
            Ok(received) => ApiError::RowsDiffer { expected: announced.unwrap_or(received), received },
            Err(Trouble::Api(error @ ApiError::BrokenOff { .. })) => error,
            Err(trouble) => return Err(trouble),
        };
        let Some(place) = place.as_ref().filter(|_| reading < READINGS) else { return Err(error.into()) };
        warn!(bulk.job = %job.id, error.code = error.code(), "a page did not come whole: reading it again ({error})");
        rows.go_back(place)?;
        page = query::page(client, job, page.at.as_ref(), Some(PAGE)).await?;
    }
    Ok(())
}

/// Whether all rows came: those that were counted, those that the pages announced and those that the job holds must be
/// as many, and a result that does not say that it ends has ended only where the job's own count says so.
fn agree(
    received: u64,
    announced: Option<u64>,
    expected: Option<u64>,
    last: &NextPage,
) -> Result<(), ApiError> {
    let differs = [announced, expected].into_iter().flatten().find(|count| *count != received);
    match (differs, last, expected) {
        (Some(expected), ..) => Err(ApiError::RowsDiffer { expected, received }),
        (None, NextPage::Last, _) | (None, _, Some(_)) => Ok(()),
        (None, ..) => Err(ApiError::RowsDiffer { expected: received + 1, received }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Peers T7: three counts agree, or the run fails.
    #[test]
    fn a_result_is_whole_where_every_count_says_so() {
        let whole = |announced, expected, last| agree(3, announced, expected, &last).is_ok();
        assert!(whole(Some(3), Some(3), NextPage::Last));
        assert!(whole(None, Some(3), NextPage::Missing));
        assert!(whole(Some(3), None, NextPage::Last));
        assert!(!whole(Some(4), Some(3), NextPage::Last));
        assert!(!whole(Some(3), Some(2), NextPage::Last));
        assert!(!whole(Some(3), None, NextPage::Missing));
    }
}

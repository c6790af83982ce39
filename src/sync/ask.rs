use std::sync::Arc;

use tracing::info;

use crate::api::bulk::query::{Operation, QueryJob, abort, create, delete};
use crate::api::bulk::{Poll, refused_by_bulk};
use crate::api::rest::query;
use crate::api::{ApiError, Client};
use crate::base::job::Transport;

use super::pull::Opener;
use super::{Column, SyncError, extract};

/// Results of at most so many rows come by REST: one call brings them, where a Bulk job takes four or more and some
/// seconds. Salesforce's own rule of thumb for choosing Bulk (Bulk API 2.0 guide, "How Requests Are Processed").
const SMALL: u64 = 2_000;

/// Longer queries do not fit into a URL once they are encoded. Characters.
const LONGEST_BY_REST: usize = 10_000;

/// One question about rows.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    pub soql: &'a str,
    /// The same for the number of rows; none where that cannot be asked: such a query is REST's.
    pub count: Option<&'a str>,
    /// Whether deleted rows are asked for too.
    pub all: bool,
    pub transport: Transport,
}

/// Who is going to answer.
#[derive(Clone, Debug)]
pub(super) enum Answerer {
    /// A Bulk job that is complete.
    Bulk(QueryJob),
    /// REST, page by page.
    Rest,
}

impl Answerer {
    /// The Bulk job, where it is one.
    pub fn bulk(&self) -> Option<&QueryJob> {
        match self {
            Self::Bulk(job) => Some(job),
            Self::Rest => None,
        }
    }

    /// How many rows there are, where that is told before they come.
    pub fn processed(&self) -> Option<u64> {
        self.bulk().and_then(|job| job.records_processed)
    }

    /// Opens the pages of the answer.
    pub fn pages(&self, client: &Client, soql: &str, all: bool, columns: &[Column]) -> Opener {
        let client = client.clone();
        match self.clone() {
            Self::Bulk(job) => Box::new(move |from| extract::bulk_pages(&client, &job, from, None)),
            Self::Rest => {
                let (soql, columns): (String, Arc<[Column]>) = (soql.to_string(), columns.into());
                // A cursor of REST ends soon and cannot be trusted to begin where it did: a page that broke off
                // is asked for by the same URL, which is read again, not moved on.
                Box::new(move |from| extract::rest_pages(&client, &soql, all, columns.clone(), from))
            }
        }
    }
}

/// Finds out who answers a question, and waits for a Bulk job until its result is there.
///
/// Small results come by REST, and so does what Bulk refuses; each is said. `created` hears of a job as soon as it is
/// there, before it is waited for: a process that is killed then can go on with it. A job that somebody aborted is made
/// once more.
///
/// # Errors
///
/// Those of the API.
pub(super) async fn ask<F, Fut>(
    client: &Client,
    question: &Question<'_>,
    mut created: F,
) -> Result<Answerer, SyncError>
where
    F: FnMut(QueryJob) -> Fut,
    Fut: Future<Output = Result<(), SyncError>>,
{
    match question.transport {
        // A query of some hundred columns does not fit into a URL.
        Transport::Auto if question.soql.len() > LONGEST_BY_REST => {}
        Transport::Rest => return Ok(Answerer::Rest),
        Transport::Auto if is_small(client, question).await? => return Ok(Answerer::Rest),
        _ => {}
    }
    let operation = if question.all { Operation::QueryAll } else { Operation::Query };
    let mut tries = 0;
    loop {
        tries += 1;
        let mut job = match create(client, operation, question.soql).await {
            Ok(job) => job,
            Err(error) => return instead(question, error),
        };
        created(job.clone()).await?;
        match job.wait(client, &Poll::default(), |_| {}).await {
            Ok(()) => return Ok(Answerer::Bulk(job)),
            Err(error @ ApiError::BulkAborted { .. }) if tries < 2 => {
                info!("somebody aborted Bulk job {}: making another ({error})", job.id.as_str());
                forget(client, &job).await;
            }
            Err(error @ ApiError::BulkFailed { .. }) => {
                forget(client, &job).await;
                return instead(question, error);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// REST, where it is that Bulk cannot do this and REST is allowed.
fn instead(question: &Question<'_>, error: ApiError) -> Result<Answerer, SyncError> {
    match refused_by_bulk(&error).filter(|_| question.transport == Transport::Auto) {
        Some(reason) => {
            info!("reading by REST: {reason}");
            Ok(Answerer::Rest)
        }
        None => Err(error.into()),
    }
}

async fn is_small(client: &Client, question: &Question<'_>) -> Result<bool, SyncError> {
    let Some(soql) = question.count else { return Ok(true) };
    match query(client, soql, question.all).next().await {
        Ok(page) => Ok(page.and_then(|page| page.total).is_some_and(|rows| rows <= SMALL)),
        // Too many rows to count in the two minutes that the org allows are no small result.
        Err(ApiError::QueryTimeout { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Takes a job away from the org; what cannot be taken goes by itself after seven days.
pub(super) async fn forget(client: &Client, job: &QueryJob) {
    let gone = async {
        if !job.state.is_final() {
            abort(client, job).await?;
        }
        delete(client, job).await
    };
    if let Err(error) = gone.await {
        info!("Bulk job {} is left in the org, which forgets it after seven days: {error}", job.id.as_str());
    }
}

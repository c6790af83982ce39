use tokio::sync::mpsc;

use super::{CHUNKS, Fetched, Next, PageStream, stream};
use crate::api::bulk::query::{Locator, NextPage, QueryJob, page};
use crate::api::{ApiError, Client};

/// The pages of a complete Bulk job, from a locator on.
pub(in crate::sync) fn pages(
    client: &Client,
    job: &QueryJob,
    from: Option<String>,
    most_rows: Option<u64>,
) -> PageStream {
    let job = job.clone();
    stream(client, from, move |client, locator| {
        let job = job.clone();
        async move { open(&client, &job, locator, most_rows).await }
    })
}

async fn open(
    client: &Client,
    job: &QueryJob,
    locator: Option<String>,
    most_rows: Option<u64>,
) -> Result<Fetched, ApiError> {
    let at = locator.as_deref().and_then(Locator::new);
    let mut page = page(client, job, at.as_ref(), most_rows).await?;
    let next = match &page.next {
        NextPage::More(next) => Next::More(next.as_str().to_string()),
        NextPage::Last => Next::Last,
        NextPage::Missing => Next::Missing,
    };
    let (found, chunks) = mpsc::channel(CHUNKS);
    tokio::spawn(async move {
        while let Some(chunk) = page.body.chunk().await.transpose() {
            let broken = chunk.is_err();
            if found.send(chunk).await.is_err() || broken {
                return;
            }
        }
    });
    Ok(Fetched { announced: page.rows, total: job.records_processed, next, chunks })
}

use std::collections::HashSet;

use serde::Deserialize;

use crate::api::bulk::job;
use crate::api::{ApiError, Client};

use super::{Locator, QueryJob};

/// A page that the org names before anybody read the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AheadPage {
    /// Where it begins; `None` for the first page.
    pub locator: Option<Locator>,
    /// Its rows at most, where the org says; [`page()`](super::page()) is to be asked with the same.
    pub max_records: Option<u64>,
}

/// The pages of a result, named ahead so that several can be read at once; five or so in each answer.
#[derive(Debug)]
pub struct Ahead {
    client: Client,
    job: QueryJob,
    ready: Option<Vec<AheadPage>>,
    next: Option<String>,
    seen: HashSet<String>,
}

/// The resource in both spellings of its cursor: the guide's table has one, its text the other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    result_pages: Vec<Entry>,
    next_records_url: Option<String>,
    next_record_url: Option<String>,
    done: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    result_url: String,
}

/// Asks a complete job for its pages ahead; `None` where the org does not know such a resource (API versions below 58).
///
/// # Errors
///
/// - [`ApiError::BulkState`]: the job is not complete, or was made with another API version (409). *Data*.
/// - Those of [`Client::send`].
///
/// # Source
///
/// Bulk API 2.0 guide, "Get Parallel Results for a Query Job".
pub async fn result_pages(client: &Client, job: &QueryJob) -> Result<Option<Ahead>, ApiError> {
    let mut ahead = Ahead {
        client: client.clone(),
        job: job.clone(),
        ready: None,
        next: Some(job.path("/resultPages")),
        seen: HashSet::new(),
    };
    match ahead.fetch().await {
        Ok(pages) => {
            ahead.ready = pages;
            Ok(Some(ahead))
        }
        Err(ApiError::BulkJobGone { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Ahead {
    /// The next pages; `None` after the last.
    ///
    /// # Errors
    ///
    /// [`ApiError::BulkCircle`]: a page is named a second time. *Data*. Else those of [`result_pages`].
    pub async fn next(&mut self) -> Result<Option<Vec<AheadPage>>, ApiError> {
        match self.ready.take() {
            Some(pages) => Ok(Some(pages)),
            None => self.fetch().await,
        }
    }

    async fn fetch(&mut self) -> Result<Option<Vec<AheadPage>>, ApiError> {
        let Some(path) = self.next.take() else { return Ok(None) };
        let wire: Wire = job::look(&self.client, path, &self.job.id).await?;
        let circle = || ApiError::BulkCircle { job: self.job.id.clone() };
        if let Some(entry) =
            wire.result_pages.iter().find(|entry| !self.seen.insert(entry.result_url.clone()))
        {
            tracing::debug!("a page was named twice: {}", crate::base::printable(&entry.result_url, 200));
            return Err(circle());
        }
        self.next = wire.next_records_url.or(wire.next_record_url).filter(|_| wire.done != Some(true));
        if let Some(next) = &self.next
            && !self.seen.insert(next.clone())
        {
            return Err(circle());
        }
        Ok(Some(wire.result_pages.iter().map(|entry| read(&entry.result_url)).collect()))
    }
}

/// `/services/data/v67.0/jobs/query/750.../results?locator=MTAw&maxRecords=50000`.
fn read(url: &str) -> AheadPage {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let field = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.into_owned())
    };
    AheadPage {
        locator: field("locator").as_deref().and_then(Locator::new),
        max_records: field("maxRecords").and_then(|text| text.parse().ok()),
    }
}

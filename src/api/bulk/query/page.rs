use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::bulk::job;
use crate::api::{ApiError, Client, Request, Streaming};

use super::QueryJob;

/// The most that is read of one page, after decompression. Bytes.
///
/// A page is handed on as it arrives, so this bounds no memory; it ends an answer that would not end.
pub const MOST_PAGE: usize = u32::MAX as usize;

/// Where a page of a result begins. Opaque; the same one can be read again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Locator(String);

impl Locator {
    /// A locator from its text; `None` for nothing and for the word `null`, which ends a result.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty() && text != "null").then(|| Self(text.to_string()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a page says of the one after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextPage {
    /// It is there.
    More(Locator),
    /// There is none: the header holds the word `null`.
    Last,
    /// The header is missing. Whether the result ends here is for the counts to say.
    Missing,
}

impl NextPage {
    /// Reads the `Sforce-Locator` header.
    pub fn read(header: Option<&str>) -> Self {
        match header.map(str::trim) {
            None | Some("") => NextPage::Missing,
            Some(text) => Locator::new(text).map_or(NextPage::Last, NextPage::More),
        }
    }
}

/// A page of a result, its body still to be read.
#[derive(Debug)]
pub struct ResultPage {
    /// Where it begins: it can be opened again there. None for the first page.
    pub at: Option<Locator>,
    /// Rows on this page, as its header says; the header line is none of them.
    pub rows: Option<u64>,
    /// What follows.
    pub next: NextPage,
    /// The CSV, header line first.
    pub body: Streaming,
}

/// Opens a page of a complete job's result; the first without a locator.
///
/// # Shape
///
/// `max_records` bounds the rows of the page; without it the org decides. The body comes compressed as
/// [`Client::compressing`] says.
///
/// # Limits
///
/// [`MOST_PAGE`]; else those of [`Client::open`].
///
/// # Errors
///
/// - [`ApiError::BulkJobGone`]: the result is older than seven days. *Transient*: run again.
/// - [`ApiError::BulkState`]: the job is not complete, or was made with another API version. *Data*.
/// - [`ApiError::BulkCircle`]: the page names itself as the next. *Data*.
/// - [`ApiError::CursorGone`]: the locator is not known any more. *Transient*.
/// - Those of [`Client::open`].
///
/// # Source
///
/// Bulk API 2.0 guide, "Get Results for a Query Job".
pub async fn page(
    client: &Client,
    job: &QueryJob,
    locator: Option<&Locator>,
    max_records: Option<u64>,
) -> Result<ResultPage, ApiError> {
    let most = max_records.map(|most| ("maxRecords", most.to_string()));
    let from = locator.map(|locator| ("locator", locator.as_str().to_string()));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(most.into_iter().chain(from))
        .finish();
    let path = job.path(&format!("/results{}{query}", if query.is_empty() { "" } else { "?" }));
    let mut request = Request::get(path).header("Accept", "text/csv")?.at_most(MOST_PAGE);
    request.wire_compression = client.compresses().await?;
    let body = client.open(request).await.map_err(|error| job::of(error, &job.id))?;
    let rows = body.header("sforce-numberofrecords").and_then(|text| text.trim().parse().ok());
    let next = NextPage::read(body.header("sforce-locator"));
    match &next {
        NextPage::More(next) if Some(next) == locator => Err(ApiError::BulkCircle { job: job.id.clone() }),
        _ => Ok(ResultPage { at: locator.cloned(), rows, next, body }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Protocol reference, trap 21: the locator is the string `null`, and may be missing.
    #[test]
    fn the_word_null_ends_a_result_and_a_missing_header_does_not() {
        assert_eq!(NextPage::read(Some("null")), NextPage::Last);
        assert_eq!(NextPage::read(Some(" null ")), NextPage::Last);
        assert_eq!(NextPage::read(None), NextPage::Missing);
        assert_eq!(NextPage::read(Some("")), NextPage::Missing);
        assert_eq!(NextPage::read(Some("MTAwMDA")), NextPage::More(Locator("MTAwMDA".into())));
        assert_eq!(Locator::new("null"), None);
    }
}

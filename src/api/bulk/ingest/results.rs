use crate::api::bulk::job;
use crate::api::{ApiError, Client, Request, Streaming};

use super::IngestJob;

/// Which rows of a job are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultKind {
    /// Rows that were written: `sf__Id`, `sf__Created`, and the row as it was sent.
    Successful,
    /// Rows that were refused: `sf__Id`, `sf__Error`, and the row as it was sent.
    Failed,
    /// Rows that were not looked at, because the job ended before: the row as it was sent.
    Unprocessed,
}

impl ResultKind {
    /// The resource, in the spellings that are known.
    fn names(self) -> &'static [&'static str] {
        match self {
            ResultKind::Successful => &["successfulResults"],
            ResultKind::Failed => &["failedResults"],
            ResultKind::Unprocessed => &["unprocessedrecords", "unprocessedRecords"],
        }
    }
}

/// Opens what became of a job's rows: CSV, header line first, in no order; perhaps without any row.
///
/// # Errors
///
/// [`ApiError::BulkJobGone`]: they are older than seven days. *Transient*. Else those of [`Client::open`].
///
/// # Source
///
/// Bulk API 2.0 guide, "Get Job Successful Record Results" and its neighbours.
pub async fn results(client: &Client, job: &IngestJob, kind: ResultKind) -> Result<Streaming, ApiError> {
    let mut gone = ApiError::BulkJobGone { job: job.id.clone() };
    for name in kind.names() {
        let mut request = Request::get(job.path(&format!("/{name}")))
            .header("Accept", "text/csv")?
            .at_most(crate::api::bulk::query::MOST_PAGE);
        request.wire_compression = client.compresses().await?;
        match client.open(request).await.map_err(|error| job::of(error, &job.id)) {
            Err(error @ ApiError::BulkJobGone { .. }) => gone = error,
            answer => return answer,
        }
    }
    Err(gone)
}

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::bulk::{JobId, JobState, Poll, job, poll};
use crate::api::{ApiError, Client};
use crate::base::{ApiVersion, OAuthError, UnixSeconds, printable};

/// Which rows a query job reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Those that are there.
    Query,
    /// Deleted and archived ones too.
    QueryAll,
}

/// A query job as it stood when it was last looked at. Kept as JSON, it can be read on by another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryJob {
    /// Its id.
    pub id: JobId,
    /// Whether deleted rows are read.
    pub operation: Operation,
    /// The object of the query, as the org names it.
    pub object: String,
    /// How it stands.
    pub state: JobState,
    /// The version it was made with; every later call must be by the same, or is answered with 409.
    pub api_version: ApiVersion,
    /// Rows that the result holds; known when it is complete.
    pub records_processed: Option<u64>,
    /// Why it failed. Salesforce's own text, made safe to print.
    pub error_message: Option<String>,
    /// When it was made, by the org's clock.
    pub created: Option<UnixSeconds>,
    /// How long the org worked on it. Milliseconds.
    pub processing_ms: Option<u64>,
    /// Who made it, as the org says.
    pub created_by: Option<String>,
}

/// The same in Salesforce's words.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    id: JobId,
    operation: Option<Operation>,
    #[serde(default)]
    object: String,
    state: JobState,
    api_version: Option<Value>,
    number_records_processed: Option<u64>,
    error_message: Option<String>,
    created_date: Option<String>,
    total_processing_time: Option<u64>,
    created_by_id: Option<String>,
}

impl Wire {
    pub(super) fn into_job(self, asked_by: ApiVersion, asked_for: Operation) -> QueryJob {
        QueryJob {
            id: self.id,
            operation: self.operation.unwrap_or(asked_for),
            object: printable(&self.object, 80),
            state: self.state,
            api_version: job::version(self.api_version.as_ref(), asked_by),
            records_processed: self.number_records_processed,
            error_message: self.error_message.map(|text| printable(&text, OAuthError::MAX_DESCRIPTION)),
            created: job::time(self.created_date.as_deref()),
            processing_ms: self.total_processing_time,
            created_by: self.created_by_id.map(|id| printable(&id, 20)),
        }
    }
}

/// Makes a query job. The org begins at once.
///
/// # Shape
///
/// `soql` as it is written. The result is CSV: comma, LF, every value quoted, the header line on each page.
///
/// # Errors
///
/// - Those that [`refused_by_bulk`](crate::api::bulk::refused_by_bulk) knows: ask REST.
/// - [`ApiError::Query`]: nobody can run it. *Data*.
/// - [`ApiError::NoAnswer`]: there may be a job or not; it costs a job of the daily 10,000 and nothing else. *Transient*.
///
/// # Source
///
/// Bulk API 2.0 guide, "Create a Query Job".
pub async fn create(client: &Client, operation: Operation, soql: &str) -> Result<QueryJob, ApiError> {
    let body = json!({
        "operation": operation, "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF",
    });
    let (wire, version): (Wire, _) = job::create(client, "query", &body).await?;
    Ok(wire.into_job(version, operation))
}

impl QueryJob {
    /// Looks at a job that another process made, by what was kept of it.
    ///
    /// # Errors
    ///
    /// Those of [`look`](Self::look).
    pub async fn recall(
        client: &Client,
        id: JobId,
        api_version: ApiVersion,
        operation: Operation,
    ) -> Result<Self, ApiError> {
        let path = job::path("query", api_version, &id, "");
        let mut found = job::look::<Wire>(client, path, &id).await?.into_job(api_version, operation);
        (found.id, found.api_version) = (id, api_version);
        Ok(found)
    }

    /// Looks at the job again.
    ///
    /// # Errors
    ///
    /// [`ApiError::BulkJobGone`]: it is older than seven days, or was deleted. *Transient*. Else those of [`Client::send`].
    pub async fn look(&mut self, client: &Client) -> Result<(), ApiError> {
        let wire: Wire = job::look(client, self.path(""), &self.id).await?;
        self.take(wire);
        Ok(())
    }

    /// Waits until the result is complete; `on_look` is told after each look.
    ///
    /// The states may go back and forth. Looks that fail for a passing reason are forgiven, five in a row.
    ///
    /// # Errors
    ///
    /// - [`ApiError::BulkFailed`]. *Data*. [`ApiError::BulkAborted`]. *Transient*.
    /// - [`ApiError::BulkSlow`]: [`Poll::patience`] ended; it can be waited for again. *Transient*.
    /// - Those of [`look`](Self::look).
    pub async fn wait(
        &mut self,
        client: &Client,
        poll: &Poll,
        on_look: impl FnMut(&QueryJob) + Send,
    ) -> Result<(), ApiError> {
        poll::until_complete(client, self, poll, on_look).await
    }

    pub(super) fn path(&self, below: &str) -> String {
        job::path("query", self.api_version, &self.id, below)
    }

    /// Another look changes everything but what the job was made with.
    fn take(&mut self, wire: Wire) {
        let (id, version, created) = (self.id.clone(), self.api_version, self.created);
        *self = wire.into_job(version, self.operation);
        (self.id, self.api_version) = (id, version);
        self.created = self.created.or(created);
    }
}

impl poll::Job for QueryJob {
    fn id(&self) -> &JobId {
        &self.id
    }

    fn state(&self) -> JobState {
        self.state
    }

    fn reason(&self) -> Option<OAuthError> {
        job::reason(self.error_message.as_deref())
    }

    async fn refresh(&mut self, client: &Client) -> Result<(), ApiError> {
        self.look(client).await
    }
}

/// Aborts a job that still runs; one that has ended stays as it is.
///
/// # Errors
///
/// [`ApiError::BulkJobGone`]; else those of [`Client::send`].
pub async fn abort(client: &Client, job: &QueryJob) -> Result<(), ApiError> {
    match job::set_state::<Value>(client, job.path(""), &job.id, "Aborted").await {
        Ok(_) | Err(ApiError::BulkState { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Deletes a job that has ended, and its results. One that is gone is no error.
///
/// # Errors
///
/// [`ApiError::BulkState`]: it still runs. Else those of [`Client::send`].
pub async fn delete(client: &Client, job: &QueryJob) -> Result<(), ApiError> {
    job::delete(client, job.path(""), &job.id).await
}

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::bulk::{JobId, JobState, Poll, job, poll};
use crate::api::{ApiError, Client, Request};
use crate::base::{ApiVersion, OAuthError, UnixSeconds, printable};

use super::{IngestOperation, IngestRequest};

/// An ingest job as it stood when it was last looked at. Kept as JSON, it can be settled by another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestJob {
    /// Its id.
    pub id: JobId,
    /// The object.
    pub object: String,
    /// What it does.
    pub operation: Option<IngestOperation>,
    /// How it stands.
    pub state: JobState,
    /// The version it was made with.
    pub api_version: ApiVersion,
    /// Where its data goes, as the org says: a path without a leading slash.
    pub content_url: Option<String>,
    /// Rows that were worked on, the failed ones included.
    pub records_processed: Option<u64>,
    /// Rows that were refused; a complete job may have some.
    pub records_failed: Option<u64>,
    /// Why it failed. Salesforce's own text, made safe to print.
    pub error_message: Option<String>,
    /// When it was made, by the org's clock.
    pub created: Option<UnixSeconds>,
    /// Who made it, as the org says.
    pub created_by: Option<String>,
}

/// The same in Salesforce's words.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: JobId,
    #[serde(default)]
    object: String,
    operation: Option<IngestOperation>,
    state: JobState,
    api_version: Option<Value>,
    content_url: Option<String>,
    number_records_processed: Option<u64>,
    number_records_failed: Option<u64>,
    error_message: Option<String>,
    created_date: Option<String>,
    created_by_id: Option<String>,
}

impl Wire {
    fn into_job(self, asked_by: ApiVersion) -> IngestJob {
        IngestJob {
            id: self.id,
            object: printable(&self.object, 80),
            operation: self.operation,
            state: self.state,
            api_version: job::version(self.api_version.as_ref(), asked_by),
            content_url: self.content_url,
            records_processed: self.number_records_processed,
            records_failed: self.number_records_failed,
            error_message: self.error_message.map(|text| printable(&text, OAuthError::MAX_DESCRIPTION)),
            created: job::time(self.created_date.as_deref()),
            created_by: self.created_by_id.map(|id| printable(&id, 20)),
        }
    }
}

/// Makes an ingest job. It is open, and does nothing until it is closed.
///
/// # Errors
///
/// - [`ApiError::NoAccess`]: the user may not do that to the object. *Denied*.
/// - [`ApiError::NoAnswer`]: there may be an open job or not; it holds no data, does nothing, and ends by itself. *Transient*.
/// - Those of [`Client::send`].
///
/// # Source
///
/// Bulk API 2.0 guide, "Create a Job".
pub async fn create(client: &Client, request: &IngestRequest) -> Result<IngestJob, ApiError> {
    let (wire, version): (Wire, _) = job::create(client, "ingest", &request.body()).await?;
    Ok(wire.into_job(version))
}

impl IngestJob {
    /// Looks at the job again.
    ///
    /// # Errors
    ///
    /// [`ApiError::BulkJobGone`]. *Transient*. Else those of [`Client::send`].
    pub async fn look(&mut self, client: &Client) -> Result<(), ApiError> {
        let wire: Wire = job::look(client, self.path(""), &self.id).await?;
        self.take(wire);
        Ok(())
    }

    /// Says that the data is whole: the org begins. From here on the rows are being written.
    ///
    /// Closing it again changes nothing, so it may be called where it is not known whether it was closed.
    ///
    /// # Errors
    ///
    /// - [`ApiError::BulkAborted`], [`ApiError::BulkFailed`]: it had ended. Nothing was written.
    /// - [`ApiError::NoAnswer`] and other passing ones: whether it was closed is not known; look before anything else. *Transient*.
    pub async fn close(&mut self, client: &Client) -> Result<(), ApiError> {
        for again in [true, false] {
            match job::set_state(client, self.path(""), &self.id, "UploadComplete").await {
                Ok(wire) => {
                    self.take(wire);
                    return Ok(());
                }
                Err(error) => {
                    let unknown = matches!(
                        error,
                        ApiError::NoAnswer { .. } | ApiError::BrokenOff { .. } | ApiError::Unavailable { .. }
                    );
                    if !unknown && !matches!(error, ApiError::BulkState { .. }) {
                        return Err(error);
                    }
                    self.look(client).await?;
                    match self.state {
                        JobState::Open if again && unknown => {}
                        JobState::Open => return Err(error),
                        JobState::Aborted => {
                            return Err(ApiError::BulkAborted { job: self.id.clone(), reason: None });
                        }
                        // Closed before, or by the call whose answer was lost.
                        _ => return Ok(()),
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits until the org has worked on every row; `on_look` is told after each look.
    ///
    /// Complete does not say that every row was taken: see [`records_failed`](Self::records_failed).
    ///
    /// # Errors
    ///
    /// - [`ApiError::BulkFailed`]: rows may have been written before it failed; [`results`](super::results()) says which. *Data*.
    /// - [`ApiError::BulkAborted`]: the same. *Transient*.
    /// - [`ApiError::BulkState`]: it was never closed, and would never end. *Data*.
    /// - [`ApiError::BulkSlow`]; those of [`look`](Self::look).
    pub async fn wait(
        &mut self,
        client: &Client,
        poll: &Poll,
        on_look: impl FnMut(&IngestJob) + Send,
    ) -> Result<(), ApiError> {
        poll::until_complete(client, self, poll, on_look).await
    }

    pub(super) fn path(&self, below: &str) -> String {
        job::path("ingest", self.api_version, &self.id, below)
    }

    /// Another look changes everything but what the job was made with; the answer to a PATCH leaves things out.
    fn take(&mut self, wire: Wire) {
        let before = self.clone();
        *self = wire.into_job(before.api_version);
        self.id = before.id;
        self.api_version = before.api_version;
        self.operation = self.operation.or(before.operation);
        self.content_url = self.content_url.take().or(before.content_url);
        self.created = self.created.or(before.created);
        self.created_by = self.created_by.take().or(before.created_by);
    }
}

impl poll::Job for IngestJob {
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

/// Aborts a job that has not ended. One that was never closed has written nothing.
///
/// # Errors
///
/// [`ApiError::BulkJobGone`]; else those of [`Client::send`]. A job that has ended stays as it is.
pub async fn abort(client: &Client, job: &IngestJob) -> Result<(), ApiError> {
    match job::set_state::<Value>(client, job.path(""), &job.id, "Aborted").await {
        Ok(_) | Err(ApiError::BulkState { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Deletes a job that has ended, and its results. One that is gone is no error.
///
/// # Errors
///
/// [`ApiError::BulkState`]: it has not ended. Else those of [`Client::send`].
pub async fn delete(client: &Client, job: &IngestJob) -> Result<(), ApiError> {
    job::delete(client, job.path(""), &job.id).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(default)]
    records: Vec<Wire>,
    next_records_url: Option<String>,
    done: Option<bool>,
}

/// The ingest jobs that this user made within the last seven days, as the org lists them.
///
/// # Errors
///
/// Those of [`Client::send`].
pub async fn list_own(client: &Client) -> Result<Vec<IngestJob>, ApiError> {
    let user = client.token().await?.user_id.clone();
    let version = client.api_version().await?;
    let (mut jobs, mut seen) = (Vec::new(), HashSet::new());
    let mut next = Some(format!("/services/data/v{version}/jobs/ingest?jobType=V2Ingest"));
    while let Some(path) = next.filter(|path| seen.insert(path.clone())) {
        let list: List = client.whole(Request::get(path)).await?.read()?;
        let all = list.records.into_iter().map(|wire| wire.into_job(version));
        jobs.extend(all.filter(|job| {
            job.created_by.as_deref().and_then(|id| id.get(..15)).is_some_and(|id| id == user.short())
        }));
        next = list.next_records_url.filter(|_| list.done != Some(true));
    }
    Ok(jobs)
}

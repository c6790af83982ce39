use std::sync::Arc;

use reqwest::Method;
use tracing::warn;

use crate::api::bulk::{JobState, job};
use crate::api::{ApiError, Client, Request, Upload};
use crate::base::{Explain, OAuthError};

use super::IngestJob;

/// The most that one job takes. Bytes: Salesforce's 150 MB are counted after base64.
///
/// Bulk API 2.0 guide, "Bulk API 2.0 Limits".
pub const MOST_UPLOAD: u64 = 100_000_000;

/// What became of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uploaded {
    /// The org has the data.
    Stored,
    /// The connection ended before the org said so. The job is still open, so nothing was written: abort it, and make
    /// another. The same job must not be given the data again.
    Unknown,
}

/// Gives a job its data. Once: a job takes one upload.
///
/// # Shape
///
/// `data` begins with a header line, is UTF-8 in the dialect the job was made with, and is read while it is sent.
/// It goes where the org says, which is a path of the same host or nothing is sent.
///
/// # Limits
///
/// [`MOST_UPLOAD`]. However long it takes: only an upload of which nothing moves for [`Request::patience`] is given up.
///
/// # Errors
///
/// - [`ApiError::TooLarge`]: nothing was sent. *Misuse*.
/// - [`ApiError::Address`]: the org names a place outside itself. *Denied*.
/// - [`ApiError::BulkState`]: the job takes no data any more. *Data*.
/// - [`ApiError::Upload`]: the data cannot be read. *Disk*.
/// - Refusals, as those of [`Client::send`].
///
/// # Source
///
/// Bulk API 2.0 guide, "Upload Job Data"; the path has no leading slash (protocol reference, trap 23).
pub async fn upload(
    client: &Client,
    job: &mut IngestJob,
    data: Arc<dyn Upload>,
) -> Result<Uploaded, ApiError> {
    if data.length() > MOST_UPLOAD {
        return Err(ApiError::TooLarge { limit: MOST_UPLOAD as usize });
    }
    let path = match &job.content_url {
        Some(url) if url.contains("://") || url.starts_with('/') => url.clone(),
        Some(url) => format!("/{url}"),
        None => job.path("/batches"),
    };
    let request = Request::new(Method::PUT, path).upload("text/csv; charset=UTF-8", data);
    let error = match client.whole(request).await {
        Ok(_) => return Ok(Uploaded::Stored),
        Err(error) => job::of(error, &job.id),
    };
    if !matches!(error, ApiError::NoAnswer { .. } | ApiError::BrokenOff { .. } | ApiError::Unavailable { .. })
    {
        return Err(error);
    }
    warn!(bulk.job = %job.id, error.code = error.code(), "what became of an upload is not known: {error}");
    job.look(client).await?;
    match job.state {
        JobState::Open => Ok(Uploaded::Unknown),
        state => {
            let reason =
                OAuthError::new(&state.to_string(), Some("it was closed while its data was on the way"));
            Err(ApiError::BulkState { job: job.id.clone(), reason: Some(reason) })
        }
    }
}

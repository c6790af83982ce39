use std::collections::HashSet;

use serde::Deserialize;

use crate::api::{ApiError, Client, Request};

use super::query_job::Wire;
use super::{Operation, QueryJob};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    records: Vec<Wire>,
    next_records_url: Option<String>,
    done: Option<bool>,
}

/// The query jobs that this user made within the last seven days, newest first as the org lists them.
///
/// For those who made a job and lost it: it is aborted and deleted, so that it keeps no place in the org.
///
/// # Errors
///
/// Those of [`Client::send`].
pub async fn list_own(client: &Client) -> Result<Vec<QueryJob>, ApiError> {
    let user = client.token().await?.user_id.clone();
    let version = client.api_version().await?;
    let (mut jobs, mut seen) = (Vec::new(), HashSet::new());
    let mut next = Some(format!("/services/data/v{version}/jobs/query?jobType=V2Query"));
    while let Some(path) = next.filter(|path| seen.insert(path.clone())) {
        let answer: Answer = client.whole(Request::get(path)).await?.read()?;
        let all = answer.records.into_iter().map(|wire| wire.into_job(version, Operation::Query));
        jobs.extend(all.filter(|job| job.created_by.as_deref().is_some_and(|id| is_user(id, user.short()))));
        next = answer.next_records_url.filter(|_| answer.done != Some(true));
    }
    Ok(jobs)
}

/// Ids come with 15 or 18 characters; the first 15 tell users apart.
fn is_user(id: &str, short: &str) -> bool {
    id.get(..15) == Some(short)
}

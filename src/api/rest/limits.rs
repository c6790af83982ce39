use serde::Deserialize;
use serde_json::Value;

use crate::api::{ApiError, Client, Request};

/// One limit, and what remains of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Limit {
    /// How much there is.
    pub max: u64,
    /// How much of it is left.
    pub remaining: u64,
}

impl Limit {
    /// How much is used, in percent; 100 where nothing is allowed.
    pub fn percent(&self) -> u64 {
        let used = self.max.saturating_sub(self.remaining);
        used.saturating_mul(100).checked_div(self.max).unwrap_or(100)
    }
}

/// The limits that syncs run into; `None` where the org does not name one. Each is of 24 hours, rolling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Limits {
    /// Calls of every API.
    pub daily_api_requests: Option<Limit>,
    /// Ingest batches, shared with Bulk API 1.
    pub daily_bulk_api_batches: Option<Limit>,
    /// Query jobs.
    #[serde(rename = "DailyBulkV2QueryJobs")]
    pub daily_bulk_query_jobs: Option<Limit>,
    /// What the results of query jobs take. Megabytes.
    #[serde(rename = "DailyBulkV2QueryFileStorageMB")]
    pub daily_bulk_query_storage: Option<Limit>,
}

/// The org's limits and what remains of them: `{"DailyApiRequests":{"Max","Remaining"}, ...}`.
///
/// The user needs the permission View Setup and Configuration.
///
/// # Errors
///
/// Those of [`Client::get`].
pub async fn limits_raw(client: &Client) -> Result<Value, ApiError> {
    client.get(&client.data_path("limits").await?).await
}

/// The limits that syncs run into, and what remains of them.
///
/// # Errors
///
/// Those of [`limits_raw`].
pub async fn limits(client: &Client) -> Result<Limits, ApiError> {
    client.whole(Request::get(client.data_path("limits").await?)).await?.read()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_those_that_are_missing_are_none() {
        let limits: Limits = serde_json::from_str(
            r#"{"DailyApiRequests":{"Max":15000,"Remaining":14250,"Ant Migration Tool":{"Max":0,"Remaining":0}},
                "DailyBulkV2QueryJobs":{"Max":10000,"Remaining":10000},"Package2VersionCreates":{"Max":6,"Remaining":6}}"#,
        )
        .unwrap();
        assert_eq!(limits.daily_api_requests.unwrap().percent(), 5);
        assert_eq!(limits.daily_bulk_query_jobs.unwrap().percent(), 0);
        assert_eq!((limits.daily_bulk_api_batches, limits.daily_bulk_query_storage), (None, None));
        assert_eq!(Limit { max: 0, remaining: 0 }.percent(), 100);
    }
}

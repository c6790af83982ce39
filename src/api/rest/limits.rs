use serde_json::Value;

use crate::api::{ApiError, Client};

/// The org's limits and what remains of them: `{"DailyApiRequests":{"Max","Remaining"}, ...}`.
///
/// The user needs the permission View Setup and Configuration.
///
/// # Errors
///
/// Those of [`Client::get`].
pub async fn limits(client: &Client) -> Result<Value, ApiError> {
    client.get(&client.data_path("limits").await?).await
}

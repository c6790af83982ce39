use crate::api::{ApiError, Client};

use super::query;

/// How many rows a `SELECT COUNT() FROM ...` counts.
///
/// # Errors
///
/// - [`ApiError::Query`], [`ApiError::QueryTimeout`]; else those of [`Client::send`].
/// - [`ApiError::RowsDiffer`]: the answer holds no count. *Data*.
pub async fn count(client: &Client, soql: &str) -> Result<u64, ApiError> {
    let page = query(client, soql, false).next().await?;
    page.and_then(|page| page.total).ok_or(ApiError::RowsDiffer { expected: 1, received: 0 })
}

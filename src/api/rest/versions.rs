use serde::Deserialize;

use crate::api::{ApiError, Client, Request};
use crate::base::ApiVersion;

#[derive(Deserialize)]
struct Offer {
    version: String,
}

/// The API versions that the org answers, as it lists them at `/services/data`.
///
/// What cannot be read as a version is left out.
///
/// # Errors
///
/// Those of [`Client::get`]; something else than a list is [`ApiError::NotJson`]: then the instance host is
/// not one of Salesforce's API (sfdx-core reads it so, `connection.ts`).
pub async fn versions(client: &Client) -> Result<Vec<ApiVersion>, ApiError> {
    let offers: Vec<Offer> = client.whole(Request::get("/services/data")).await?.read()?;
    Ok(offers.iter().filter_map(|offer| offer.version.parse().ok()).collect())
}

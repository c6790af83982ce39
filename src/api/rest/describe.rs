use serde_json::Value;

use crate::api::{ApiError, Client};

/// What an object looks like to this user: its fields, their types, and what may be done with them.
///
/// Fields that field-level security hides are not in it.
///
/// # Errors
///
/// [`ApiError::NotFound`]: no such object, or none this user may see. Else those of [`Client::get`].
pub async fn describe(client: &Client, object: &str) -> Result<Value, ApiError> {
    let object: String = url::form_urlencoded::byte_serialize(object.as_bytes()).collect();
    client.get(&client.data_path(&format!("sobjects/{object}/describe")).await?).await
}

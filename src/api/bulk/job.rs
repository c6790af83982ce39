use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::{ApiError, Client, Request};
use crate::base::{ApiVersion, OAuthError, UnixSeconds};

use super::JobId;

/// `/services/data/v67.0/jobs/query/750...` and `below`: each call of a job by the version it was made with.
pub(super) fn path(kind: &str, version: ApiVersion, job: &JobId, below: &str) -> String {
    format!("/services/data/v{version}/jobs/{kind}/{job}{below}")
}

/// Makes a job. A POST: where its outcome is unknown, it is not made again; an open or finished job that nobody knows of
/// ends by itself after seven days.
pub(super) async fn create<T: DeserializeOwned>(
    client: &Client,
    kind: &str,
    body: &Value,
) -> Result<(T, ApiVersion), ApiError> {
    let version = client.api_version().await?;
    let request = Request::new(Method::POST, format!("/services/data/v{version}/jobs/{kind}")).json(body);
    Ok((client.whole(request).await?.read()?, version))
}

/// Looks at a job.
pub(super) async fn look<T: DeserializeOwned>(
    client: &Client,
    path: String,
    job: &JobId,
) -> Result<T, ApiError> {
    client.whole(Request::get(path)).await.map_err(|error| of(error, job))?.read()
}

/// Moves a job to another state; doing so again changes nothing.
pub(super) async fn set_state<T: DeserializeOwned>(
    client: &Client,
    path: String,
    job: &JobId,
    state: &str,
) -> Result<T, ApiError> {
    let request = Request::new(Method::PATCH, path).json(&json!({ "state": state }));
    client.whole(request).await.map_err(|error| of(error, job))?.read()
}

/// Deletes a job; the answer has no body. One that is gone is deleted.
pub(super) async fn delete(client: &Client, path: String, job: &JobId) -> Result<(), ApiError> {
    match client.whole(Request::new(Method::DELETE, path)).await.map_err(|error| of(error, job)) {
        Ok(_) | Err(ApiError::BulkJobGone { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What a refusal means where it is about a job.
///
/// | refusal                                                     | means                                    |
/// |-------------------------------------------------------------|------------------------------------------|
/// | 404                                                         | gone: kept for seven days                |
/// | 409, `INVALIDJOBSTATE`                                      | another state or API version than needed |
/// | `INVALID_QUERY_LOCATOR`, anything else                      | as elsewhere                             |
pub(super) fn of(error: ApiError, job: &JobId) -> ApiError {
    match error {
        ApiError::NotFound { .. } => ApiError::BulkJobGone { job: job.clone() },
        ApiError::Refused { status, reason }
            if status == 409
                || reason
                    .as_ref()
                    .is_some_and(|reason| reason.error.eq_ignore_ascii_case("InvalidJobState")) =>
        {
            ApiError::BulkState { job: job.clone(), reason }
        }
        error => error,
    }
}

/// A job's `errorMessage` as a pair: `InvalidBatch : Field name not found : Nmae`.
pub(super) fn reason(message: Option<&str>) -> Option<OAuthError> {
    let message = message.map(str::trim).filter(|message| !message.is_empty())?;
    let is_code = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    Some(match message.split_once(':') {
        Some((code, says)) if is_code(code.trim()) => OAuthError::new(code.trim(), Some(says.trim())),
        _ => OAuthError::new("Failed", Some(message)),
    })
}

/// `apiVersion` is a JSON number, `67.0`; some servers send text.
pub(super) fn version(value: Option<&Value>, asked_by: ApiVersion) -> ApiVersion {
    let major = match value {
        Some(Value::Number(number)) => number.as_f64().filter(|major| (20.0..1000.0).contains(major)),
        Some(Value::String(text)) => {
            text.parse::<ApiVersion>().ok().map(|version| f64::from(version.major()))
        }
        _ => None,
    };
    major.map_or(asked_by, |major| ApiVersion::new(major as u16))
}

/// `2026-01-02T03:04:05.000+0000`.
pub(super) fn time(text: Option<&str>) -> Option<UnixSeconds> {
    text?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salesforces_times_versions_and_messages_are_read() {
        let moment: UnixSeconds = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(time(Some("2026-01-02T03:04:05.000+0000")), Some(moment));
        assert_eq!(time(Some("2026-01-02T03:04:05.000Z")), Some(moment));
        assert_eq!((time(Some("yesterday")), time(None)), (None, None));

        let ours = ApiVersion::new(67);
        assert_eq!(version(Some(&json!(63.0)), ours), ApiVersion::new(63));
        assert_eq!(version(Some(&json!("63.0")), ours), ApiVersion::new(63));
        assert_eq!(version(Some(&json!(-1)), ours), ours);
        assert_eq!(version(None, ours), ours);

        let said = |text| reason(Some(text)).unwrap().to_string();
        assert_eq!(
            said("InvalidBatch : Field name not found : Nmae"),
            "InvalidBatch: Field name not found : Nmae"
        );
        assert_eq!(said("Retried more than fifteen times"), "Failed: Retried more than fifteen times");
        assert_eq!((reason(Some("  ")), reason(None)), (None, None));
    }
}

use std::time::Duration;

use url::Url;

use crate::base::{Clock, Secret, UnixSeconds};

use super::MintError;
use super::http::unreachable;
use super::retry::{http_date, retry_after};

/// The most that is read of an answer. Bytes, after decompression. A JWT-format token with everything around it stays below 8 KiB.
pub const MAX_ANSWER: usize = 64 * 1024;

/// How long one request may take, connection included. Seconds.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The `grant_type` of RFC 7523 §2.1.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What the token endpoint said, not yet understood.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The org's clock minus ours, from the `Date` header. Seconds.
    pub skew: Option<i64>,
    /// How long it asks us to wait.
    pub retry_after: Option<Duration>,
    /// At most [`MAX_ANSWER`] bytes. May hold a token: never logged.
    pub body: Secret<Vec<u8>>,
}

/// Posts one assertion to a token endpoint.
///
/// # Shape
///
/// `grant_type` and `assertion`, form-encoded; no client secret and no scope are sent. One call is one POST.
///
/// # Limits
///
/// [`ANSWER_TIMEOUT`] to connect and answer, [`MAX_ANSWER`] of body, no redirects.
///
/// # Errors
///
/// - [`MintError::Unreachable`]: no answer, or one that broke off. *Transient*.
/// - [`MintError::Tls`], [`MintError::TlsClock`]: the host could not prove itself. *Misuse*.
/// - [`MintError::Redirected`], [`MintError::TooLarge`]. *Misuse*.
pub async fn post(
    http: &reqwest::Client,
    endpoint: &Url,
    assertion: &Secret<String>,
    clock: &dyn Clock,
) -> Result<Answer, MintError> {
    let host = endpoint.host_str().unwrap_or_default();
    let request = http
        .post(endpoint.clone())
        .header("accept", "application/json")
        .timeout(ANSWER_TIMEOUT)
        .form(&[("grant_type", JWT_BEARER), ("assertion", assertion.expose())]);
    let mut response = request.send().await.map_err(|error| unreachable(error, host, clock.now()))?;

    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let date: Option<UnixSeconds> = header("date").and_then(http_date);
    let retry_after = header("retry-after").and_then(|value| retry_after(value, date));
    let skew = date.map(|date| date.seconds_since(clock.now()));
    let status = response.status();
    if status.is_redirection() {
        let to = header("location").and_then(|to| endpoint.join(to).ok());
        let to = to.map_or_else(|| "nowhere".to_string(), |to| to.origin().ascii_serialization());
        return Err(MintError::Redirected { to });
    }

    let body = body(&mut response, host, clock.now()).await?;
    Ok(Answer { status: status.as_u16(), skew, retry_after, body: Secret::new("token response", body) })
}

/// Reads the body of an answer, [`MAX_ANSWER`] bytes at most.
pub(super) async fn body(
    response: &mut reqwest::Response,
    host: &str,
    now: UnixSeconds,
) -> Result<Vec<u8>, MintError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(error, host, now))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(MintError::TooLarge { limit: MAX_ANSWER });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

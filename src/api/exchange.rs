use std::error::Error;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use tokio::time::timeout;
use url::Url;

use crate::base::{AccessToken, UnixSeconds};
use crate::token::{MintError, unreachable};

use super::body::{self, Longer, MOST_REFUSAL};
use super::{ApiError, Request, Response};

/// A call without an answer, and whether anything can have been done on the other side.
#[derive(Debug)]
pub(super) struct Failure {
    pub error: ApiError,
    /// The request never left.
    pub unsent: bool,
}

impl Failure {
    fn of(error: ApiError) -> Self {
        Self { error, unsent: false }
    }
}

/// Sends a request once and reads the whole answer. `url` was made by `InstanceUrl::at`.
pub(super) async fn once(
    http: &reqwest::Client,
    request: &Request,
    url: &Url,
    token: &AccessToken,
    now: UnixSeconds,
) -> Result<Response, Failure> {
    let host = token.instance_url.host();
    let mut bearer = HeaderValue::from_str(token.authorization().expose()).map_err(|_| {
        Failure::of(ApiError::Header { name: "Authorization".into(), why: "cannot carry the token" })
    })?;
    bearer.set_sensitive(true);
    let mut builder = http
        .request(request.method.clone(), url.clone())
        .headers(request.headers.clone())
        .header(AUTHORIZATION, bearer);
    if !request.headers.contains_key(ACCEPT) {
        builder = builder.header(ACCEPT, "application/json");
    }
    if !request.body.is_empty() {
        builder = builder.body(request.body.clone());
    }
    let sent = match timeout(request.patience, builder.send()).await {
        Ok(sent) => sent.map_err(|error| failure(error, host, now))?,
        Err(_) => {
            let source = format!("no answer within {} seconds", request.patience.as_secs());
            return Err(Failure::of(ApiError::NoAnswer { host: host.into(), source: source.into() }));
        }
    };
    // Only a client that was passed in can have followed a redirect; then the token has been there already.
    if sent.url() != url {
        let to = sent.url().origin().ascii_serialization();
        return Err(Failure::of(ApiError::Redirected { from: host.into(), to }));
    }
    let (status, headers) = (sent.status().as_u16(), sent.headers().clone());
    let (most, longer) = match status {
        200..=299 => (request.most_bytes, Longer::Refuse),
        _ => (MOST_REFUSAL, Longer::Cut),
    };
    let body = body::read(sent, most, longer, host).await.map_err(Failure::of)?;
    Ok(Response { status, headers, body, host: host.to_string() })
}

fn failure(error: reqwest::Error, host: &str, now: UnixSeconds) -> Failure {
    let unsent = error.is_connect();
    let error = match unreachable(error, host, now) {
        MintError::Unreachable { host, source } => {
            ApiError::NoAnswer { host, source: Box::<dyn Error + Send + Sync>::from(Box::new(source)) }
        }
        other => return Failure::of(other.into()),
    };
    Failure { error, unsent }
}

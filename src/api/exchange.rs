use std::error::Error;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderValue};
use tokio::time::timeout;
use url::Url;

use crate::base::{AccessToken, UnixSeconds};
use crate::token::{MintError, unreachable};

use super::body::{self, Longer, MOST_REFUSAL, Paced};
use super::upload::{Outgoing, Progress};
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

/// How much of an answer is wanted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// All of it.
    Whole,
    /// Of a success only its beginning; a refusal is short and says why.
    Open,
}

/// An answer, and what is still to come of its body.
#[derive(Debug)]
pub(super) struct Exchanged {
    /// Its body is whole, or, where `rest` is there, the first part.
    pub response: Response,
    pub rest: Option<Paced<reqwest::Response>>,
}

/// Sends a request once and reads what is wanted of the answer. `url` was made by `InstanceUrl::at`.
pub(super) async fn once(
    http: &reqwest::Client,
    request: &Request,
    url: &Url,
    token: &AccessToken,
    now: UnixSeconds,
    want: Want,
) -> Result<Exchanged, Failure> {
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
    if !request.wire_compression {
        builder = builder.header(ACCEPT_ENCODING, "identity");
    }
    let outgoing = request
        .upload
        .as_deref()
        .map(Outgoing::begin)
        .transpose()
        .map_err(|error| Failure { error: ApiError::Upload { source: error.into() }, unsent: true })?;
    let progress = outgoing.as_ref().map(Outgoing::progress);
    if let Some(outgoing) = outgoing {
        builder = builder.body(reqwest::Body::wrap(outgoing));
    } else if !request.body.is_empty() {
        builder = builder.body(request.body.clone());
    }
    let sending = builder.send();
    tokio::pin!(sending);
    let mut went = 0;
    let sent = loop {
        match timeout(request.patience, &mut sending).await {
            Ok(Err(error)) if progress.as_ref().is_some_and(Progress::failed) => {
                return Err(Failure::of(ApiError::Upload { source: error.without_url().into() }));
            }
            Ok(sent) => break sent.map_err(|error| failure(error, host, now))?,
            // A long body on a slow line: as long as parts of it leave, it is not the answer that is late.
            Err(_) if progress.as_ref().is_some_and(|progress| progress.bytes() > went) => {
                went = progress.as_ref().map_or(0, Progress::bytes);
            }
            Err(_) => {
                let source = format!("no answer within {} seconds", request.patience.as_secs());
                return Err(Failure::of(ApiError::NoAnswer { host: host.into(), source: source.into() }));
            }
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
    if want == Want::Open && longer == Longer::Refuse {
        let mut rest = Paced::new(sent);
        let first = rest.next(host).await.map_err(Failure::of)?.unwrap_or_default();
        let response = Response { status, headers, body: first.into(), host: host.to_string() };
        return Ok(Exchanged { response, rest: Some(rest) });
    }
    let body = body::read(sent, most, longer, host).await.map_err(Failure::of)?;
    Ok(Exchanged { response: Response { status, headers, body, host: host.to_string() }, rest: None })
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

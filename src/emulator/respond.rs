use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};

use super::admin::Admin;
use super::answer::{TOKEN_PATH, administer, answer};
use super::clock::http_date;
use super::content::Content;
use super::gzip_bomb::gzip_bomb;
use super::injection::{Effect, meet};
use super::log::LogEntry;
use super::payload::Payload;
use super::request::Arrived;
use super::rest::{Reply, bearer};
use super::server::stopped;
use super::state::Shared;

/// No answer leaves; the connection ends.
#[derive(Debug, thiserror::Error)]
#[error("the connection ends here on purpose")]
pub(super) struct Dropped;

/// Answers one request: the injected fault it meets, or the org's own answer, bent where told.
pub(super) async fn respond(
    org: Arc<Shared>,
    request: Request<Incoming>,
    from: IpAddr,
    doomed: Arc<AtomicBool>,
) -> Result<Response<Payload>, Dropped> {
    let request = match Arrived::read(request).await {
        Ok(request) => request,
        Err(request) => return Ok(finish(&org, &request, Reply::empty(413), None).0),
    };
    if request.path.starts_with("/_emulator/") {
        let reply = administer(&Admin(org.clone()), &request);
        return Ok(build(&org, &request, reply, None));
    }
    let effect = {
        let state = &mut *org.state();
        if request.path == TOKEN_PATH {
            state.counters.token_posts += 1;
        }
        let rude =
            state.rules.rude && request.path == TOKEN_PATH && state.counters.token_posts.is_multiple_of(5);
        let planned = meet(&mut state.injections, &request.method, &request.path);
        planned.or_else(|| rude.then(overloaded))
    };
    match &effect {
        Some(Effect::Hang) => {
            written(&org, &request, None, effect.as_ref());
            let mut stopping = org.stopping.subscribe();
            stopped(&mut stopping).await;
            Err(Dropped)
        }
        Some(Effect::Reset { after_processing }) => {
            if *after_processing {
                answer(&org, &request, from, None);
            }
            written(&org, &request, None, effect.as_ref());
            doomed.store(true, Ordering::SeqCst);
            Err(Dropped)
        }
        _ => {
            if let Some(Effect::SessionEnds { after_bytes: None }) = effect {
                end_session(&org, &request);
            }
            let reply = reply(&org, &request, from, effect.as_ref());
            if let Some(Effect::SessionEnds { after_bytes: Some(_) }) = effect {
                end_session(&org, &request);
            }
            if let Some(Effect::ResetAfter { .. }) = effect {
                doomed.store(true, Ordering::SeqCst);
            }
            let (response, delay) = finish(&org, &request, reply, effect.as_ref());
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            Ok(response)
        }
    }
}

/// Ends the session whose token the request carries.
fn end_session(org: &Shared, request: &Arrived) {
    let header = request.header(&hyper::header::AUTHORIZATION);
    if let Ok(Some(token)) = bearer(header)
        && let Some(session) = org.state().sessions.get_mut(token)
    {
        session.killed = true;
    }
}

/// What a rude org says to every fifth token request.
fn overloaded() -> Effect {
    Effect::Status {
        status: 503,
        headers: [("Retry-After".to_string(), "0".to_string())].into(),
        body: "<html><body>We are down for maintenance. Sorry for the inconvenience.</body></html>".into(),
    }
}

fn reply(org: &Shared, request: &Arrived, from: IpAddr, effect: Option<&Effect>) -> Reply {
    match effect {
        Some(Effect::Status { status, body, .. }) => {
            Reply { status: *status, headers: vec![], body: body.clone().into(), error: None, why: None }
        }
        Some(Effect::Redirect { status, to }) => Reply::empty(*status).header("location", to.as_str()),
        Some(Effect::Huge { .. } | Effect::GzipBomb { .. }) => Reply::new(200, "application/json", ""),
        Some(Effect::Token { twist }) => answer(org, request, from, Some(twist)),
        _ => answer(org, request, from, None),
    }
}

/// Writes the answer down and builds it; with it, how long it waits before it leaves.
fn finish(
    org: &Shared,
    request: &Arrived,
    reply: Reply,
    effect: Option<&Effect>,
) -> (Response<Payload>, Duration) {
    written(org, request, Some(&reply), effect);
    let delay = match effect {
        Some(Effect::Delay { delay_ms }) => Duration::from_millis(*delay_ms),
        _ => Duration::ZERO,
    };
    (build(org, request, reply, effect), delay)
}

fn build(org: &Shared, request: &Arrived, reply: Reply, effect: Option<&Effect>) -> Response<Payload> {
    let length = reply.body.length().map(|length| ("content-length".to_string(), length.to_string()));
    let mut headers: Vec<(String, String)> =
        reply.headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    let payload = |content: Content| match effect {
        Some(
            Effect::Truncate { after_bytes }
            | Effect::ResetAfter { after_bytes }
            | Effect::SessionEnds { after_bytes: Some(after_bytes) },
        ) => {
            headers.extend(length);
            Payload::cut(content, *after_bytes)
        }
        Some(Effect::Stall { after_bytes }) => {
            headers.extend(length);
            Payload::stalled(content, *after_bytes)
        }
        Some(Effect::Slow { chunk_bytes, delay_ms }) => {
            headers.extend(length);
            Payload::trickle(content, *chunk_bytes, Duration::from_millis(*delay_ms))
        }
        Some(Effect::Huge { bytes }) => Payload::huge(*bytes),
        Some(Effect::GzipBomb { bytes }) => {
            headers.push(("content-encoding".into(), "gzip".into()));
            gzip_bomb(*bytes).unwrap_or_default()
        }
        _ => Payload::whole(content),
    };
    let mut response = Response::new(payload(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(Effect::Status { headers: own, .. }) = effect {
        if !own.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".into(), "text/html;charset=UTF-8".into()));
        }
        headers.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date")) {
        headers.push(("date".into(), http_date(org.clock.now())));
    }
    if closes(org, request) {
        headers.push(("connection".into(), "close".into()));
    }
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Whether a rude org ends the connection with this answer: every seventh time.
fn closes(org: &Shared, request: &Arrived) -> bool {
    let state = org.state();
    state.rules.rude && !request.path.starts_with("/_emulator/") && state.log.len().is_multiple_of(7)
}

/// Writes a request down; without a reply where no answer leaves.
fn written(org: &Shared, request: &Arrived, reply: Option<&Reply>, effect: Option<&Effect>) {
    let injected = effect.map(Effect::kind);
    let state = &mut *org.state();
    if let (TOKEN_PATH, Some(kind)) = (request.path.as_str(), injected)
        && !matches!(
            effect,
            Some(
                Effect::Token { .. }
                    | Effect::Truncate { .. }
                    | Effect::ResetAfter { .. }
                    | Effect::Stall { .. }
                    | Effect::SessionEnds { .. }
                    | Effect::Slow { .. }
                    | Effect::Delay { .. }
            )
        )
    {
        *state.counters.token_outcomes.entry(format!("injected: {kind}")).or_default() += 1;
    }
    state.logged(LogEntry {
        at: org.clock.now(),
        method: request.method.clone(),
        host: request.host.clone().unwrap_or_default(),
        path: request.path.clone(),
        user_agent: request.header(&hyper::header::USER_AGENT).map(str::to_string),
        status: reply.map(|reply| reply.status),
        error: reply.and_then(|reply| reply.error.clone()),
        why: reply.and_then(|reply| reply.why),
        injected,
    });
}

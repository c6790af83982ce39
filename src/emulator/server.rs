use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::admin::Admin;
use super::answer::{TOKEN_PATH, administer, answer};
use super::clock::{OrgClock, http_date};
use super::config::OrgConfig;
use super::connection::Connection;
use super::gzip_bomb::gzip_bomb;
use super::injection::{Effect, meet};
use super::log::LogEntry;
use super::payload::Payload;
use super::request::Arrived;
use super::rest::Reply;
use super::state::Shared;
use crate::base::Clock;

/// How long a request's head may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// The longest head of a request, bytes. Salesforce refuses URI and headers beyond 16,384 together.
const LONGEST_HEAD: usize = 32 * 1024;

/// A running org. Dropping it stops it; [`stop`](Org::stop) also waits for what is under way.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use sfmint::base::ManualClock;
/// use sfmint::emulator::{DEMO_CONSUMER_KEY, Org, OrgConfig};
///
/// # async fn run(certificate_pem: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(ManualClock::at("2026-11-22T21:00:00Z".parse()?));
/// let org = Org::start(OrgConfig::default(), clock, "127.0.0.1:0".parse()?).await?;
/// org.admin().set_certificate(DEMO_CONSUMER_KEY, Some(certificate_pem), 0)?;
/// println!("{}", org.url());
/// org.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Org {
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Org {
    /// Opens the org at `listen`, port 0 for a free one. Must be called inside a tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// `InvalidInput` where `listen` is not on loopback or the description does not hold together; else what
    /// binding the port said.
    pub async fn start(config: OrgConfig, clock: Arc<dyn Clock>, listen: SocketAddr) -> io::Result<Self> {
        if !listen.ip().is_loopback() {
            let says = format!("{listen} is not on loopback; the built-in org serves this machine only");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, says));
        }
        let listener = TcpListener::bind(listen).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let clock = OrgClock::new(clock, config.clock_skew_seconds);
        let shared = Shared::new(config, clock, url)
            .map_err(|mistake| io::Error::new(io::ErrorKind::InvalidInput, mistake))?;
        let accepting = Some(tokio::spawn(accept(listener, shared.clone())));
        Ok(Self { shared, accepting })
    }

    /// `http://127.0.0.1:PORT`: login URL, My Domain, audience and instance URL in one.
    pub fn url(&self) -> String {
        self.shared.own_url.clone()
    }

    /// The hand that changes this org.
    pub fn admin(&self) -> Admin {
        Admin(self.shared.clone())
    }

    /// Stops taking connections, lets answers under way finish (hanging ones are cut), and waits for both.
    pub async fn stop(mut self) {
        self.shared.stopping.send_replace(true);
        if let Some(accepting) = self.accepting.take() {
            // A panic in there was reported by the runtime; there is nothing left to stop.
            let _ = accepting.await;
        }
    }
}

impl Drop for Org {
    fn drop(&mut self) {
        self.shared.stopping.send_replace(true);
    }
}

async fn accept(listener: TcpListener, org: Arc<Shared>) {
    let mut stopping = org.stopping.subscribe();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve(stream, peer.ip(), org.clone()));
                }
                // Out of file descriptors, most likely: try again when some are back.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
            () = stopped(&mut stopping) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Comes back once the org is told to stop, or is gone.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await.is_ok();
}

async fn serve(stream: TcpStream, from: IpAddr, org: Arc<Shared>) {
    let mut stopping = org.stopping.subscribe();
    let _ = stream.set_nodelay(true);
    let (connection, doomed) = Connection::new(stream);
    let service = service_fn(move |request| respond(org.clone(), request, from, doomed.clone()));
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(connection), service);
    let mut serving = std::pin::pin!(serving);
    // A connection that breaks is the client's business, or was meant.
    tokio::select! {
        _ = serving.as_mut() => return,
        () = stopped(&mut stopping) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = serving.await;
}

/// No answer leaves; the connection ends.
#[derive(Debug, thiserror::Error)]
#[error("the connection ends here on purpose")]
struct Dropped;

async fn respond(
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
            written(&org, &request, None, None, effect.as_ref());
            let mut stopping = org.stopping.subscribe();
            stopped(&mut stopping).await;
            Err(Dropped)
        }
        Some(Effect::Reset { after_processing }) => {
            if *after_processing {
                answer(&org, &request, from, None);
            }
            written(&org, &request, None, None, effect.as_ref());
            doomed.store(true, Ordering::SeqCst);
            Err(Dropped)
        }
        _ => {
            let reply = reply(&org, &request, from, effect.as_ref());
            let (response, delay) = finish(&org, &request, reply, effect.as_ref());
            tokio::time::sleep(delay).await;
            Ok(response)
        }
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
            Reply { status: *status, headers: vec![], body: body.clone().into_bytes(), error: None }
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
    written(org, request, Some(reply.status), reply.error.clone(), effect);
    let delay = match effect {
        Some(Effect::Delay { delay_ms }) => Duration::from_millis(*delay_ms),
        _ => Duration::ZERO,
    };
    (build(org, request, reply, effect), delay)
}

fn build(org: &Shared, request: &Arrived, reply: Reply, effect: Option<&Effect>) -> Response<Payload> {
    let length = reply.body.len();
    let mut headers: Vec<(String, String)> =
        reply.headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    let mut payload = |bytes: Vec<u8>| match effect {
        Some(Effect::Truncate { after_bytes }) => {
            headers.push(("content-length".into(), length.to_string()));
            Payload::cut(bytes, *after_bytes)
        }
        Some(Effect::Slow { chunk_bytes, delay_ms }) => {
            headers.push(("content-length".into(), length.to_string()));
            Payload::trickle(bytes, *chunk_bytes, Duration::from_millis(*delay_ms))
        }
        Some(Effect::Huge { bytes }) => Payload::huge(*bytes),
        Some(Effect::GzipBomb { bytes }) => {
            headers.push(("content-encoding".into(), "gzip".into()));
            gzip_bomb(*bytes).unwrap_or_default()
        }
        _ => Payload::whole(bytes),
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

fn written(
    org: &Shared,
    request: &Arrived,
    status: Option<u16>,
    error: Option<(String, String)>,
    effect: Option<&Effect>,
) {
    let injected = effect.map(Effect::kind);
    let state = &mut *org.state();
    if let (TOKEN_PATH, Some(kind)) = (request.path.as_str(), injected)
        && !matches!(
            effect,
            Some(Effect::Token { .. } | Effect::Truncate { .. } | Effect::Slow { .. } | Effect::Delay { .. })
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
        status,
        error,
        injected,
    });
}

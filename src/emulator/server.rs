use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::admin::Admin;
use super::clock::OrgClock;
use super::config::OrgConfig;
use super::connection::Connection;
use super::respond::respond;
use super::state::Shared;
use crate::base::Clock;

/// How long a request's head may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long answers under way may take once the org stops; slow ones are cut then.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
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

    /// Stops taking connections, lets answers under way finish for two seconds (hanging ones are cut at once), and waits
    /// for both.
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
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
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
    let _ = tokio::time::timeout(LAST_ANSWERS, serving).await;
}

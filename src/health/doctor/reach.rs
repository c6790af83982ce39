use std::net::IpAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::base::{Clock, Connection};
use crate::token::{MintError, http_client, http_date, unreachable};

/// How long the login host may take to answer a question that needs no login. Seconds.
pub const REACH_TIMEOUT: Duration = Duration::from_secs(10);

/// What a first touch of the login host showed.
#[derive(Debug)]
pub(super) struct Reached {
    /// The org's clock minus ours, from the `Date` header. Seconds.
    pub skew: Option<i64>,
    /// How long it took.
    pub took: Duration,
}

/// The addresses of a host, as this machine resolves it.
pub(super) async fn resolve(host: &str) -> Result<Vec<IpAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match timeout(REACH_TIMEOUT, tokio::net::lookup_host((bare, 443))).await {
        Err(_) => Err(format!("no name server answered within {} seconds", REACH_TIMEOUT.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(found)) => {
            let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            addresses.dedup();
            if addresses.is_empty() { Err("the name has no address".into()) } else { Ok(addresses) }
        }
    }
}

/// Asks the login host for its list of API versions, which anybody is given: no token, no assertion.
///
/// Any HTTP answer will do; its body is not read.
///
/// # Errors
///
/// The [`MintError`] that a mint would have met on the way: *transient* or *misuse*.
pub(super) async fn reach(connection: &Connection, clock: &dyn Clock) -> Result<Reached, MintError> {
    let url = connection.login_url.endpoint("/services/data");
    let host = connection.login_url.host();
    let http = http_client(&connection.network, connection.login_url.url())?;
    let started = Instant::now();
    let sent = http.get(url).timeout(REACH_TIMEOUT).send().await;
    let response = sent.map_err(|error| unreachable(error, host, clock.now()))?;
    let date = response.headers().get("date").and_then(|value| value.to_str().ok()).and_then(http_date);
    Ok(Reached { skew: date.map(|date| date.seconds_since(clock.now())), took: started.elapsed() })
}

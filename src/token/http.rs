use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use crate::base::{Network, UnixSeconds, is_loopback};

use super::MintError;

/// How long a connection may take. Seconds. Half of what a whole token request may.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What we call ourselves.
pub const USER_AGENT: &str = concat!("sfmint/", env!("CARGO_PKG_VERSION"));

/// Makes the HTTP client that talks to `origin`, for tokens and for the API alike.
///
/// # Shape
///
/// TLS by rustls with the system's authorities and `ca_file`'s; where `origin` is http (which only loopback may be)
/// no authorities are read, since none will be asked. No redirects, no Referer; gzip is understood;
/// `HTTPS_PROXY` and `NO_PROXY` are honoured, except on loopback. A host that is not this machine
/// must not resolve to this machine or its link, unless it is a proxy that the user named: see `GuardedResolver`.
///
/// # Errors
///
/// - [`MintError::NoRoots`]: no authorities on this machine. *Misuse*.
/// - [`MintError::Client`]: `ca_file` or `proxy` cannot be used. *Misuse*.
pub fn http_client(network: &Network, origin: &Url) -> Result<reqwest::Client, MintError> {
    let failed = |error: Box<dyn Error + Send + Sync>| MintError::Client { source: Arc::from(error) };
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_secs(60))
        .dns_resolver(GuardedResolver { proxies: proxy_hosts(network) });
    if is_loopback(origin) {
        builder = builder.no_proxy();
    } else if let Some(proxy) = &network.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy.expose()).map_err(|error| failed(error.into()))?);
    }
    if origin.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    } else if let Some(path) = &network.ca_file {
        let unreadable =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let pem = std::fs::read(path).map_err(|error| failed(unreadable(error).into()))?;
        let extra = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.into()))?;
        if extra.is_empty() {
            return Err(failed(format!("{} holds no certificate", path.display()).into()));
        }
        builder = builder.tls_certs_merge(extra);
    }
    builder.build().map_err(|error| match chain(&error).contains("No CA certificates") {
        true => MintError::NoRoots { source: Arc::new(error.without_url()) },
        false => failed(error.without_url().into()),
    })
}

/// Puts a failed request into words: who was asked, and whether it was the network, a name server, TLS, or the clock.
pub fn unreachable(error: reqwest::Error, host: &str, now: UnixSeconds) -> MintError {
    let told = chain(&error);
    // faults A19: not a matter of patience. Somebody must look at the name server, and nothing was sent.
    if let Some(ForeignAddress { host, ip }) = foreign_address(&error) {
        return MintError::ForeignAddress { host, ip };
    }
    let source: Arc<dyn Error + Send + Sync> = Arc::new(error.without_url());
    let host = host.to_string();
    if ["certificate expired", "not valid yet", "NotValidYet", "certificate: Expired"]
        .iter()
        .any(|words| told.contains(words))
    {
        MintError::TlsClock { host, now, source }
    } else if told.contains("invalid peer certificate")
        || told.contains("UnknownIssuer")
        || told.contains("NotValidForName")
    {
        MintError::Tls { host, source }
    } else {
        MintError::Unreachable { host, source }
    }
}

/// Every message of an error and of its causes, as one text to look for words in.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// Resolves names as the system does, and drops addresses that a public name has no business with.
///
/// A name server that answers `127.0.0.1` or a link-local address (169.254.169.254 is where clouds keep
/// their credentials) for a Salesforce host is either broken or hostile. Private ranges stay allowed: companies reach Salesforce through
/// private links.
#[derive(Debug)]
struct GuardedResolver {
    /// Hosts that the user named as proxies: a sidecar is on this machine, and no host of Salesforce.
    proxies: Vec<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_string();
        let is_proxy = self.proxies.iter().any(|proxy| proxy.eq_ignore_ascii_case(&host));
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let fits = |address: &SocketAddr| is_proxy || may_be(&host, address.ip());
            let kept: Vec<SocketAddr> = found.iter().copied().filter(fits).collect();
            if kept.is_empty() {
                return Err(match found.first() {
                    Some(address) => ForeignAddress { host, ip: address.ip() }.into(),
                    None => io::Error::other(format!("{host} has no address")).into(),
                });
            }
            let addresses: Addrs = Box::new(kept.into_iter());
            Ok(addresses)
        })
    }
}

/// Every host that is a proxy: the connection's own, and those of the environment.
fn proxy_hosts(network: &Network) -> Vec<String> {
    let own = network.proxy.as_ref().and_then(|proxy| Url::parse(proxy.expose()).ok());
    let own = own.and_then(|proxy| proxy.host_str().map(String::from));
    network.proxy_hosts.iter().cloned().chain(own).collect()
}

/// What the guard says: the name server is broken, or lies.
#[derive(Clone, Debug, thiserror::Error)]
#[error("its name leads to {ip}, which is no address of {host}")]
struct ForeignAddress {
    host: String,
    ip: IpAddr,
}

/// The guard's word among the causes of a failed request.
fn foreign_address(error: &(dyn Error + 'static)) -> Option<ForeignAddress> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<ForeignAddress>() {
            return Some(found.clone());
        }
        next = cause.source();
    }
    None
}

/// Whether `host` may be at `ip`.
fn may_be(host: &str, ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    if host == "localhost" {
        return ip.is_loopback();
    }
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || link_local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Secret;

    // faults A19
    #[test]
    fn a_public_name_is_never_this_machine_or_its_link() {
        let cases = [
            ("acme.my.salesforce.com", "13.110.54.1", true),
            ("acme.my.salesforce.com", "10.20.30.40", true),
            ("acme.my.salesforce.com", "127.0.0.1", false),
            ("acme.my.salesforce.com", "::1", false),
            ("acme.my.salesforce.com", "::ffff:127.0.0.1", false),
            ("acme.my.salesforce.com", "169.254.169.254", false),
            ("acme.my.salesforce.com", "fe80::1", false),
            ("acme.my.salesforce.com", "0.0.0.0", false),
            ("acme.my.salesforce.com", "224.0.0.1", false),
            ("localhost", "127.0.0.1", true),
            ("localhost", "::1", true),
            ("localhost", "10.0.0.1", false),
        ];
        for (host, ip, expected) in cases {
            assert_eq!(may_be(host, ip.parse().unwrap()), expected, "{host} at {ip}");
        }
    }

    #[tokio::test]
    async fn a_proxy_that_the_user_named_may_be_on_this_machine() {
        // Another name than `localhost` to the guard, and this machine to the system.
        let resolve = |network: Network| {
            let guard = GuardedResolver { proxies: proxy_hosts(&network) };
            guard.resolve("LOCALHOST".parse().unwrap())
        };
        assert!(resolve(Network::default()).await.is_err());
        let of_environment = Network { proxy_hosts: vec!["LOCALHOST".into()], ..Network::default() };
        assert!(resolve(of_environment).await.is_ok());
        let own = Secret::new("proxy address", "http://localhost:3128".to_string());
        assert!(resolve(Network { proxy: Some(own), ..Network::default() }).await.is_ok());
    }

    #[test]
    fn a_ca_file_that_holds_nothing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        std::fs::write(&path, "nothing").unwrap();
        let network = Network { ca_file: Some(path), ..Network::default() };
        let error = http_client(&network, &"https://acme.my.salesforce.com".parse().unwrap()).unwrap_err();
        assert!(chain(&error).contains("ca.pem holds no certificate"), "{}", chain(&error));
    }
}

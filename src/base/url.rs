use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use url::{Host, Url};

use super::printable;

/// An address that is refused, and why. Made before anything is sent there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {found} {why}")]
pub struct UrlMistake {
    kind: &'static str,
    found: String,
    why: String,
}

impl UrlMistake {
    fn new(kind: &'static str, found: &str, why: impl Into<String>) -> Self {
        Self { kind, found: printable(found, 120), why: why.into() }
    }
}

/// Whether a URL names this machine and nothing else: `localhost`, 127.0.0.0/8 or `[::1]`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The longest address. Characters. REST takes URL and headers of 16,384 bytes together, with 414 or 431 beyond
/// (airbyte source-salesforce, `REQUEST_SIZE_LIMITS`).
const MOST_CHARACTERS: usize = 16_000;

/// Reads an address with the parser that will dial it, and refuses whatever another parser might read differently.
///
/// Userinfo, backslashes, control characters, percent signs or non-ASCII letters in the authority, and IP
/// addresses in odd notations are how two parsers come to see two hosts. So the text must already be in the
/// parser's own canonical form: `scheme://host[:port]` of the text and of the parsed URL are the same letters.
fn read(kind: &'static str, text: &str) -> Result<Url, UrlMistake> {
    let refuse = |why: &str| Err(UrlMistake::new(kind, text, why));
    if text.is_empty() {
        return refuse("is empty");
    }
    // Only a query makes an address long, and Salesforce takes 16,384 characters of it, headers included.
    if text.len() > MOST_CHARACTERS {
        return refuse("is longer than 16,000 characters");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii() || "\\\"<>^`{|}".contains(c))
    {
        return refuse("holds a character that no address of Salesforce has");
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(_) if !text.contains("://") => {
            return Err(UrlMistake::new(kind, text, format!("is not a URL; did you mean https://{text}?")));
        }
        Err(error) => return Err(UrlMistake::new(kind, text, format!("is not a URL: {error}"))),
    };
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return refuse("holds a user name or an @");
    }
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return refuse("has no host");
    };
    if host.ends_with('.') {
        return refuse("has a host that ends in a dot");
    }
    // Letters, digits and hyphens, RFC 1123 §2.1: the parser also takes `;`, `,` or `$` for a host's letters.
    let fits = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if matches!(url.host(), Some(Host::Domain(name)) if !name.split('.').all(fits)) {
        return refuse("has a host that no name server knows");
    }
    let mut origin = format!("{}://{host}", url.scheme());
    if let Some(port) = url.port() {
        origin.push_str(&format!(":{port}"));
    }
    let rest = text
        .get(..origin.len())
        .filter(|start| start.eq_ignore_ascii_case(&origin))
        .map(|_| &text[origin.len()..]);
    if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#'])) {
        return Err(UrlMistake::new(kind, text, format!("can be read in two ways; write it as {origin}")));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => refuse("is not https"),
    }
}

/// `url` without query, fragment or a slash at its end, as text.
fn bare(kind: &'static str, text: &str) -> Result<Url, UrlMistake> {
    let mut url = read(kind, text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlMistake::new(
            kind,
            text,
            "has a query or fragment; it ends with the host or the site's path",
        ));
    }
    let path = url.path().trim_end_matches('/').to_string();
    if path.contains("//") || path.contains('%') || path.starts_with("/services") {
        return Err(UrlMistake::new(
            kind,
            text,
            "has a path; it ends with the host or an Experience Cloud site's path",
        ));
    }
    url.set_path(&path);
    Ok(url)
}

fn without_slash(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

/// Hosts that serve Salesforce's pages, not its tokens, and where the same org has its My Domain.
fn refuse_page_hosts(kind: &'static str, text: &str, url: &Url) -> Result<(), UrlMistake> {
    let host = url.host_str().unwrap_or_default();
    for (pages, domain) in [
        (".lightning.force.com", ".my.salesforce.com"),
        (".salesforce-setup.com", ".my.salesforce.com"),
        (".sfcrmapps.cn", ".my.sfcrmproducts.cn"),
    ] {
        if let Some(start) = host.strip_suffix(pages) {
            let start = start.strip_suffix(".my").unwrap_or(start);
            let why =
                format!("serves pages, not tokens; the My Domain of this org is https://{start}{domain}");
            return Err(UrlMistake::new(kind, text, why));
        }
    }
    Ok(())
}

/// Where tokens are asked for: the org's My Domain, `https://acme.my.salesforce.com`, or an Experience Cloud site.
///
/// https, or http on loopback only; no query, no userinfo. A slash at the end is dropped.
///
/// # Examples
///
/// ```
/// use sfmint::base::LoginUrl;
///
/// let error = "http://login.salesforce.com".parse::<LoginUrl>().unwrap_err();
/// assert_eq!(error.to_string(), "login URL http://login.salesforce.com is not https");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LoginUrl(Url);

impl LoginUrl {
    const KIND: &'static str = "login URL";

    /// The parsed URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        without_slash(&self.0)
    }

    /// The host's name.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The address of an endpoint below this URL, such as `/services/oauth2/token`.
    pub fn endpoint(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url
    }

    /// Whether this is the built-in org, or something else on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Whether this is `login.salesforce.com` or `test.salesforce.com`, which External Client Apps do not answer at.
    pub fn is_shared_host(&self) -> bool {
        matches!(self.host(), "login.salesforce.com" | "test.salesforce.com")
    }
}

impl FromStr for LoginUrl {
    type Err = UrlMistake;

    fn from_str(text: &str) -> Result<Self, UrlMistake> {
        let url = bare(Self::KIND, text)?;
        refuse_page_hosts(Self::KIND, text, &url)?;
        Ok(Self(url))
    }
}

/// Whom an assertion is addressed to, claim `aud`: the login URL itself, unless the org says otherwise.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Audience(Url);

impl Audience {
    const KIND: &'static str = "audience";

    /// The parsed URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The text, without a slash at its end, as it stands in the claim.
    pub fn as_str(&self) -> &str {
        without_slash(&self.0)
    }
}

impl FromStr for Audience {
    type Err = UrlMistake;

    fn from_str(text: &str) -> Result<Self, UrlMistake> {
        let url = bare(Self::KIND, text)?;
        refuse_page_hosts(Self::KIND, text, &url)?;
        Ok(Self(url))
    }
}

impl From<&LoginUrl> for Audience {
    fn from(login: &LoginUrl) -> Self {
        Self(login.0.clone())
    }
}

/// Host suffixes a token may go to unless a connection says otherwise.
///
/// Salesforce help, "My Domain URL Formats" and the domain list of the official CLI; `.sfcrmproducts.cn` is
/// Salesforce on Alibaba Cloud, `.salesforce.mil` Government Cloud.
pub const SALESFORCE_HOSTS: [&str; 6] = [
    ".salesforce.com",
    ".force.com",
    ".my.site.com",
    ".cloudforce.com",
    ".salesforce.mil",
    ".sfcrmproducts.cn",
];

/// Where the tokens of a connection may go.
///
/// An entry that starts with a dot is a suffix; any other is one host, with a port where it is not 443.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceHosts(Vec<String>);

impl Default for InstanceHosts {
    fn default() -> Self {
        Self(SALESFORCE_HOSTS.map(String::from).to_vec())
    }
}

impl InstanceHosts {
    /// Takes a list from the configuration.
    ///
    /// # Errors
    ///
    /// An entry that is not `.suffix.example`, `host.example` or `host.example:8443`.
    pub fn new(entries: &[String]) -> Result<Self, UrlMistake> {
        let entries: Vec<String> = entries.iter().map(|entry| entry.to_ascii_lowercase()).collect();
        for entry in &entries {
            let suffix = entry.strip_prefix('.');
            let url = read("instance host", &format!("https://{}", suffix.unwrap_or(entry)))?;
            let plain = url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && !entry.ends_with('/');
            if !plain
                || (suffix.is_some() && (url.port().is_some() || !suffix.unwrap_or_default().contains('.')))
            {
                let why = "is neither a host (`api.example.com`, `api.example.com:8443`) nor a suffix of two labels or more (`.example.com`)";
                return Err(UrlMistake::new("instance host", entry, why));
            }
        }
        Ok(Self(entries))
    }

    /// The entries as written.
    pub fn entries(&self) -> &[String] {
        &self.0
    }

    /// Whether `url`'s host and port are on the list.
    pub fn allows(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        self.0.iter().any(|entry| match entry.strip_prefix('.') {
            Some(_) => {
                matches!(url.host(), Some(Host::Domain(_)))
                    && url.port().is_none()
                    && host.ends_with(entry.as_str())
                    && host.len() > entry.len()
            }
            None => match url.port() {
                Some(port) => *entry == format!("{host}:{port}"),
                None => entry == host,
            },
        })
    }
}

/// Where the API is, and the only place the token may be sent: scheme, host and port, nothing else.
///
/// Taken fresh from each token response, because an org can move.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct InstanceUrl(Url);

impl InstanceUrl {
    const KIND: &'static str = "instance URL";

    /// Parses the `instance_url` of a token response.
    ///
    /// # Shape
    ///
    /// https, port 443, a host on `hosts`; a slash at the end is dropped. Where the login URL itself is on
    /// loopback (the built-in org) the instance may be there too, on any port, by http.
    ///
    /// # Errors
    ///
    /// Anything else, with the reason; the token that came with it must not be used.
    pub fn parse(text: &str, hosts: &InstanceHosts, login: &LoginUrl) -> Result<Self, UrlMistake> {
        let url = read(Self::KIND, text)?;
        // Of the text, not of the parsed path: `/..` is gone there.
        let has_path = text.splitn(4, '/').nth(3).is_some_and(|path| !path.is_empty());
        if has_path || url.query().is_some() || url.fragment().is_some() {
            return Err(UrlMistake::new(
                Self::KIND,
                text,
                "has a path, query or fragment; only a host is expected",
            ));
        }
        if is_loopback(&url) {
            if login.is_loopback() {
                return Ok(Self(url));
            }
            return Err(UrlMistake::new(
                Self::KIND,
                text,
                "is on this machine although the login URL is not",
            ));
        }
        if hosts.allows(&url) {
            return Ok(Self(url));
        }
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        let why = match (ip, url.port()) {
            (Some(_), _) => "is an IP address".to_string(),
            (None, Some(port)) => format!("has port {port}"),
            (None, None) => format!("is not under {}", hosts.entries().join(", ")),
        };
        Err(UrlMistake::new(Self::KIND, text, format!("{why}; `instance_hosts` says where a token may go")))
    }

    /// The parsed URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        without_slash(&self.0)
    }

    /// The host's name.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The address of `path` at this host; the one way to make an address that a token is sent to.
    ///
    /// # Shape
    ///
    /// `path` is `/services/...` with query and all, or a whole URL of this same host, as `nextRecordsUrl`s,
    /// redirects and locators come.
    ///
    /// # Errors
    ///
    /// Another host, scheme or port, dot segments (also encoded), a double slash at the start, and characters that parsers disagree about.
    pub fn at(&self, path: &str) -> Result<Url, UrlMistake> {
        const KIND: &str = "address";
        let refuse = |why: String| Err(UrlMistake::new(KIND, path, why));
        let whole = match path.strip_prefix('/') {
            Some(rest) if rest.starts_with('/') => {
                return refuse("starts with two slashes, which names a host".into());
            }
            Some(_) => format!("{}{path}", self.as_str()),
            None if path.contains("://") => path.to_string(),
            None => return refuse("does not start with a slash".into()),
        };
        let url = read(KIND, &whole)?;
        if url.origin() != self.0.origin() {
            return refuse(format!("is not at {}, and the token goes nowhere else", self.as_str()));
        }
        let written = whole.split(['?', '#']).next().unwrap_or_default();
        let lower = written.to_ascii_lowercase();
        let dots = lower.replace("%2e", ".").split('/').any(|part| part == "." || part == "..");
        if dots || lower.contains("%2f") || lower.contains("%5c") || lower.contains("%00") {
            return refuse("holds dot segments or encoded slashes".into());
        }
        Ok(url)
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )*};
}
as_text!(LoginUrl, Audience, InstanceUrl);

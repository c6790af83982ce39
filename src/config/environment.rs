use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// The environment as it stood when it was read; nothing in this crate reads it a second time.
///
/// A variable that is set and empty counts as not set, as in the XDG base directory specification: compose
/// files and CI systems pass empty text for what nobody filled in. Its values are zeroed when it is dropped,
/// and its `Debug` shows names only.
///
/// # Examples
///
/// ```
/// use sfmint::config::Environment;
///
/// let environment = Environment::from_pairs([("SFMINT_CLIENT_ID", "3MVG9abc"), ("SFMINT_USERNAME", "")]);
/// assert_eq!(environment.get("SFMINT_CLIENT_ID"), Some("3MVG9abc"));
/// assert_eq!(environment.get("SFMINT_USERNAME"), None);
/// ```
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, Held>);

#[derive(Clone)]
enum Held {
    Text(Zeroizing<String>),
    NotText(OsString),
}

impl Environment {
    /// The environment of this process.
    ///
    /// Variables whose name is not UTF-8 are left out: nothing here can ask for them.
    #[allow(clippy::disallowed_methods, reason = "the one home of reading the environment")]
    pub fn from_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
    }

    /// An environment of a test's own.
    pub fn from_pairs<N: Into<String>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// The text of a variable; `None` where it is not set, empty, or not UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Held::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A variable as a path, which on Unix need not be UTF-8; `None` where it is not set or empty.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        match self.0.get(name)? {
            Held::Text(text) if text.is_empty() => None,
            Held::Text(text) => Some(PathBuf::from(text.as_str())),
            Held::NotText(value) => Some(PathBuf::from(value)),
        }
    }

    /// A directory that a specification says must be absolute; a relative one counts as not set.
    pub(super) fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        self.path(name).filter(|path| path.is_absolute())
    }

    /// Whether a variable is set to something that is not empty, UTF-8 or not.
    pub fn is_set(&self, name: &str) -> bool {
        self.path(name).is_some()
    }

    /// Whether a variable is set, and to nothing.
    pub(super) fn is_empty_text(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Held::Text(text)) if text.is_empty())
    }

    /// Whether a variable holds bytes that are not UTF-8.
    pub(super) fn is_not_text(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Held::NotText(_)))
    }

    /// The hosts of the proxies that `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name, upper and lower case.
    pub(super) fn proxy_hosts(&self) -> Vec<String> {
        let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
        let host = |text: &str| {
            let whole = if text.contains("://") { text.to_string() } else { format!("http://{text}") };
            Some(url::Url::parse(&Zeroizing::new(whole)).ok()?.host_str()?.to_ascii_lowercase())
        };
        names.into_iter().filter_map(|name| host(self.get(name)?.trim())).collect()
    }

    /// The names of all variables, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, OsString)>>(pairs: I) -> Self {
        let held = |value: OsString| match value.into_string() {
            Ok(text) => Held::Text(Zeroizing::new(text)),
            Err(value) => Held::NotText(value),
        };
        Self(pairs.into_iter().map(|(name, value)| (name, held(value))).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")?;
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_appear_in_debug() {
        let environment = Environment::from_pairs([("SFMINT_PRIVATE_KEY", "canary-7f3a")]);
        let shown = format!("{environment:?}");
        assert!(shown.contains("SFMINT_PRIVATE_KEY") && !shown.contains("canary"), "{shown}");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_text_are_a_path_and_no_text() {
        use std::os::unix::ffi::OsStringExt;
        let environment = Environment::from_pairs([("HOME", OsString::from_vec(b"/home/\xff".to_vec()))]);
        assert_eq!(environment.get("HOME"), None);
        assert!(environment.is_set("HOME") && environment.is_not_text("HOME"));
        assert!(environment.path("HOME").is_some());
    }

    #[test]
    fn a_proxys_host_is_read_with_and_without_a_scheme() {
        let environment = Environment::from_pairs([
            ("HTTPS_PROXY", "http://user:pass@Proxy.corp:3128"),
            ("http_proxy", "sidecar:3128"),
            ("ALL_PROXY", "socks5h://hop:1080"),
            ("NO_PROXY", "acme.example"),
            ("all_proxy", ""),
        ]);
        assert_eq!(environment.proxy_hosts(), ["proxy.corp", "sidecar", "hop"]);
    }

    #[test]
    fn the_process_has_a_path() {
        assert!(Environment::from_process().is_set("PATH"));
    }
}

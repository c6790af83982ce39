use serde::Serialize;

use super::Environment;

/// An environment variable that means something here, as `sfmint config env` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub says: &'static str,
    /// Whether it is set, to something that is not empty.
    pub is_set: bool,
    /// What it holds; `None` where it is not set, not UTF-8, or a secret.
    pub value: Option<String>,
}

/// What is known of a variable before any environment is looked at.
pub(super) struct Known {
    pub name: &'static str,
    pub says: &'static str,
    pub holds_secret: bool,
}

const fn plain(name: &'static str, says: &'static str) -> Known {
    Known { name, says, holds_secret: false }
}

const fn secret(name: &'static str, says: &'static str) -> Known {
    Known { name, says, holds_secret: true }
}

/// The connection that comes wholly from the environment.
pub(super) static CONNECTION: &[Known] = &[
    plain("SFMINT_LOGIN_URL", "`login_url` of the connection `default`. Required once any of these is set."),
    plain("SFMINT_AUDIENCE", "`audience` of the connection `default`."),
    plain("SFMINT_CLIENT_ID", "`client_id` of the connection `default`. Required once any of these is set."),
    plain("SFMINT_USERNAME", "`username` of the connection `default`. Required once any of these is set."),
    secret(
        "SFMINT_PRIVATE_KEY",
        "The private key itself: PEM, also with literal `\\n`, or base64 of the PEM. This or the next one is required once any of these is set.",
    ),
    plain(
        "SFMINT_PRIVATE_KEY_FILE",
        "The file that holds the private key. A relative path starts at the current directory.",
    ),
    secret("SFMINT_PRIVATE_KEY_PASSPHRASE", "The passphrase of an encrypted private key."),
    plain("SFMINT_PRIVATE_KEY_PASSPHRASE_FILE", "The file that holds the passphrase."),
];

/// Where things are, and how they are shown and reached.
pub(super) static PLACES: &[Known] = &[
    plain("SFMINT_CONFIG", "The config file, where `--config` names none."),
    plain("SFMINT_STATE_DIR", "The state directory, where `--state-dir` names none."),
    plain(
        "STATE_DIRECTORY",
        "The state directory that systemd gives a service, where neither of the above is said.",
    ),
    plain("XDG_STATE_HOME", "The state directory is `sfmint` in it. Default: `~/.local/state`."),
    plain("XDG_CONFIG_HOME", "The config file is `sfmint/sfmint.toml` in it. Default: `~/.config`."),
    plain("HOME", "Where `~` is."),
    secret("HTTPS_PROXY", "The proxy, where a connection names none."),
    plain("NO_PROXY", "Hosts that are reached without the proxy."),
    plain("NO_COLOR", "Where it is set and not empty, output has no colours."),
];

/// Every variable that means something, and how it stands in `environment`. Secrets are never in it.
pub fn variables(environment: &Environment) -> Vec<Variable> {
    let all = CONNECTION.iter().chain(PLACES);
    all.map(|known| Variable {
        name: known.name,
        says: known.says,
        is_set: environment.is_set(known.name),
        value: environment
            .get(known.name)
            .filter(|_| !known.holds_secret)
            .map(|text| crate::base::printable(text, 200)),
    })
    .collect()
}

/// Variables that begin like ours and are not ours.
pub(super) fn strangers(environment: &Environment) -> Vec<String> {
    // Set by `sfmint exec` for its children.
    let ours = |name: &str| {
        name == "SFMINT_SOCKET" || CONNECTION.iter().chain(PLACES).any(|known| known.name == name)
    };
    environment.names().filter(|name| name.starts_with("SFMINT_") && !ours(name)).map(String::from).collect()
}

use crate::base::{InstanceHosts, TokenCacheKind};

use super::Origin;
use super::apps::apps;
use super::at::At;
use super::draft::{AppDraft, Draft, General};
use super::kind::Kind;
use super::origin::Sourced;
use super::secret_value::{private_key, proxy};
use super::show::Printed;
use super::store_location::store;

/// One key: its name, what may stand behind it, and how it is taken in and shown.
pub(super) struct Key<D: 'static> {
    pub name: &'static str,
    pub kind: Kind,
    /// What stands where nobody says anything, in words or as written in TOML.
    pub default: &'static str,
    /// What it means, in sentences that a page can hold.
    pub says: &'static str,
    pub take: fn(&mut D, &mut At<'_, '_>),
    pub show: fn(&D) -> Option<(String, Origin)>,
}

pub(super) fn shown<T: Printed>(value: &Option<Sourced<T>>) -> Option<(String, Origin)> {
    value.as_ref().map(|sourced| (sourced.value.printed(), sourced.origin.clone()))
}

const LOGIN_URL: Kind = Kind::Text { accepts: "an address such as \"https://acme.my.salesforce.com\"" };
const CLIENT_ID: Kind = Kind::Text { accepts: "the app's consumer key, \"3MVG9...\"" };

/// Every key of a connection.
pub(super) static CONNECTION: &[Key<Draft>] = &[
    Key {
        name: "login_url",
        kind: LOGIN_URL,
        default: "",
        says: "Where tokens are asked for: the org's My Domain, or an Experience Cloud site. https; http on loopback only.",
        take: |draft, at| draft.login_url = at.parsed(),
        show: |draft| shown(&draft.login_url),
    },
    Key {
        name: "audience",
        kind: LOGIN_URL,
        default: "`login_url`",
        says: "Whom assertions are addressed to, claim `aud`. Differs from `login_url` for some classic apps and Government Cloud; `sfmint doctor --probe` finds it.",
        take: |draft, at| draft.audience = at.parsed(),
        show: |draft| shown(&draft.audience),
    },
    Key {
        name: "client_id",
        kind: CLIENT_ID,
        default: "",
        says: "The consumer key of the external client app or connected app.",
        take: |draft, at| draft.client_id = at.parsed(),
        show: |draft| shown(&draft.client_id),
    },
    Key {
        name: "username",
        kind: Kind::Text { accepts: "a Salesforce Username such as \"integration@acme.example\"" },
        default: "",
        says: "The Username that tokens are for. In a sandbox it ends in `.sandboxname`.",
        take: |draft, at| draft.username = at.parsed(),
        show: |draft| shown(&draft.username),
    },
    Key {
        name: "key",
        kind: Kind::PrivateKey,
        default: "",
        says: "Where the private key is: PEM, RSA of 2048 bits or more. Never the key itself.",
        take: |draft, at| draft.key = private_key(at),
        show: |draft| shown(&draft.key),
    },
    Key {
        name: "certificate",
        kind: Kind::Path,
        default: "none",
        says: "The certificate that was uploaded to the app. With it, a key that does not belong to it is found before any request.",
        take: |draft, at| draft.certificate = at.path(),
        show: |draft| shown(&draft.certificate),
    },
    Key {
        name: "apps",
        kind: Kind::Apps,
        default: "none",
        says: "Two apps in place of `client_id`, `key` and `certificate`, for rotation without a gap. Which one mints stands in `certs/NAME/active` beside the config file, by name; the first where that file is missing.",
        take: |draft, at| draft.apps = apps(at),
        show: |draft| shown(&draft.apps),
    },
    Key {
        name: "auth",
        kind: Kind::OneOf(&["jwt"]),
        default: "\"jwt\"",
        says: "How tokens are asked for: by an assertion signed with the key.",
        take: |draft, at| match at.value.get_ref().as_str() {
            Some("refresh_token") => {
                at.mistake::<()>("= \"refresh_token\" is not supported by this version of sfmint");
            }
            _ => {
                draft.auth =
                    at.one_of(&[("jwt", ())]).map(|auth| Sourced { value: "jwt".into(), origin: auth.origin })
            }
        },
        show: |draft| shown(&draft.auth),
    },
    Key {
        name: "api_version",
        kind: Kind::Text { accepts: "a version in quotes such as \"67.0\"" },
        default: "the newest that the org and this version both know",
        says: "The version of Salesforce's API to use, pinned.",
        take: |draft, at| draft.api_version = at.parsed(),
        show: |draft| shown(&draft.api_version),
    },
    Key {
        name: "session_timeout_seconds",
        kind: Kind::Number { min: 60, max: 86_400 },
        default: "learned: from the end that a JWT-format token names, else from sessions that ended while idle; until then 15 minutes are counted on, the shortest session there is",
        says: "The session timeout of the app, profile or org, where you know it. Salesforce's own range is 15 minutes to 24 hours; JWT-format tokens may live for one minute.",
        take: |draft, at| draft.session_timeout = at.number(),
        show: |draft| shown(&draft.session_timeout),
    },
    Key {
        name: "refresh_buffer_seconds",
        kind: Kind::Number { min: 1, max: 86_400 },
        default: "300",
        says: "How long before its end a token is renewed; shortened to a third of the token's life.",
        take: |draft, at| draft.refresh_buffer = at.number(),
        show: |draft| shown(&draft.refresh_buffer),
    },
    Key {
        name: "mint_attempts",
        kind: Kind::Number { min: 1, max: 10 },
        default: "3",
        says: "Attempts at one mint. Only faults that pass by themselves are tried again, never a refusal.",
        take: |draft, at| draft.mint_attempts = at.number(),
        show: |draft| shown(&draft.mint_attempts),
    },
    Key {
        name: "mint_budget_per_hour",
        kind: Kind::Number { min: 1, max: 3_600 },
        default: "600",
        says: "Mints that one user may use in an hour. At half there is a warning; when it is spent the live token is served, else exit 75. 60 more are kept for `doctor` and rotation proofs. Salesforce is commonly said to stop a user's logins at 3,600.",
        take: |draft, at| draft.mint_budget = at.number(),
        show: |draft| shown(&draft.mint_budget),
    },
    Key {
        name: "token_cache",
        kind: Kind::OneOf(&["file", "memory"]),
        default: "\"file\"",
        says: "Where tokens are kept between mints: in a file that only you can read, shared by your processes on this machine, or in the process alone.",
        take: |draft, at| {
            draft.token_cache =
                at.one_of(&[("file", TokenCacheKind::File), ("memory", TokenCacheKind::Memory)]);
        },
        show: |draft| shown(&draft.token_cache),
    },
    Key {
        name: "instance_hosts",
        kind: Kind::Texts {
            accepts: "a list of hosts (\"api.example.com\") and suffixes (\".example.com\")",
        },
        default: "Salesforce's own suffixes",
        says: "Where a token may go, in place of Salesforce's own suffixes.",
        take: |draft, at| {
            draft.instance_hosts = at.texts().and_then(|hosts| match InstanceHosts::new(&hosts.value) {
                Ok(value) => Some(Sourced { value, origin: hosts.origin }),
                Err(error) => at.mistake(format!("is refused: {error}")),
            });
        },
        show: |draft| shown(&draft.instance_hosts),
    },
    Key {
        name: "ca_file",
        kind: Kind::Path,
        default: "the system's authorities",
        says: "PEM certificates of authorities to trust besides the system's.",
        take: |draft, at| draft.ca_file = at.path(),
        show: |draft| shown(&draft.ca_file),
    },
    Key {
        name: "proxy",
        kind: Kind::Proxy,
        default: "`HTTPS_PROXY` and `NO_PROXY`",
        says: "The proxy for this connection. An address with a password comes from an environment variable.",
        take: |draft, at| draft.proxy = proxy(at),
        show: |draft| shown(&draft.proxy),
    },
];

/// Every key of one of two apps.
pub(super) static APP: &[Key<AppDraft>] = &[
    Key {
        name: "name",
        kind: Kind::Text { accepts: "a name of letters, digits, `_` and `-`, such as \"a\"" },
        default: "",
        says: "What you call the app; the two differ.",
        take: |draft, at| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            draft.name = at.text().and_then(|name| {
                match !name.is_empty() && name.len() <= 64 && name.chars().all(fits) {
                    true => Some(at.sourced(name.to_string())),
                    false => at.mistake(format!("is no name for an app; accepted is {}", at.kind.accepts())),
                }
            });
        },
        show: |draft| shown(&draft.name),
    },
    Key {
        name: "client_id",
        kind: CLIENT_ID,
        default: "",
        says: "The app's consumer key.",
        take: |draft, at| draft.client_id = at.parsed(),
        show: |draft| shown(&draft.client_id),
    },
    Key {
        name: "key",
        kind: Kind::PrivateKey,
        default: "",
        says: "Where the app's private key is.",
        take: |draft, at| draft.key = private_key(at),
        show: |draft| shown(&draft.key),
    },
    Key {
        name: "certificate",
        kind: Kind::Path,
        default: "none",
        says: "The certificate that was uploaded to the app.",
        take: |draft, at| draft.certificate = at.path(),
        show: |draft| shown(&draft.certificate),
    },
];

/// Keys that `[defaults]` alone may hold.
pub(super) static GENERAL: &[Key<General>] = &[
    Key {
        name: "store",
        kind: Kind::Store,
        default: "`{ sqlite = \"state.db\" }`",
        says: "Where history and other facts are kept. Like all state, a relative path starts at the state directory.",
        take: |general, at| general.store = store(at),
        show: |general| shown(&general.store),
    },
    Key {
        name: "keep_history_days",
        kind: Kind::Number { min: 1, max: 36_500 },
        default: "400",
        says: "How long rows of history are kept.",
        take: |general, at| general.keep_history_days = at.number(),
        show: |general| shown(&general.keep_history_days),
    },
];

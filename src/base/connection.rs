use std::path::PathBuf;
use std::time::Duration;

use super::{
    ApiVersion, Audience, Claims, ConnectionName, ConsumerKey, InstanceHosts, KeySource, LoginUrl, Secret,
    UnixSeconds, Username,
};

/// One app's half of a connection: its consumer key, and the key that its certificate belongs to.
#[derive(Clone, Debug)]
pub struct Credential {
    /// `a` or `b` with two apps, else `main`.
    pub name: String,
    /// The app's consumer key.
    pub client_id: ConsumerKey,
    /// Where the private key is.
    pub key: KeySource,
    /// The certificate that was uploaded to the app. With it, a wrong key is found before any request.
    pub certificate: Option<PathBuf>,
}

/// One credential, or two of which one is active: the shape a rotation without a gap needs.
#[derive(Clone, Debug)]
pub struct Credentials {
    active: Credential,
    standby: Option<Credential>,
}

impl Credentials {
    /// The only credential.
    pub fn one(credential: Credential) -> Self {
        Self { active: credential, standby: None }
    }

    /// Two credentials; mints go through `active`.
    pub fn two(active: Credential, standby: Credential) -> Self {
        Self { active, standby: Some(standby) }
    }

    /// The credential that mints.
    pub fn active(&self) -> &Credential {
        &self.active
    }

    /// The other one, where there are two.
    pub fn standby(&self) -> Option<&Credential> {
        self.standby.as_ref()
    }

    /// Both, the active one first.
    pub fn iter(&self) -> impl Iterator<Item = &Credential> {
        std::iter::once(&self.active).chain(&self.standby)
    }
}

/// Where tokens are kept between mints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenCacheKind {
    /// In a 0600 file below the state directory, shared by all processes of one user.
    #[default]
    File,
    /// In this process only.
    Memory,
}

/// How tokens of one connection are minted and kept.
#[derive(Clone, Debug)]
pub struct TokenPolicy {
    /// The session timeout of the org, profile or app, where the user knows it.
    pub session_timeout: Option<Duration>,
    /// How long before its end a token is renewed; never more than a third of its life.
    pub refresh_buffer: Duration,
    /// Attempts at one mint, transient faults only.
    pub mint_attempts: u32,
    /// Mints one user may use in an hour.
    pub mint_budget_per_hour: u32,
    /// Where tokens are kept.
    pub cache: TokenCacheKind,
}

impl Default for TokenPolicy {
    fn default() -> Self {
        Self {
            session_timeout: None,
            refresh_buffer: Duration::from_secs(300),
            mint_attempts: 3,
            mint_budget_per_hour: 600,
            cache: TokenCacheKind::File,
        }
    }
}

/// How this connection reaches the network.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// PEM certificates of authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// A proxy of its own; otherwise `HTTPS_PROXY` and `NO_PROXY` decide. May hold a password.
    pub proxy: Option<Secret<String>>,
    /// Hosts of the proxies that the environment names, in lower case. They are the user's own choice, so
    /// they may be where no host of Salesforce is: on this machine.
    pub proxy_hosts: Vec<String>,
}

/// One org, one subject, one or two credentials: everything a mint needs to know, parsed.
///
/// Made by `Settings` or `Connection::from_env`; nothing below ever sees the text it came from.
#[derive(Clone, Debug)]
pub struct Connection {
    /// What the user calls it.
    pub name: ConnectionName,
    /// Where tokens are asked for.
    pub login_url: LoginUrl,
    /// Whom assertions are addressed to.
    pub audience: Audience,
    /// Whom tokens are for.
    pub username: Username,
    /// What signs.
    pub credentials: Credentials,
    /// How tokens are minted and kept.
    pub policy: TokenPolicy,
    /// Where tokens may go.
    pub instance_hosts: InstanceHosts,
    /// How the network is reached.
    pub network: Network,
    /// The API version to use, where it is pinned.
    pub api_version: Option<ApiVersion>,
    /// Where cache and store live; `None` keeps everything in memory.
    pub state_dir: Option<PathBuf>,
}

impl Connection {
    /// What an assertion for `credential` says at `now`, which is the org's clock.
    ///
    /// Cannot fail: everything in it was parsed before.
    pub fn claims(&self, credential: &Credential, now: UnixSeconds) -> Claims {
        Claims {
            iss: credential.client_id.clone(),
            sub: self.username.clone(),
            aud: self.audience.clone(),
            exp: now.plus(super::ASSERTION_LIFETIME),
        }
    }
}

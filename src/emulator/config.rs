use serde::{Deserialize, Serialize};

use super::app::AppConfig;
use super::injection::Injection;
use super::permission::Grants;
use super::records::RecordsConfig;
use super::rules::Rules;
use super::user::UserConfig;

/// The consumer key of the External Client App in the ready org. It has no certificate until one is set.
pub const DEMO_CONSUMER_KEY: &str =
    "3MVG9sfmintExternalClientApp0000000000000000000000000000000000000000000000000000001";

/// The consumer key of the connected app in the ready org. It has no certificate until one is set.
pub const DEMO_CONNECTED_APP_KEY: &str =
    "3MVG9sfmintConnectedApp00000000000000000000000000000000000000000000000000000000000002";

/// The integration user of the ready org: API access through one permission set, nothing in Setup.
pub const DEMO_USERNAME: &str = "integration@acme.example";

/// The administrator of the ready org: sees Setup, may modify all data. Not attached to any app.
pub const DEMO_ADMIN_USERNAME: &str = "admin@acme.example";

/// What an org looks like before the first request. From TOML; every key has a default.
///
/// # Examples
///
/// ```
/// use sfmint::emulator::OrgConfig;
///
/// let config = OrgConfig::from_toml(r#"
///     name = "Acme"
///     [rules]
///     sandbox = true
///     [[users]]
///     username = "integration@acme.example.dev"
///     frozen = true
/// "#)?;
/// assert!(config.users[0].frozen);
/// assert!(OrgConfig::from_toml("naem = 1").is_err());
/// # Ok::<(), sfmint::emulator::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrgConfig {
    /// The org's id, 15 or 18 characters.
    pub org_id: String,
    /// The company's name, as `Organization.Name` shows it.
    pub name: String,
    /// How far the org's clock is ahead of the machine's, seconds; negative for behind.
    pub clock_skew_seconds: i64,
    /// What may be switched while the org runs.
    pub rules: Rules,
    /// The rows that Account and Contact have.
    pub records: RecordsConfig,
    /// External Client Apps and connected apps.
    pub apps: Vec<AppConfig>,
    /// Users.
    pub users: Vec<UserConfig>,
    /// Permission sets that grant something. A name that only users or apps mention exists too, and grants nothing.
    pub permission_sets: Vec<Grants>,
    /// Profiles that grant something. A name that only users or apps mention exists too, and grants nothing.
    pub profiles: Vec<Grants>,
    /// Faults that are there from the start.
    pub faults: Vec<Injection>,
}

impl Default for OrgConfig {
    fn default() -> Self {
        let app = AppConfig {
            name: "sfmint".into(),
            consumer_key: DEMO_CONSUMER_KEY.into(),
            permission_sets: vec!["sfmint_integration".into()],
            ..AppConfig::default()
        };
        let classic = AppConfig {
            name: "sfmint classic".into(),
            kind: super::AppKind::ConnectedApp,
            consumer_key: DEMO_CONNECTED_APP_KEY.into(),
            ..app.clone()
        };
        let integration = UserConfig {
            username: DEMO_USERNAME.into(),
            name: "Integration User".into(),
            permission_sets: vec!["sfmint_integration".into()],
            ..UserConfig::default()
        };
        let admin = UserConfig {
            username: DEMO_ADMIN_USERNAME.into(),
            name: "Ada Admin".into(),
            profile: "System Administrator".into(),
            ..UserConfig::default()
        };
        Self {
            org_id: "00D8d0000000001".into(),
            name: "Acme".into(),
            clock_skew_seconds: 0,
            rules: Rules::default(),
            records: RecordsConfig::default(),
            apps: vec![app, classic],
            users: vec![integration, admin],
            permission_sets: vec![],
            profiles: vec![Grants::system_administrator()],
            faults: vec![],
        }
    }
}

impl OrgConfig {
    /// Reads an org from TOML. What is left out is as in the ready org ([`Default`]).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for TOML that does not parse, unknown keys, and values that fit nowhere.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|cause| ConfigError { cause: Box::new(cause) })
    }

    /// The same org, with this certificate (PEM) on each of its apps.
    pub fn with_certificate(mut self, pem: &str) -> Self {
        for app in &mut self.apps {
            app.certificate = Some(pem.to_string());
        }
        self
    }

    /// The ready org with [`Rules::rude`] on: all it says is right, none of it is convenient.
    pub fn rude() -> Self {
        Self { rules: Rules { rude: true, ..Rules::default() }, ..Self::default() }
    }
}

/// An org description that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the org's description cannot be read")]
pub struct ConfigError {
    #[source]
    cause: Box<toml::de::Error>,
}

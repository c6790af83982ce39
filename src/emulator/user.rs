use serde::{Deserialize, Serialize};

use super::ip::IpRange;

/// A user as described; adding one with a known user name replaces it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserConfig {
    /// The user name. Required. The org does not look at its case.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// Where mail goes; the user name where none is given.
    pub email: Option<String>,
    /// A deactivated user cannot log in, and sessions end.
    pub active: bool,
    /// A frozen user cannot log in.
    pub frozen: bool,
    /// "API Enabled".
    pub api_enabled: bool,
    /// The profile's name.
    pub profile: String,
    /// Permission sets, by API name.
    pub permission_sets: Vec<String>,
    /// Further permissions, by API name without `Permissions`: `ModifyAllData`, `ViewSetup`, `UseAnyApiClient`, ...
    pub permissions: Vec<String>,
    /// Objects whose every record this user may see ("View All Records").
    pub view_all_records: Vec<String>,
    /// Fields that field-level security hides from this user, as `Account.Industry`.
    pub hidden_fields: Vec<String>,
    /// When logging in is allowed, UTC; none means always.
    pub login_hours: Vec<LoginHours>,
    /// Where from logging in is allowed; none means anywhere.
    pub ip_ranges: Vec<IpRange>,
    /// Consumer keys of the apps this user approved.
    pub approved_apps: Vec<String>,
}

impl Default for UserConfig {
    fn default() -> Self {
        Self {
            username: String::new(),
            name: "User".into(),
            email: None,
            active: true,
            frozen: false,
            api_enabled: true,
            profile: "Minimum Access - API Only Integrations".into(),
            permission_sets: vec![],
            permissions: vec![],
            view_all_records: vec![],
            hidden_fields: vec![],
            login_hours: vec![],
            ip_ranges: vec![],
            approved_apps: vec![],
        }
    }
}

/// A part of each day, in whole hours UTC: `from` inclusive, `to` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginHours {
    /// First hour, 0 to 23.
    pub from: u8,
    /// First hour that is no longer in, 1 to 24.
    pub to: u8,
}

impl LoginHours {
    pub(super) fn hold(self, unix_seconds: i64) -> bool {
        let hour = unix_seconds.rem_euclid(86_400) / 3600;
        (i64::from(self.from)..i64::from(self.to)).contains(&hour)
    }
}

/// A user in the running org.
#[derive(Debug)]
pub(super) struct User {
    pub config: UserConfig,
    pub serial: u64,
    pub id: String,
}

impl User {
    pub fn is_called(&self, username: &str) -> bool {
        self.config.username.eq_ignore_ascii_case(username)
    }

    pub fn email(&self) -> &str {
        self.config.email.as_deref().unwrap_or(&self.config.username)
    }
}

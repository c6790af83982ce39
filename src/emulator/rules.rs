use serde::{Deserialize, Serialize};

use super::bulk::BulkRules;

/// How the org behaves; may be changed while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Whether the org is open. A locked org answers `inactive_org`.
    pub active: bool,
    /// A sandbox belongs to test.salesforce.com, a production org to login.salesforce.com.
    pub sandbox: bool,
    /// Government Cloud: the host is My Domain, the audience of a connected app still `login` or `test`.
    pub government_cloud: bool,
    /// Where clients see this org, as `https://acme.my.salesforce.com`: an audience, and the `instance_url` of answers.
    pub public_url: Option<String>,
    /// Where `id` in token answers points. By default the place that was asked, so that nothing leaves the machine;
    /// a real org says `https://login.salesforce.com`.
    pub identity_url_base: Option<String>,
    /// The My Domain host this org answers to, beside loopback. Without one, any `*.my.salesforce.com`.
    pub my_domain: Option<String>,
    /// The org's own session timeout, where the app sets none. Seconds; 15 minutes to 24 hours in a real org.
    pub session_timeout_seconds: u64,
    /// A second mint for the same user and app brings the token of the first while it lives.
    pub several_mints_one_session: bool,
    /// `exp` at most 3 minutes ahead, plus 3 minutes of skew, as documented. Off: milliseconds pass, as they do in real orgs.
    pub strict_exp: bool,
    /// Logins per user and hour; one more is refused.
    pub login_rate_per_hour: u32,
    /// REST requests in 24 hours; one more is refused.
    pub daily_api_limit: u32,
    /// API Access Control: users without "Use Any API Client" get tokens that REST refuses.
    pub api_access_control: bool,
    /// The oldest API version that is answered; older ones are gone (410).
    pub oldest_api_version: u16,
    /// The newest API version.
    pub newest_api_version: u16,
    /// Correct answers in inconvenient shapes: every fifth token request meets 503, descriptions change their case,
    /// `instance_url` ends in a slash, unknown fields appear, and every seventh answer closes the connection.
    pub rude: bool,
    /// Records are private: users without View All see only those they own. Off, everybody sees every record.
    pub private_sharing: bool,
    /// The connected app's own share of the daily limit, shown as second clause of `Sforce-Limit-Info`.
    pub per_app_api_limit: Option<u32>,
    /// More than 25 requests have been running for more than 20 seconds: every one meets `REQUEST_LIMIT_EXCEEDED`.
    pub concurrent_limit_hit: bool,
    /// Bulk API 2.0.
    pub bulk: BulkRules,
    /// What is not known for certain about real orgs.
    pub facts: Facts,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            active: true,
            sandbox: false,
            government_cloud: false,
            public_url: None,
            identity_url_base: None,
            my_domain: None,
            session_timeout_seconds: 7200,
            several_mints_one_session: false,
            strict_exp: false,
            login_rate_per_hour: 3600,
            daily_api_limit: 15_000,
            api_access_control: false,
            oldest_api_version: 31,
            newest_api_version: 67,
            rude: false,
            private_sharing: false,
            per_app_api_limit: None,
            concurrent_limit_hit: false,
            bulk: BulkRules::default(),
            facts: Facts::default(),
        }
    }
}

/// Behaviour of real orgs that is remembered or reported, not verified: each can be switched to the other way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// The app's certificate must be in its validity period. Default false: lapsed ones are reported to work.
    pub certificate_validity_checked: bool,
    /// The same assertion may be used twice within its life. Default true.
    pub replay_accepted: bool,
    /// The claim `prn` is read, and wins over `sub`. Default true.
    pub prn_accepted: bool,
    /// An app without the `refresh_token` scope cannot use the JWT flow. Default false.
    pub refresh_token_scope_required: bool,
    /// The error code that goes with `login rate exceeded`: `rate_limit_exceeded` (default) or `invalid_grant`.
    pub login_rate_error: String,
    /// The error code for a frozen user: `inactive_user` (default), or `invalid_grant` with `authentication failure`.
    pub frozen_user_error: String,
    /// The description for a wrong audience. Default `audience is invalid`; the docs also show `Audience validation failed`.
    pub audience_description: String,
    /// `/limits` needs "View Setup and Configuration". Default true.
    pub limits_need_view_setup: bool,
    /// userinfo and the identity URL need one of the scopes `id`, `openid`, `profile`, `email`, `full`. Default true.
    pub identity_needs_scope: bool,
    /// Idle seconds after which a query locator is gone. Default 900.
    pub locator_idle_seconds: u64,
    /// Query locators one user can hold open; the next one closes the oldest. Default 10.
    pub open_locators_per_user: usize,
    /// `/services/data` answers without a token. Default true.
    pub versions_are_public: bool,
    /// Days after which a deleted record leaves the recycle bin, and queryAll with it. Default 15.
    pub recycle_bin_days: u32,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            certificate_validity_checked: false,
            replay_accepted: true,
            prn_accepted: true,
            refresh_token_scope_required: false,
            login_rate_error: "rate_limit_exceeded".into(),
            frozen_user_error: "inactive_user".into(),
            audience_description: "audience is invalid".into(),
            limits_need_view_setup: true,
            identity_needs_scope: true,
            locator_idle_seconds: 900,
            open_locators_per_user: 10,
            versions_are_public: true,
            recycle_bin_days: 15,
        }
    }
}

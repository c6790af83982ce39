use std::collections::BTreeMap;

use serde::Serialize;

use super::why::Why;
use crate::base::UnixSeconds;

/// One request as the org saw it. Never a body, a query string or a token.
#[derive(Clone, Debug, Serialize)]
pub struct LogEntry {
    /// When, by the org's clock.
    pub at: UnixSeconds,
    /// The method.
    pub method: String,
    /// The `Host` the client addressed.
    pub host: String,
    /// The path, without its query.
    pub path: String,
    /// The client's own name, where it said one.
    pub user_agent: Option<String>,
    /// The status that was answered; none where no answer left.
    pub status: Option<u16>,
    /// Code and description, or code and message, where the answer was a refusal.
    pub error: Option<(String, String)>,
    /// Why, where an assertion was refused for what it says or how it was signed.
    pub why: Option<Why>,
    /// The fault that was injected here, by its kind.
    pub injected: Option<&'static str>,
}

/// What happened how often, since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests to the token endpoint that arrived, injected faults included.
    pub token_posts: u64,
    /// The same by outcome: `minted`, `invalid_grant: invalid assertion`, `injected: status`, ...
    pub token_outcomes: BTreeMap<String, u64>,
    /// Tokens given out, by user name.
    pub mints: BTreeMap<String, u64>,
    /// Requests below `/services/data`.
    pub api_requests: u64,
}

impl Counters {
    /// Tokens given out to all users together.
    pub fn minted(&self) -> u64 {
        self.mints.values().sum()
    }
}

/// A login attempt whose user was known, as the object LoginHistory shows it.
#[derive(Clone, Debug, Serialize)]
pub struct LoginRow {
    /// When, by the org's clock.
    pub at: UnixSeconds,
    /// Who.
    pub user_id: String,
    /// Through which app.
    pub application: String,
    /// From where.
    pub source_ip: String,
    /// `Success`, or `Failed: ` and why.
    pub status: String,
    /// The host that was asked.
    pub login_url: String,
}

/// A change in Setup, as the object SetupAuditTrail shows it.
#[derive(Clone, Debug, Serialize)]
pub struct AuditRow {
    /// When, by the org's clock.
    pub at: UnixSeconds,
    /// The kind of change.
    pub action: String,
    /// The change in words.
    pub display: String,
    /// The part of Setup.
    pub section: String,
}

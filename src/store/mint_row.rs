use serde::Serialize;

use super::screen::screened;
use super::word::word;
use crate::base::{ConnectionName, ConsumerKey, KeyId, OAuthError, OrgId, TokenId, UnixSeconds, Username};

word!(
    /// How a mint ended.
    MintOutcome {
        /// A token came.
        Minted = "minted",
        /// Salesforce said no.
        Refused = "refused",
        /// No answer that counts: network, outage, a gateway, our own key.
        Failed = "failed",
    }
);

word!(
    /// Why a mint was asked for.
    MintReason {
        /// No token was kept.
        Cold = "cold",
        /// The kept token was near its end.
        Due = "due",
        /// The kept token was past its end.
        Expired = "expired",
        /// Somebody asked for a new one (`token --fresh`).
        Fresh = "fresh",
        /// Salesforce called the kept token's session dead.
        DeadSession = "dead_session",
        /// A new key had to prove itself.
        Proof = "proof",
        /// `doctor` asked.
        Doctor = "doctor",
    }
);

/// One mint, or one refusal. Has no place for a token, an assertion or a key: those go by fingerprint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MintRow {
    /// When it began, by this machine's wall clock.
    pub at: UnixSeconds,
    /// The connection's name.
    pub connection: ConnectionName,
    /// Which of the connection's credentials: `main`, `a`, `b`.
    pub credential: String,
    /// For whom.
    pub username: Username,
    /// Through which app.
    pub client_id: ConsumerKey,
    /// Where it was asked.
    pub login_url: String,
    /// How it ended.
    pub outcome: MintOutcome,
    /// sfmint's stable code where it did not end well, such as `mint.refused`.
    pub code: Option<String>,
    /// Salesforce's own words, where it was Salesforce that said no.
    pub salesforce: Option<OAuthError>,
    /// From the first byte sent to the end, all attempts and their pauses included. Milliseconds.
    pub duration_ms: u64,
    /// Requests made; 0 where it failed before any.
    pub attempts: u32,
    /// The key that signed.
    pub key_id: Option<KeyId>,
    /// The token that came.
    pub token_id: Option<TokenId>,
    /// The org that gave it.
    pub org_id: Option<OrgId>,
    /// The org's clock less ours, where an answer told it. Seconds.
    pub skew_seconds: Option<i64>,
    /// Why it was asked for.
    pub reason: MintReason,
    /// The process that asked.
    pub pid: u32,
    /// The version of sfmint that asked.
    pub version: String,
}

impl MintRow {
    /// The row as it may be kept: free text that looks like a credential is left out.
    ///
    /// Our own callers put none there; a gateway that echoes the assertion in its error text might.
    pub(super) fn screened(mut self) -> Self {
        for text in [&mut self.credential, &mut self.login_url, &mut self.version] {
            *text = screened(text);
        }
        self.code = self.code.as_deref().map(screened);
        self.salesforce = self.salesforce.map(|pair| OAuthError {
            error: screened(&pair.error),
            description: pair.description.as_deref().map(screened),
        });
        self
    }
}

/// Which mints to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintQuery {
    /// Only this connection's.
    pub connection: Option<ConnectionName>,
    /// Only those at this moment or later.
    pub since: Option<UnixSeconds>,
    /// At most so many.
    pub limit: u32,
}

impl Default for MintQuery {
    fn default() -> Self {
        Self { connection: None, since: None, limit: 100 }
    }
}

use std::time::Duration;

use serde::Serialize;

use crate::base::{TokenId, UnixSeconds};

/// A session, and the access token that opens it.
#[derive(Clone)]
pub(super) struct Session {
    pub token: String,
    pub id: TokenId,
    pub username: String,
    pub consumer_key: String,
    pub scopes: Vec<String>,
    pub used: Duration,
    pub timeout: Duration,
    /// The `exp` of a JWT-format token; such a token does not slide.
    pub ends: Option<UnixSeconds>,
    pub high_assurance_missing: bool,
    pub killed: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// A session as the admin API shows it.
#[derive(Clone, Debug, Serialize)]
pub struct SessionInfo {
    /// The token's fingerprint, `base::TokenId`.
    pub token_id: TokenId,
    /// Whose session.
    pub username: String,
    /// Which app's.
    pub consumer_key: String,
    /// Whether a request with this token would be answered.
    pub alive: bool,
}

impl Session {
    /// Whether the session stands. Opaque tokens slide on activity; JWT-format tokens end when they say.
    pub fn is_alive(&self, now: UnixSeconds, elapsed: Duration) -> bool {
        !self.killed
            && match self.ends {
                Some(ends) => now < ends,
                None => elapsed.saturating_sub(self.used) < self.timeout,
            }
    }

    pub fn has_scope(&self, any_of: &[&str]) -> bool {
        self.scopes.iter().any(|scope| any_of.contains(&scope.as_str()))
    }
}

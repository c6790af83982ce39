use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base::{
    AccessToken, ApiVersion, Clock, Connection, InstanceUrl, KeyId, OAuthError, Secret, TokenId, TokenParts,
    TokenType, UnixSeconds, sha256_hex,
};
use crate::token::freshness::{Lifetime, Stamp};
use crate::token::useless::Useless;

/// What is known of one connection: its token, and what was learned while using it.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The token in hand.
    pub kept: Option<Kept>,
    /// The org every token came from so far, 18 characters.
    pub org_id: Option<String>,
    /// What 401s have taught of the session timeout: it is not longer than this.
    pub learned: Option<Duration>,
    /// The org's clock minus ours, as last measured. Seconds.
    pub skew: Option<i64>,
    /// When the certificate that signed last ends.
    pub certificate_not_after: Option<UnixSeconds>,
    /// Mints refused in a row.
    pub refused: Option<Refused>,
    /// Tokens in a row that Salesforce gave and we did not take.
    pub rejected: Option<Rejected>,
    /// What Salesforce said to a token it had just given.
    pub session_refused: Option<Refused>,
    /// When tokens were minted because a working session had ended; the last few.
    pub reminted: Vec<UnixSeconds>,
    /// When a renewal failed for a passing reason.
    pub renewal_failed_at: Option<UnixSeconds>,
}

/// A token and how it came.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The token.
    pub token: AccessToken,
    /// When it was minted, on both clocks.
    pub minted: Stamp,
    /// Its life, where the token itself tells.
    pub told: Option<Duration>,
    /// The credential that minted it.
    pub credential: String,
    /// The key that signed for it.
    pub key_id: Option<KeyId>,
    /// When Salesforce last accepted it, as far as we know.
    pub accepted_at: Option<UnixSeconds>,
    /// The newest API version that its org and this release both know, once somebody has asked.
    pub api_version: Option<ApiVersion>,
}

/// A refusal, how often it was heard in a row, and when last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Salesforce's error code.
    pub error: String,
    /// Salesforce's description.
    pub description: Option<String>,
    /// How often in a row.
    pub times: u32,
    /// When last.
    pub at: UnixSeconds,
}

/// A token that was given and not taken, how often in a row, and when last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// What was wrong with it.
    pub what: Useless,
    /// How often in a row.
    pub times: u32,
    /// When last.
    pub at: UnixSeconds,
}

impl Refused {
    /// Salesforce's words as they were.
    pub fn reason(&self) -> OAuthError {
        OAuthError { error: self.error.clone(), description: self.description.clone() }
    }
}

impl Record {
    /// The name under which a connection's record is kept: a hash, 64 hex digits.
    ///
    /// Of login URL, audience, client id, username and the key's reference: change one, and no other
    /// connection's token is read. Nothing secret is resolved for it.
    pub fn key(connection: &Connection) -> String {
        let credential = connection.credentials.active();
        let parts = [
            connection.login_url.as_str(),
            connection.audience.as_str(),
            credential.client_id.as_str(),
            &connection.username.folded(),
            &credential.key.reference(),
        ];
        let mut text = String::from("sfmint token 1");
        for part in parts {
            text.push_str(&format!("\n{}:{part}", part.len()));
        }
        sha256_hex(text.as_bytes())
    }

    /// What is known of the life of the token in hand.
    pub fn lifetime(&self, connection: &Connection) -> Lifetime {
        let told = self.kept.as_ref().and_then(|kept| kept.told);
        Lifetime::best(told, connection.policy.session_timeout, self.learned)
    }

    /// Forgets the token in hand if it is this one: a compare-and-swap, so that a late complaint about an old token ends no new one.
    pub fn invalidate(&mut self, id: &TokenId) -> Option<Kept> {
        self.kept.take_if(|kept| kept.token.id() == *id)
    }

    /// The record as it stands in a file. JSON; zeroed when dropped, since it holds the token.
    pub(super) fn to_bytes(&self, key: &str) -> Zeroizing<Vec<u8>> {
        let kept = self.kept.as_ref().map(|kept| Written {
            access_token: kept.token.expose(),
            jwt: kept.token.token_type == TokenType::Jwt,
            instance_url: kept.token.instance_url.as_str(),
            org_id: kept.token.org_id.as_str(),
            user_id: kept.token.user_id.as_str(),
            scope: kept.token.scope.iter().map(String::as_str).collect(),
            minted_at: kept.minted.wall,
            minted_uptime_ms: u64::try_from(kept.minted.uptime.as_millis()).unwrap_or(u64::MAX),
            boot_id: &kept.minted.boot_id,
            told_seconds: kept.told.map(|told| told.as_secs()),
            credential: &kept.credential,
            key_id: kept.key_id.as_ref().map(KeyId::as_str),
            accepted_at: kept.accepted_at,
            api_version: kept.api_version.map(ApiVersion::major),
        });
        let document = Document {
            version: VERSION,
            key,
            token: kept,
            org_id: self.org_id.as_deref(),
            learned_seconds: self.learned.map(|learned| learned.as_secs()),
            skew_seconds: self.skew,
            certificate_not_after: self.certificate_not_after,
            refused: self.refused.clone(),
            rejected: self.rejected.clone(),
            session_refused: self.session_refused.clone(),
            reminted: self.reminted.clone(),
            renewal_failed_at: self.renewal_failed_at,
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        // Writing to memory does not fail, and every value is a plain one.
        let _ = serde_json::to_writer(&mut *bytes, &document);
        bytes
    }

    /// Reads a record back.
    ///
    /// # Errors
    ///
    /// One sentence: what is wrong with it. A token that may not go where the record says counts as damage, so
    /// that nobody who can write the file can send a token elsewhere.
    pub(super) fn from_bytes(
        bytes: &[u8],
        key: &str,
        connection: &Connection,
        clock: &dyn Clock,
    ) -> Result<Self, String> {
        let document: Document<'_> = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is damaged at line {} column {}", error.line(), error.column()))?;
        if document.version != VERSION {
            return Err(format!("it is of version {}, and this sfmint reads {VERSION}", document.version));
        }
        if document.key != key {
            return Err("it belongs to another connection".into());
        }
        let learned = document.learned_seconds.map(Duration::from_secs);
        let kept = document.token.map(|written| written.read(connection)).transpose()?;
        let ahead = |at: &UnixSeconds| at.seconds_since(clock.now()) > 86_400;
        Ok(Self {
            kept,
            org_id: document.org_id.map(String::from),
            learned,
            skew: document.skew_seconds,
            certificate_not_after: document.certificate_not_after,
            refused: document.refused.filter(|refused| !ahead(&refused.at)),
            rejected: document.rejected.filter(|rejected| !ahead(&rejected.at)),
            session_refused: document.session_refused.filter(|refused| !ahead(&refused.at)),
            reminted: document.reminted,
            renewal_failed_at: document.renewal_failed_at.filter(|at| !ahead(at)),
        })
    }
}

/// The shape of the file; raised when an older sfmint could misread a newer file.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    version: u32,
    #[serde(borrow)]
    key: &'a str,
    #[serde(borrow)]
    token: Option<Written<'a>>,
    #[serde(borrow)]
    org_id: Option<&'a str>,
    learned_seconds: Option<u64>,
    skew_seconds: Option<i64>,
    certificate_not_after: Option<UnixSeconds>,
    refused: Option<Refused>,
    rejected: Option<Rejected>,
    session_refused: Option<Refused>,
    reminted: Vec<UnixSeconds>,
    renewal_failed_at: Option<UnixSeconds>,
}

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    access_token: &'a str,
    jwt: bool,
    instance_url: &'a str,
    org_id: &'a str,
    user_id: &'a str,
    #[serde(borrow)]
    scope: Vec<&'a str>,
    minted_at: UnixSeconds,
    minted_uptime_ms: u64,
    boot_id: &'a str,
    told_seconds: Option<u64>,
    credential: &'a str,
    key_id: Option<&'a str>,
    accepted_at: Option<UnixSeconds>,
    #[serde(default)]
    api_version: Option<u16>,
}

impl Written<'_> {
    fn read(self, connection: &Connection) -> Result<Kept, String> {
        let token = self.access_token;
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("its token is damaged".into());
        }
        let told = self.told_seconds.map(Duration::from_secs);
        let life = Lifetime::best(told, connection.policy.session_timeout, None).promised();
        let parts = TokenParts {
            value: Secret::new("access token", token.to_string()),
            token_type: if self.jwt { TokenType::Jwt } else { TokenType::Opaque },
            instance_url: InstanceUrl::parse(
                self.instance_url,
                &connection.instance_hosts,
                &connection.login_url,
            )
            .map_err(|error| error.to_string())?,
            org_id: self.org_id.parse().map_err(|_| "its org id is damaged")?,
            user_id: self.user_id.parse().map_err(|_| "its user id is damaged")?,
            username: connection.username.clone(),
            scope: self.scope.into_iter().map(String::from).collect(),
            minted_at: self.minted_at,
            expires_at: life.map(|life| self.minted_at.plus(life)),
        };
        Ok(Kept {
            token: AccessToken::new(parts),
            minted: Stamp {
                wall: self.minted_at,
                uptime: Duration::from_millis(self.minted_uptime_ms),
                boot_id: self.boot_id.to_string(),
            },
            told,
            credential: self.credential.to_string(),
            key_id: self.key_id.and_then(|id| serde_json::from_value(id.into()).ok()),
            accepted_at: self.accepted_at,
            api_version: self.api_version.map(ApiVersion::new),
        })
    }
}

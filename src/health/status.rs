use serde::Serialize;

use crate::base::{Clock, ConnectionName, Explain, OAuthError, TokenId, UnixSeconds};
use crate::crypto::{Mistake, read_certificate, read_public_file};
use crate::store::{MintOutcome, MintQuery, MintRow, Store, StoreError};
use crate::token::{Lifetime, Need, TokenSource, standing};

use super::age;

/// How one connection stands, from what is known without asking Salesforce. No secret in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionStatus {
    /// The connection.
    pub connection: ConnectionName,
    /// Whom its tokens are for.
    pub username: String,
    /// Where they are asked for.
    pub login_url: String,
    /// The token in hand.
    pub token: Option<TokenStatus>,
    /// The certificates of its credentials, the active one first.
    pub certificates: Vec<CertificateStatus>,
    /// The last mint.
    pub last_mint: Option<MintStatus>,
    /// The last refusal or failure, if it is newer than the last mint.
    pub last_failure: Option<MintStatus>,
    /// Mints of this user in the last hour, on this machine.
    pub mints_used: u32,
    /// How many are allowed.
    pub mint_budget_per_hour: u32,
    /// The org's clock minus ours, as last measured. Seconds.
    pub skew_seconds: Option<i64>,
    /// The session timeout that 401s have taught. Seconds.
    pub learned_timeout_seconds: Option<u64>,
    /// The org that tokens come from.
    pub org_id: Option<String>,
}

/// A kept token, without the token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TokenStatus {
    /// Its fingerprint.
    pub id: TokenId,
    /// When it was minted.
    pub minted_at: UnixSeconds,
    /// How long ago, by the better of both clocks. Seconds.
    pub age_seconds: u64,
    /// Until it is renewed; `None` where its life is not known. Seconds.
    pub due_in_seconds: Option<u64>,
    /// `fresh`, `due` or `expired`.
    pub standing: &'static str,
    /// Who told how long it lives: `token`, `configured`, `learned` or `unknown`.
    pub lifetime_from: &'static str,
    /// When Salesforce last accepted it.
    pub accepted_at: Option<UnixSeconds>,
}

/// A credential's certificate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CertificateStatus {
    /// The credential.
    pub credential: String,
    /// When it ends; `None` where none is named, or it cannot be read.
    pub not_after: Option<UnixSeconds>,
    /// Whole days until then.
    pub days_left: Option<i64>,
    /// Why it could not be read.
    pub trouble: Option<String>,
}

/// One row of the history of mints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MintStatus {
    /// When.
    pub at: UnixSeconds,
    /// How it ended.
    pub outcome: MintOutcome,
    /// sfmint's code where it did not end well.
    pub code: Option<String>,
    /// Salesforce's words.
    pub salesforce: Option<OAuthError>,
    /// How long it took. Milliseconds.
    pub duration_ms: u64,
}

impl From<&MintRow> for MintStatus {
    fn from(row: &MintRow) -> Self {
        Self {
            at: row.at,
            outcome: row.outcome,
            code: row.code.clone(),
            salesforce: row.salesforce.clone(),
            duration_ms: row.duration_ms,
        }
    }
}

/// Gathers how a connection stands. Asks nobody but this machine's own files, and reads no key.
///
/// # Errors
///
/// [`StoreError`]: the history cannot be read. Everything else is told as it is.
pub async fn status(
    tokens: &TokenSource,
    store: Option<&dyn Store>,
    clock: &dyn Clock,
) -> Result<ConnectionStatus, StoreError> {
    let connection = tokens.connection();
    let record = tokens.record();
    let lifetime = record.lifetime(connection);
    let token = record.kept.as_ref().map(|kept| {
        let handed = tokens.kept(&Need { until_refused: true, ..Need::default() });
        let stands = standing(&record, &Need::default(), connection, clock);
        TokenStatus {
            id: kept.token.id(),
            minted_at: kept.minted.wall,
            age_seconds: kept.minted.age(clock).unwrap_or_default().as_secs(),
            due_in_seconds: match stands {
                Some(crate::token::Freshness::Due) => Some(0),
                _ => handed.and_then(|handed| handed.due_in).map(|due| due.as_secs()),
            },
            standing: match stands {
                Some(crate::token::Freshness::Fresh) => "fresh",
                Some(crate::token::Freshness::Due) => "due",
                _ => "expired",
            },
            lifetime_from: match lifetime {
                Lifetime::Told(_) => "token",
                Lifetime::Configured(_) => "configured",
                Lifetime::Learned(_) => "learned",
                Lifetime::Unknown => "unknown",
            },
            accepted_at: kept.accepted_at,
        }
    });
    let rows = match store {
        Some(store) => {
            store
                .mints(MintQuery { connection: Some(connection.name.clone()), since: None, limit: 100 })
                .await?
        }
        None => Vec::new(),
    };
    let last_mint = rows.iter().position(|row| row.outcome == MintOutcome::Minted);
    let last_failure = rows.first().filter(|_| last_mint != Some(0));
    Ok(ConnectionStatus {
        connection: connection.name.clone(),
        username: connection.username.to_string(),
        login_url: connection.login_url.to_string(),
        token,
        certificates: connection
            .credentials
            .iter()
            .map(|credential| certificate(credential, clock))
            .collect(),
        last_mint: last_mint.and_then(|at| rows.get(at)).map(MintStatus::from),
        last_failure: last_failure.map(MintStatus::from),
        mints_used: tokens.mints_used(),
        mint_budget_per_hour: connection.policy.mint_budget_per_hour,
        skew_seconds: record.skew,
        learned_timeout_seconds: record.learned.map(|learned| learned.as_secs()),
        org_id: record.org_id,
    })
}

fn certificate(credential: &crate::base::Credential, clock: &dyn Clock) -> CertificateStatus {
    let none = CertificateStatus {
        credential: credential.name.clone(),
        not_after: None,
        days_left: None,
        trouble: None,
    };
    let Some(path) = &credential.certificate else { return none };
    let read =
        read_public_file(path).map_err(|mistake| mistake.at(crate::crypto::Place::file(path))).and_then(
            |(bytes, _)| read_certificate(&bytes).map_err(|error| error.at(crate::crypto::Place::file(path))),
        );
    match read {
        Ok(read) => CertificateStatus {
            not_after: Some(read.not_after()),
            days_left: Some(age::days_left(read.not_after(), clock.now())),
            ..none
        },
        Err(error) => CertificateStatus { trouble: Some(format!("{error} ({})", error.code())), ..none },
    }
}

use std::sync::Arc;

use tracing::{info, warn};

use crate::base::{Clock, Connection, Explain};
use crate::store::{MintOutcome, MintReason, MintRow, Store};

use super::need::Handed;
use super::{Attempted, MintError};

/// Writes one mint or refusal into the store. Never the token.
///
/// A store that cannot be written is said, and stops nobody from getting a token.
pub(super) async fn record(
    store: Option<&Arc<dyn Store>>,
    connection: &Connection,
    attempted: &Attempted,
    reason: MintReason,
    clock: &dyn Clock,
) {
    let Some(store) = store else { return };
    let (outcome, code, salesforce) = match &attempted.result {
        Ok(_) => (MintOutcome::Minted, None, None),
        Err(error @ MintError::Refused { reason }) => {
            (MintOutcome::Refused, Some(error.code()), Some(reason.clone()))
        }
        Err(error) => (MintOutcome::Failed, Some(error.code()), None),
    };
    let token = attempted.result.as_ref().ok().map(|minted| &minted.token);
    let row = MintRow {
        at: clock.now(),
        connection: connection.name.clone(),
        credential: attempted.credential.name.clone(),
        username: connection.username.clone(),
        client_id: attempted.credential.client_id.clone(),
        login_url: connection.login_url.to_string(),
        outcome,
        code: code.map(String::from),
        salesforce,
        duration_ms: u64::try_from(attempted.duration.as_millis()).unwrap_or(u64::MAX),
        attempts: attempted.posts,
        key_id: attempted.key_id.clone(),
        token_id: token.map(|token| token.id()),
        org_id: token.map(|token| token.org_id.clone()),
        skew_seconds: attempted.skew,
        reason,
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_string(),
    };
    if let Err(error) = store.record_mint(row).await {
        warn!(connection.name = %connection.name, "the mint is not in the history: {error}");
    }
}

/// Says what every call says: the token's age, its next renewal, and the days the certificate has left.
pub fn tell(handed: &Handed, connection: &Connection, verb: &str, clock: &dyn Clock) {
    let days = handed.certificate_not_after.map(|end| end.seconds_since(clock.now()).div_euclid(86_400));
    let due = handed
        .due_in
        .map_or_else(|| "when it is refused".to_string(), |due| format!("in {} s", due.as_secs()));
    info!(
        connection.name = %connection.name,
        token.id = %handed.token.id(),
        token.age_s = handed.age.as_secs(),
        token.due_in_s = handed.due_in.map(|due| due.as_secs()),
        cert.days_left = days,
        "{verb} access token for `{}`, next due {due}",
        connection.name
    );
}

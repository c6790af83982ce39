use std::time::Duration;

use crate::base::{AccessToken, Clock, Connection, UnixSeconds};
use crate::store::MintReason;

use super::cache::Record;
use super::freshness::{Freshness, effective_buffer, freshness};
use super::governor::Claimant;

/// What a caller wants of a token.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// How much longer it must be good. Never more than the life of a token less the buffer: beyond that no
    /// mint would help, and every call would be one.
    pub min_valid: Duration,
    /// A new one, whatever is kept; also asks at once where refusals have made us wait.
    pub fresh: bool,
    /// The caller answers a 401 itself by asking for another, so an unknown life may be used until it ends.
    pub until_refused: bool,
    /// Wait for the renewal of a token that is due, because this process will not live to see it in the background.
    pub wait_for_renewal: bool,
    /// Whether the reserve of the mint budget may be used.
    pub claimant: Claimant,
}

impl Default for Need {
    fn default() -> Self {
        Self {
            min_valid: Duration::ZERO,
            fresh: false,
            until_refused: false,
            wait_for_renewal: false,
            claimant: Claimant::Work,
        }
    }
}

/// Where a token that was handed out came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Minted for this call, or for one that it joined.
    Minted,
    /// It was there.
    Cache,
}

/// A token, and what a log line says of it.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The token.
    pub token: AccessToken,
    /// Minted or kept.
    pub origin: Origin,
    /// How long ago it was minted.
    pub age: Duration,
    /// When it is renewed, from now; `None` where nobody has said how long it lives.
    pub due_in: Option<Duration>,
    /// When the certificate that signed for it ends.
    pub certificate_not_after: Option<UnixSeconds>,
}

/// How the token of a record stands for a need. `None` where there is none.
pub fn standing(
    record: &Record,
    need: &Need,
    connection: &Connection,
    clock: &dyn Clock,
) -> Option<Freshness> {
    let kept = record.kept.as_ref()?;
    let lifetime = record.lifetime(connection);
    let life = if need.until_refused { lifetime.until_refused() } else { lifetime.to_count_with() };
    let Some(age) = kept.minted.age(clock) else { return Some(Freshness::Expired) };
    let buffer = connection.policy.refresh_buffer;
    let longest = life - effective_buffer(life, buffer);
    if need.min_valid > Duration::ZERO && life.saturating_sub(age) < need.min_valid.min(longest) {
        return Some(Freshness::Expired);
    }
    Some(freshness(age, life, buffer))
}

impl Record {
    /// Why a mint is needed, as history will say.
    pub(super) fn reason(&self, need: &Need, connection: &Connection, clock: &dyn Clock) -> MintReason {
        match standing(self, need, connection, clock) {
            _ if need.claimant == Claimant::Proof => MintReason::Proof,
            _ if need.claimant == Claimant::Doctor => MintReason::Doctor,
            _ if need.fresh => MintReason::Fresh,
            None => MintReason::Cold,
            Some(Freshness::Expired) => MintReason::Expired,
            Some(Freshness::Due | Freshness::Fresh) => MintReason::Due,
        }
    }

    /// Hands the token in hand out, with what a log line says of it.
    pub(super) fn hand(&self, origin: Origin, connection: &Connection, clock: &dyn Clock) -> Option<Handed> {
        let kept = self.kept.as_ref()?;
        let age = kept.minted.age(clock).unwrap_or_default();
        let due_in = self.lifetime(connection).promised().map(|life| {
            let due = life - effective_buffer(life, connection.policy.refresh_buffer);
            due.saturating_sub(age)
        });
        Some(Handed {
            token: kept.token.clone(),
            origin,
            age,
            due_in,
            certificate_not_after: self.certificate_not_after,
        })
    }
}

use std::time::Duration;

use serde::Serialize;

use super::StoreError;
use crate::base::{UnixSeconds, printable};

/// Who holds, or wants to hold, a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Names this run: must differ from that of any other run, past or present.
    pub id: String,
    /// The machine it runs on.
    pub host: String,
    /// Its process.
    pub pid: u32,
}

/// A wish for a lease.
#[derive(Clone, Debug)]
pub struct LeaseRequest {
    /// What is leased, such as `job/accounts`.
    pub name: String,
    /// Who asks.
    pub holder: Holder,
    /// For how long; renew at a third of it.
    pub ttl: Duration,
    /// The wall clock.
    pub now: UnixSeconds,
}

/// A lease that is ours until `until`, and proven by its epoch at every write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// Who holds it.
    pub holder: Holder,
    /// The fencing token: greater than that of any earlier lease of this name.
    pub epoch: u64,
    /// When it was first given to this holder.
    pub since: UnixSeconds,
    /// When it ends unless renewed.
    pub until: UnixSeconds,
}

/// A lease that is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// What is leased.
    pub name: String,
    /// Who holds it.
    pub by: Holder,
    /// The fencing token of its holder.
    pub epoch: u64,
    /// Since when.
    pub since: UnixSeconds,
    /// When it ends unless renewed.
    pub until: UnixSeconds,
}

/// The answer to a [`LeaseRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// It is ours.
    Granted(Lease),
    /// It is not; come back later.
    Held(Held),
}

/// What a store remembers of a name: its last epoch, and who holds it if anybody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeaseRecord {
    pub epoch: u64,
    pub tenure: Option<Tenure>,
}

/// One holder's time with a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tenure {
    pub holder: Holder,
    pub since: UnixSeconds,
    pub until: UnixSeconds,
}

/// Decides whether a lease is given.
///
/// | the record          | answer                                       |
/// |---------------------|----------------------------------------------|
/// | none, or released   | granted                                      |
/// | held, `until > now` | held, also where the asker has the same id   |
/// | held, `until <= now`| granted: the holder is fenced by its epoch   |
///
/// The new epoch is the greater of the last one plus one and `floor`. The floor is the second in which
/// the store was made, so that a store made anew also fences the holders of the one it replaced.
pub(super) fn grant(record: Option<&LeaseRecord>, floor: u64, request: &LeaseRequest) -> Acquired {
    if let Some(held) = record.and_then(|record| record.held(&request.name, request.now)) {
        return Acquired::Held(held);
    }
    Acquired::Granted(Lease {
        name: request.name.clone(),
        holder: request.holder.clone(),
        epoch: record.map_or(0, |record| record.epoch).saturating_add(1).max(floor),
        since: request.now,
        until: request.now.plus(request.ttl),
    })
}

/// Refuses a lease that is no longer the newest of its name, or was given back.
pub(super) fn fence(record: Option<&LeaseRecord>, lease: &Lease) -> Result<(), StoreError> {
    let current = record.filter(|record| record.epoch == lease.epoch);
    match current.and_then(|record| record.tenure.as_ref()) {
        Some(tenure) if tenure.holder == lease.holder => Ok(()),
        _ => Err(StoreError::LeaseLost {
            name: printable(&lease.name, 80),
            epoch: lease.epoch,
            newest: record.map(|record| record.epoch),
        }),
    }
}

/// The lease after a renewal; never ends earlier than before.
pub(super) fn renewed(lease: &Lease, ttl: Duration, now: UnixSeconds) -> Lease {
    Lease { until: now.plus(ttl).max(lease.until), ..lease.clone() }
}

impl LeaseRecord {
    /// Who holds `name` at `now`, if anybody does.
    pub fn held(&self, name: &str, now: UnixSeconds) -> Option<Held> {
        let Tenure { holder, since, until } = self.tenure.clone().filter(|tenure| tenure.until > now)?;
        Some(Held { name: name.to_string(), by: holder, epoch: self.epoch, since, until })
    }
}

impl From<&Lease> for LeaseRecord {
    fn from(lease: &Lease) -> Self {
        let Lease { holder, epoch, since, until, .. } = lease.clone();
        Self { epoch, tenure: Some(Tenure { holder, since, until }) }
    }
}

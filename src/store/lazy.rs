use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::warn;

use super::{
    Acquired, Baseline, CheckpointCopy, Fact, Held, Lease, LeaseRequest, Location, MintQuery, MintRow,
    Pruned, RunQuery, RunRow, Store, StoreError, StoreInfo, open_or_memory,
};
use crate::base::{BoxFuture, Clock, JobName, UnixSeconds};

/// A store that is opened when the first fact arrives: a command that ends without one never touches the disk.
///
/// What happened on the way is said in the log: a damaged store set aside (by who set it aside), or facts kept in memory.
#[derive(Debug)]
pub struct LazyStore {
    location: Location,
    clock: Arc<dyn Clock>,
    opened: OnceLock<Arc<dyn Store>>,
}

impl LazyStore {
    /// A store at `location`, not opened yet.
    pub fn new(location: Location, clock: Arc<dyn Clock>) -> Self {
        Self { location, clock, opened: OnceLock::new() }
    }

    fn store(&self) -> Result<&Arc<dyn Store>, StoreError> {
        if let Some(store) = self.opened.get() {
            return Ok(store);
        }
        let opened = open_or_memory(&self.location, self.clock.now())?;
        if let Some(error) = &opened.in_memory_because {
            warn!("history is kept in memory only: {error}");
        }
        Ok(self.opened.get_or_init(|| opened.store))
    }

    /// Asks the store, or tells why there is none.
    fn ask<'a, T: Send + 'a>(
        &'a self,
        question: impl FnOnce(&'a Arc<dyn Store>) -> BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        match self.store() {
            Ok(store) => question(store),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

impl Store for LazyStore {
    fn record_mint(&self, row: MintRow) -> BoxFuture<'_, Result<(), StoreError>> {
        self.ask(|store| store.record_mint(row))
    }

    fn mints(&self, query: MintQuery) -> BoxFuture<'_, Result<Vec<MintRow>, StoreError>> {
        self.ask(|store| store.mints(query))
    }

    fn acquire_lease(&self, request: LeaseRequest) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        self.ask(|store| store.acquire_lease(request))
    }

    fn renew_lease(
        &self,
        lease: &Lease,
        ttl: Duration,
        now: UnixSeconds,
    ) -> BoxFuture<'_, Result<Lease, StoreError>> {
        let lease = lease.clone();
        Box::pin(async move { self.store()?.renew_lease(&lease, ttl, now).await })
    }

    fn release_lease(&self, lease: &Lease) -> BoxFuture<'_, Result<(), StoreError>> {
        let lease = lease.clone();
        Box::pin(async move { self.store()?.release_lease(&lease).await })
    }

    fn write_under(&self, lease: &Lease, facts: Vec<Fact>) -> BoxFuture<'_, Result<(), StoreError>> {
        let lease = lease.clone();
        Box::pin(async move { self.store()?.write_under(&lease, facts).await })
    }

    fn held(&self, now: UnixSeconds) -> BoxFuture<'_, Result<Vec<Held>, StoreError>> {
        self.ask(|store| store.held(now))
    }

    fn runs(&self, query: RunQuery, now: UnixSeconds) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>> {
        self.ask(|store| store.runs(query, now))
    }

    fn checkpoint(&self, job: &JobName) -> BoxFuture<'_, Result<Option<CheckpointCopy>, StoreError>> {
        self.ask(|store| store.checkpoint(job))
    }

    fn baseline(&self, job: &JobName) -> BoxFuture<'_, Result<Option<Baseline>, StoreError>> {
        self.ask(|store| store.baseline(job))
    }

    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>> {
        self.ask(|store| store.info())
    }

    fn prune(&self, before: UnixSeconds) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        self.ask(|store| store.prune(before))
    }
}

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lease::{LeaseRecord, fence, grant, renewed};
use super::{
    Acquired, Fact, Integrity, Lease, LeaseRequest, MintQuery, MintRow, Pruned, Store, StoreError, StoreInfo,
    StoreKind, TableInfo,
};
use crate::base::{BoxFuture, UnixSeconds};

/// Most mints that are remembered in memory; the oldest goes first. A row takes about half a kibibyte.
const MOST_MINTS: usize = 10_000;

/// A store that lives as long as the process: for library users without SQLite, and where no folder can
/// be written.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    mints: VecDeque<MintRow>,
    leases: BTreeMap<String, LeaseRecord>,
}

impl Memory {
    fn keep(&mut self, row: MintRow) {
        if self.mints.len() == MOST_MINTS {
            self.mints.pop_front();
        }
        self.mints.push_back(row.screened());
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl Store for MemoryStore {
    fn record_mint(&self, row: MintRow) -> BoxFuture<'_, Result<(), StoreError>> {
        self.lock().keep(row);
        ready(Ok(()))
    }

    fn mints(&self, query: MintQuery) -> BoxFuture<'_, Result<Vec<MintRow>, StoreError>> {
        let memory = self.lock();
        let mut rows: Vec<MintRow> = (memory.mints.iter().rev())
            .filter(|row| query.connection.as_ref().is_none_or(|name| *name == row.connection))
            .filter(|row| query.since.is_none_or(|since| row.at >= since))
            .cloned()
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.at));
        rows.truncate(query.limit as usize);
        ready(Ok(rows))
    }

    fn acquire_lease(&self, request: LeaseRequest) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        let mut memory = self.lock();
        let answer = grant(memory.leases.get(&request.name), 1, &request);
        if let Acquired::Granted(lease) = &answer {
            memory.leases.insert(request.name, lease.into());
        }
        ready(Ok(answer))
    }

    fn renew_lease(
        &self,
        lease: &Lease,
        ttl: Duration,
        now: UnixSeconds,
    ) -> BoxFuture<'_, Result<Lease, StoreError>> {
        let mut memory = self.lock();
        let answer = fence(memory.leases.get(&lease.name), lease).map(|()| renewed(lease, ttl, now));
        if let Ok(lease) = &answer {
            memory.leases.insert(lease.name.clone(), lease.into());
        }
        ready(answer)
    }

    fn release_lease(&self, lease: &Lease) -> BoxFuture<'_, Result<(), StoreError>> {
        let mut memory = self.lock();
        let answer = fence(memory.leases.get(&lease.name), lease);
        if answer.is_ok() {
            memory.leases.insert(lease.name.clone(), LeaseRecord { epoch: lease.epoch, tenure: None });
        }
        ready(answer)
    }

    fn write_under(&self, lease: &Lease, facts: Vec<Fact>) -> BoxFuture<'_, Result<(), StoreError>> {
        let mut memory = self.lock();
        let answer = fence(memory.leases.get(&lease.name), lease);
        if answer.is_ok() {
            for Fact::Mint(row) in facts {
                memory.keep(row);
            }
        }
        ready(answer)
    }

    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>> {
        let memory = self.lock();
        let times = || memory.mints.iter().map(|row| row.at);
        ready(Ok(StoreInfo {
            kind: StoreKind::Memory,
            path: None,
            schema_version: 0,
            journal: None,
            size_bytes: 0,
            tables: vec![
                TableInfo { name: "mint", rows: memory.mints.len() as u64 },
                TableInfo { name: "lease", rows: memory.leases.len() as u64 },
            ],
            oldest: times().min(),
            newest: times().max(),
            integrity: Integrity::Sound,
        }))
    }

    fn prune(&self, before: UnixSeconds) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        let mut memory = self.lock();
        let had = memory.mints.len();
        memory.mints.retain(|row| row.at >= before);
        ready(Ok(Pruned { mints: (had - memory.mints.len()) as u64 }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance;
    use super::*;

    #[tokio::test]
    async fn memory_passes_the_conformance_suite() {
        conformance::suite(MemoryStore::new).await;
    }

    #[tokio::test]
    async fn a_long_lived_process_does_not_grow_without_end() {
        let store = MemoryStore::new();
        for second in 0..=(MOST_MINTS as i64) {
            store.record_mint(conformance::row(second)).await.unwrap();
        }
        let info = store.info().await.unwrap();
        assert_eq!(info.tables[0].rows, MOST_MINTS as u64);
        assert_eq!(info.oldest, Some(UnixSeconds::new(1)), "the oldest goes first");
    }
}

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::lease::{LeaseRecord, fence, grant, renewed};
use super::{
    Acquired, Baseline, CheckpointCopy, Fact, Held, Integrity, Lease, LeaseRequest, MintQuery, MintRow,
    Pruned, RunOutcome, RunQuery, RunRow, Store, StoreError, StoreInfo, StoreKind, TableInfo,
};
use crate::base::{BoxFuture, JobName, UnixSeconds};

/// Most mints that are remembered in memory; the oldest goes first. A row takes about half a kibibyte.
const MOST_MINTS: usize = 10_000;

/// Most runs that are remembered in memory; the oldest goes first. A row takes about a kibibyte.
const MOST_RUNS: usize = 10_000;

/// A store that lives as long as the process: for library users without SQLite, and where no folder can
/// be written.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    mints: VecDeque<MintRow>,
    runs: VecDeque<RunRow>,
    checkpoints: BTreeMap<JobName, CheckpointCopy>,
    baselines: BTreeMap<JobName, Baseline>,
    leases: BTreeMap<String, LeaseRecord>,
}

impl Memory {
    fn keep(&mut self, row: MintRow) {
        if self.mints.len() == MOST_MINTS {
            self.mints.pop_front();
        }
        self.mints.push_back(row);
    }

    fn keep_run(&mut self, row: RunRow) {
        if row.outcome == RunOutcome::Running {
            let unfinished =
                |other: &&mut RunRow| other.job == row.job && other.outcome == RunOutcome::Running;
            self.runs.iter_mut().filter(unfinished).for_each(|other| other.outcome = RunOutcome::Abandoned);
        }
        if let Some(earlier) = self.runs.iter_mut().find(|earlier| earlier.run_id == row.run_id) {
            *earlier = row;
            return;
        }
        if self.runs.len() == MOST_RUNS {
            self.runs.pop_front();
        }
        self.runs.push_back(row);
    }

    fn take(&mut self, fact: Fact) {
        match fact.screened() {
            Fact::Mint(row) => self.keep(row),
            Fact::Run(row) => self.keep_run(row),
            Fact::Checkpoint(copy) => drop(self.checkpoints.insert(copy.job.clone(), copy)),
            Fact::Baseline(baseline) => drop(self.baselines.insert(baseline.job.clone(), baseline)),
            Fact::Reset(job) => {
                self.checkpoints.remove(&job);
                self.baselines.remove(&job);
            }
        }
    }

    fn held(&self, now: UnixSeconds) -> Vec<Held> {
        self.leases.iter().filter_map(|(name, record)| record.held(name, now)).collect()
    }

    /// The newest complete run of a job, which is never forgotten.
    fn last_good(&self, job: &JobName) -> Option<String> {
        let good = self.runs.iter().filter(|row| row.job == *job && row.outcome == RunOutcome::Complete);
        good.max_by_key(|row| row.started_at).map(|row| row.run_id.clone())
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
        self.lock().take(Fact::Mint(row));
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
            facts.into_iter().for_each(|fact| memory.take(fact));
        }
        ready(answer)
    }

    fn held(&self, now: UnixSeconds) -> BoxFuture<'_, Result<Vec<Held>, StoreError>> {
        ready(Ok(self.lock().held(now)))
    }

    fn runs(&self, query: RunQuery, now: UnixSeconds) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>> {
        let memory = self.lock();
        let held = memory.held(now);
        let mut rows: Vec<RunRow> = (memory.runs.iter().rev())
            .filter(|row| query.job.as_ref().is_none_or(|job| *job == row.job))
            .filter(|row| query.connection.as_ref().is_none_or(|name| *name == row.connection))
            .filter(|row| query.since.is_none_or(|since| row.started_at >= since))
            .map(|row| row.clone().seen_beside(&held))
            .filter(|row| query.outcome.is_none_or(|outcome| outcome == row.outcome))
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.started_at));
        rows.truncate(query.limit as usize);
        ready(Ok(rows))
    }

    fn checkpoint(&self, job: &JobName) -> BoxFuture<'_, Result<Option<CheckpointCopy>, StoreError>> {
        ready(Ok(self.lock().checkpoints.get(job).cloned()))
    }

    fn baseline(&self, job: &JobName) -> BoxFuture<'_, Result<Option<Baseline>, StoreError>> {
        ready(Ok(self.lock().baselines.get(job).cloned()))
    }

    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>> {
        let memory = self.lock();
        let times = || {
            let runs = memory.runs.iter().map(|row| row.started_at);
            memory.mints.iter().map(|row| row.at).chain(runs)
        };
        ready(Ok(StoreInfo {
            kind: StoreKind::Memory,
            path: None,
            schema_version: 0,
            journal: None,
            size_bytes: 0,
            tables: vec![
                TableInfo { name: "mint", rows: memory.mints.len() as u64 },
                TableInfo { name: "run", rows: memory.runs.len() as u64 },
                TableInfo { name: "checkpoint", rows: memory.checkpoints.len() as u64 },
                TableInfo { name: "baseline", rows: memory.baselines.len() as u64 },
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
        let mints = (had - memory.mints.len()) as u64;
        let jobs: BTreeSet<JobName> = memory.runs.iter().map(|row| row.job.clone()).collect();
        let kept: BTreeSet<String> = jobs.iter().filter_map(|job| memory.last_good(job)).collect();
        let had = memory.runs.len();
        memory.runs.retain(|row| row.started_at >= before || kept.contains(&row.run_id));
        ready(Ok(Pruned { mints, runs: (had - memory.runs.len()) as u64 }))
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

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::connect::Options;
use super::link::{Link, Work};
use super::opening::{OnDamage, open};
use super::place::Place;
use super::report::quick_check;
use super::{jobs, leases, mints, report, runs};
use crate::base::{BoxFuture, JobName, UnixSeconds};
use crate::store::lease::{LeaseRecord, fence, grant, renewed};
use crate::store::{
    Acquired, Baseline, CheckpointCopy, Fact, Held, Lease, LeaseRequest, MintQuery, MintRow, Opened, Pruned,
    RunQuery, RunRow, Store, StoreError, StoreInfo,
};

/// The store in a file of its own. Cheap to clone; all clones share one connection.
///
/// Short writes run where they are awaited and take tens of microseconds; whatever may wait for a disk or
/// for another process runs on a blocking thread of the caller's runtime, so that one on a single thread
/// keeps going. Outside any runtime everything runs in place.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    link: Arc<Link>,
}

impl SqliteStore {
    /// Opens the store for work that must go on; see [`open`](crate::store::open()) for what it does and
    /// which errors it has.
    pub fn open(path: &Path, now: UnixSeconds) -> Result<Opened<Self>, StoreError> {
        let store = Self::open_with(path, Options::default(), OnDamage::SetAside, now)?;
        Ok(Opened { set_aside: store.set_aside(), store, in_memory_because: None })
    }

    /// Opens the store for work that must stop where it is damaged; see
    /// [`open_strict`](crate::store::open_strict).
    pub fn open_strict(path: &Path, now: UnixSeconds) -> Result<Self, StoreError> {
        let store = Self::open_with(path, Options::default(), OnDamage::Stop, now)?;
        let check: Work<()> = Arc::new(|db| quick_check(db));
        store.link.patiently(&check)?;
        Ok(store)
    }

    pub(super) fn open_with(
        path: &Path,
        options: Options,
        on_damage: OnDamage,
        now: UnixSeconds,
    ) -> Result<Self, StoreError> {
        let place = Place::prepare(path)?;
        let ready = open(&place, &options, on_damage, now)?;
        Ok(Self { link: Arc::new(Link::new(place, options, on_damage, ready, now)) })
    }

    /// Where the store is, links in its folder resolved.
    pub fn path(&self) -> &Path {
        &self.link.place.file
    }

    /// Where the damaged store is that this process set aside, at opening or later.
    pub fn set_aside(&self) -> Option<PathBuf> {
        self.link.set_aside()
    }

    /// Runs work that may wait, off the thread that awaits it.
    async fn patiently<T: Send + 'static>(&self, work: Work<T>) -> Result<T, StoreError> {
        self.elsewhere(move |link| link.patiently(&work)).await
    }

    /// Runs work whose commit must be on the disk, off the thread that awaits it.
    async fn durably<T: Send + 'static>(&self, work: Work<T>) -> Result<T, StoreError> {
        let done = self.elsewhere(move |link| link.durably(&work)).await;
        if done.is_ok() {
            self.fold_log().await;
        }
        done
    }

    async fn elsewhere<T: Send + 'static>(
        &self,
        deed: impl FnOnce(&Link) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return deed(&self.link) };
        let link = Arc::clone(&self.link);
        let done = runtime.spawn_blocking(move || deed(&link)).await;
        done.unwrap_or_else(|error| Err(StoreError::Internal { source: error.into() }))
    }

    /// Runs short work in place, or off the thread where somebody must be waited for.
    async fn at_once<T: Send + 'static>(&self, work: Work<T>) -> Result<T, StoreError> {
        let done = match self.link.at_once(&work) {
            Some(answer) => answer,
            None => self.patiently(work).await,
        };
        if done.is_ok() {
            self.fold_log().await;
        }
        done
    }

    /// Folds a long log into the file. A failure is none of the caller's: the rows are in the log, and the
    /// next one tries again.
    async fn fold_log(&self) {
        if self.link.log_is_long()
            && let Err(error) = self.elsewhere(Link::fold_log).await
        {
            tracing::debug!(store.path = %self.path().display(), "could not fold the log of the store: {error}");
        }
    }
}

impl Store for SqliteStore {
    fn record_mint(&self, row: MintRow) -> BoxFuture<'_, Result<(), StoreError>> {
        self.link.told(row.at);
        let row = row.screened();
        Box::pin(self.at_once(Arc::new(move |db| mints::insert(db, &row))))
    }

    fn mints(&self, query: MintQuery) -> BoxFuture<'_, Result<Vec<MintRow>, StoreError>> {
        Box::pin(self.patiently(Arc::new(move |db| mints::select(db, &query))))
    }

    fn acquire_lease(&self, request: LeaseRequest) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        self.link.told(request.now);
        Box::pin(self.durably(self.link.in_durable_transaction(move |db| {
            let record = leases::find(db, &request.name)?;
            let answer = grant(record.as_ref(), leases::floor(db)?, &request);
            if let Acquired::Granted(lease) = &answer {
                leases::put(db, &lease.name, &lease.into())?;
            }
            Ok(answer)
        })))
    }

    fn renew_lease(
        &self,
        lease: &Lease,
        ttl: Duration,
        now: UnixSeconds,
    ) -> BoxFuture<'_, Result<Lease, StoreError>> {
        self.link.told(now);
        let lease = lease.clone();
        Box::pin(self.durably(self.link.in_durable_transaction(move |db| {
            fence(leases::find(db, &lease.name)?.as_ref(), &lease)?;
            let lease = renewed(&lease, ttl, now);
            leases::put(db, &lease.name, &LeaseRecord::from(&lease))?;
            Ok(lease)
        })))
    }

    fn release_lease(&self, lease: &Lease) -> BoxFuture<'_, Result<(), StoreError>> {
        let lease = lease.clone();
        Box::pin(self.durably(self.link.in_durable_transaction(move |db| {
            fence(leases::find(db, &lease.name)?.as_ref(), &lease)?;
            leases::put(db, &lease.name, &LeaseRecord { epoch: lease.epoch, tenure: None })
        })))
    }

    fn write_under(&self, lease: &Lease, facts: Vec<Fact>) -> BoxFuture<'_, Result<(), StoreError>> {
        let lease = lease.clone();
        let facts: Vec<Fact> = facts.into_iter().map(Fact::screened).collect();
        Box::pin(self.durably(self.link.in_durable_transaction(move |db| {
            fence(leases::find(db, &lease.name)?.as_ref(), &lease)?;
            facts.iter().try_for_each(|fact| match fact {
                Fact::Mint(row) => mints::insert(db, row),
                Fact::Run(row) => runs::put(db, row),
                Fact::Checkpoint(copy) => jobs::put_checkpoint(db, copy),
                Fact::Baseline(baseline) => jobs::put_baseline(db, baseline),
                Fact::Reset(job) => jobs::reset(db, job),
            })
        })))
    }

    fn held(&self, now: UnixSeconds) -> BoxFuture<'_, Result<Vec<Held>, StoreError>> {
        Box::pin(self.patiently(Arc::new(move |db| leases::held(db, now))))
    }

    fn runs(&self, query: RunQuery, now: UnixSeconds) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>> {
        Box::pin(self.patiently(Arc::new(move |db| runs::select(db, &query, now))))
    }

    fn checkpoint(&self, job: &JobName) -> BoxFuture<'_, Result<Option<CheckpointCopy>, StoreError>> {
        let job = job.clone();
        Box::pin(self.patiently(Arc::new(move |db| jobs::checkpoint(db, &job))))
    }

    fn baseline(&self, job: &JobName) -> BoxFuture<'_, Result<Option<Baseline>, StoreError>> {
        let job = job.clone();
        Box::pin(self.patiently(Arc::new(move |db| jobs::baseline(db, &job))))
    }

    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>> {
        let path = self.link.place.file.clone();
        Box::pin(self.patiently(Arc::new(move |db| report::info(db, &path))))
    }

    fn prune(&self, before: UnixSeconds) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        Box::pin(async move {
            let pruned = self.patiently(Arc::new(move |db| report::prune(db, before))).await?;
            self.fold_log().await;
            Ok(pruned)
        })
    }
}

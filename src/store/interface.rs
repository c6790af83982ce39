use std::fmt::Debug;
use std::time::Duration;

use super::{
    Acquired, Baseline, CheckpointCopy, Held, Lease, LeaseRequest, MintQuery, MintRow, Pruned, RunQuery,
    RunRow, StoreError, StoreInfo,
};
use crate::base::{BoxFuture, JobName, UnixSeconds};

/// One thing that happened, on its way into the store.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "a few at a time, and gone at once")]
pub enum Fact {
    /// A mint, or a refusal to mint.
    Mint(MintRow),
    /// A run, when it begins and once more when it ends: the later row of one `run_id` takes the place of the earlier.
    /// One that begins tells that its job's unfinished ones are over: they become `abandoned`.
    Run(RunRow),
    /// A copy of a job's checkpoint, in place of the one before.
    Checkpoint(CheckpointCopy),
    /// A job's baseline, in place of the one before.
    Baseline(Baseline),
    /// A job begins anew (`sfmint sync reset`): the copy of its checkpoint and its baseline are forgotten, its runs stay.
    Reset(JobName),
}

impl Fact {
    /// The fact as it may be kept: free text that looks like a credential is left out.
    pub(super) fn screened(self) -> Self {
        match self {
            Self::Mint(row) => Self::Mint(row.screened()),
            Self::Run(row) => Self::Run(row.screened()),
            fact @ (Self::Checkpoint(_) | Self::Baseline(_) | Self::Reset(_)) => fact,
        }
    }
}

/// Where facts are kept. Every kind passes the same conformance suite.
///
/// Futures are safe to drop: a deed that has begun runs to its end or leaves nothing behind. Nothing here
/// needs a multi-threaded runtime, and a mint's row does not wait for a disk; see each method.
///
/// What is called *fsynced* below is on the disk when its future is ready. Where it fails with
/// [`StoreError::Io`], nobody can say whether it was done; from then on the process is refused all further
/// fsynced writes, because a disk that lost one page may call the next one clean.
pub trait Store: Send + Sync + Debug {
    /// Adds one row to the history of mints. Not fsynced: a power cut may take the last rows, a killed
    /// process takes none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`], [`StoreError::ReadOnly`], [`StoreError::Io`] — *disk*. [`StoreError::Locked`] —
    /// *transient*. A caller with a token in hand warns and goes on: the token is good without its row.
    fn record_mint(&self, row: MintRow) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The history of mints, newest first; rows of one second in the order opposite to their arrival.
    ///
    /// # Errors
    ///
    /// As [`record_mint`](Store::record_mint); [`StoreError::Damaged`] where a row cannot be read.
    fn mints(&self, query: MintQuery) -> BoxFuture<'_, Result<Vec<MintRow>, StoreError>>;

    /// Asks for a lease. At most one holder at a time has it; the epoch in the answer is greater than any
    /// that was ever given for this name, also after a release. Fsynced.
    ///
    /// A lease that somebody holds is no error: the answer says who, since when, and until when.
    ///
    /// # Errors
    ///
    /// As [`record_mint`](Store::record_mint).
    fn acquire_lease(&self, request: LeaseRequest) -> BoxFuture<'_, Result<Acquired, StoreError>>;

    /// Keeps a lease until `now + ttl`, also one that ran out while nobody else took it. Fsynced.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] — another holder, a newer epoch, or released. *Transient*: stop writing.
    fn renew_lease(
        &self,
        lease: &Lease,
        ttl: Duration,
        now: UnixSeconds,
    ) -> BoxFuture<'_, Result<Lease, StoreError>>;

    /// Gives a lease back before its end. The epoch stays used up. Fsynced.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] — it was no longer ours; nothing changed. *Transient*.
    fn release_lease(&self, lease: &Lease) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Writes facts if, in the same transaction, `lease` is still the newest of its name: all or none.
    /// Fsynced.
    ///
    /// This is what makes a paused holder harmless: when it wakes after its lease went to somebody else,
    /// its writes are refused, however sure it is of itself.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] — nothing was written. *Transient*. Else as [`record_mint`](Store::record_mint).
    fn write_under(&self, lease: &Lease, facts: Vec<Fact>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Who holds which lease at `now`; those that were given back or ran out are not there. By name.
    ///
    /// # Errors
    ///
    /// As [`record_mint`](Store::record_mint).
    fn held(&self, now: UnixSeconds) -> BoxFuture<'_, Result<Vec<Held>, StoreError>>;

    /// The history of runs, by their beginning, newest first.
    ///
    /// `now` decides about the unfinished ones: a run whose lease nobody holds any more is
    /// [`Abandoned`](super::RunOutcome::Abandoned).
    ///
    /// # Errors
    ///
    /// As [`mints`](Store::mints).
    fn runs(&self, query: RunQuery, now: UnixSeconds) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>>;

    /// The copy of a job's checkpoint; `None` where the job never wrote one here.
    ///
    /// # Errors
    ///
    /// As [`mints`](Store::mints).
    fn checkpoint(&self, job: &JobName) -> BoxFuture<'_, Result<Option<CheckpointCopy>, StoreError>>;

    /// A job's baseline; `None` where none was taken yet.
    ///
    /// # Errors
    ///
    /// As [`mints`](Store::mints).
    fn baseline(&self, job: &JobName) -> BoxFuture<'_, Result<Option<Baseline>, StoreError>>;

    /// What the store holds and how it stands; reads all of it to say whether it is sound.
    ///
    /// # Errors
    ///
    /// As [`record_mint`](Store::record_mint). Damage is not an error here but an
    /// [`Integrity`](super::Integrity), as long as the tables can be counted at all.
    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>>;

    /// Forgets mints and runs older than `before`. Leases stay: their epochs must never repeat. Checkpoints and baselines
    /// stay, and so does the newest complete run of each job: a job that runs once a year has a last good run.
    ///
    /// # Errors
    ///
    /// As [`record_mint`](Store::record_mint).
    fn prune(&self, before: UnixSeconds) -> BoxFuture<'_, Result<Pruned, StoreError>>;
}

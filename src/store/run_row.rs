use serde::Serialize;

use super::screen::screened;
use super::word::word;
use super::{Held, SchemaReport, UserFacts, rfc3339};
use crate::base::{ConnectionName, JobName, ObjectName, UnixSeconds};

word!(
    /// What a run set out to do.
    RunKind {
        /// Everything, put in place of what was there.
        Full = "full",
        /// What changed since the watermark.
        Incremental = "incremental",
        /// The Ids of org and destination compared, so that hard deletes are found.
        Reconcile = "reconcile",
        /// The same comparison, that changes nothing and says what differs.
        Verify = "verify",
        /// Rows sent to the org.
        Load = "load",
    }
);

word!(
    /// Which API the rows came by.
    RunTransport {
        /// Bulk API 2.0.
        Bulk = "bulk",
        /// REST.
        Rest = "rest",
    }
);

word!(
    /// How a run ended, or that it has not.
    RunOutcome {
        /// Every row is where it belongs, and the counts agree.
        Complete = "complete",
        /// Rows are in doubt; the watermark stayed where it was.
        Partial = "partial",
        /// It stopped by itself before the org's daily calls were spent.
        QuotaStopped = "quota_stopped",
        /// Salesforce or a file's permissions said no.
        Denied = "denied",
        /// It could not be done: network, disk, configuration, a mistake of ours.
        Failed = "failed",
        /// There was nothing to do yet.
        NothingDue = "nothing_due",
        /// It is under way.
        Running = "running",
        /// It began and never ended: the process was killed, or the machine went down.
        Abandoned = "abandoned",
    }
);

/// The part of time that a run reads: rows that changed at `low` or later, and before `high` where there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunWindow {
    /// Its start, included; none for a full run.
    #[serde(serialize_with = "rfc3339::perhaps")]
    pub low: Option<UnixSeconds>,
    /// Its end, not included; none where nobody asked for one.
    #[serde(serialize_with = "rfc3339::perhaps")]
    pub high: Option<UnixSeconds>,
}

/// What was counted in a run. Received = written + unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunRows {
    /// Rows that the org said there are; none where it did not say.
    pub expected: Option<u64>,
    /// Rows that came.
    pub received: u64,
    /// Of these, rows that were new or differed.
    pub written: u64,
    /// Of these, rows that were there already.
    pub unchanged: u64,
    /// Rows that were marked or removed as deleted.
    pub deleted: u64,
    /// NUL characters that were replaced or left out.
    pub nuls: u64,
}

/// Why a run did not end well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunError {
    /// sfmint's stable code, as in docs/reference/errors.md.
    pub code: String,
    /// What happened, in one line.
    pub message: String,
}

/// One run of a job: written when it begins, with the outcome `running`, and once more when it ends.
///
/// # Shape
///
/// As JSON it is a run of `sfmint sync history --json`: moments in RFC 3339, counts in `rows`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRow {
    /// Names the run; no other has it, past or present.
    pub run_id: String,
    /// The job.
    pub job: JobName,
    /// Whose data it read.
    pub connection: ConnectionName,
    /// What it read.
    pub object: ObjectName,
    /// What it set out to do.
    pub kind: RunKind,
    /// Which API the rows came by, once that was decided.
    pub transport: Option<RunTransport>,
    /// How it ended, or that it has not.
    pub outcome: RunOutcome,
    /// The moment of the schedule that it was for; none where somebody asked for it.
    #[serde(serialize_with = "rfc3339::perhaps")]
    pub scheduled_for: Option<UnixSeconds>,
    /// When it began, by this machine's clock.
    #[serde(serialize_with = "rfc3339::moment")]
    pub started_at: UnixSeconds,
    /// When it ended, by this machine's clock; none while it runs, and for abandoned ones.
    #[serde(serialize_with = "rfc3339::perhaps")]
    pub ended_at: Option<UnixSeconds>,
    /// The part of time that it read.
    pub window: RunWindow,
    /// What was counted.
    pub rows: RunRows,
    /// How far the data goes after it, by the org's clock.
    #[serde(serialize_with = "rfc3339::perhaps")]
    pub watermark: Option<UnixSeconds>,
    /// Calls of the org's API, those that count against its daily limit.
    pub api_calls: u64,
    /// Access tokens that were minted for it.
    pub mints: u64,
    /// Bytes of rows that came, as they came over the wire.
    pub bytes: u64,
    /// From its beginning to its end. Milliseconds.
    pub duration_ms: u64,
    /// Why it did not end well.
    pub error: Option<RunError>,
    /// How the fields differ from the baseline; none where they do not.
    pub schema: Option<SchemaReport>,
    /// Who read, and how much that user may see; none where it was not asked for.
    pub user: Option<UserFacts>,
    /// The fencing epoch of the lease under which it ran.
    pub epoch: u64,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The version of sfmint.
    pub version: String,
}

impl RunKind {
    /// Whether rows go from one place to another: not where Ids are merely compared.
    pub fn moves_rows(self) -> bool {
        matches!(self, Self::Full | Self::Incremental | Self::Load)
    }
}

/// When the newest of a job's runs began that its schedule counts as done: one that is under way or complete, or one that a
/// person must look at. What failed, stopped or was abandoned is tried again, and what began after `now` was dated by a
/// wrong clock.
///
/// `runs` are newest first, as [`Store::runs`](super::Store::runs) gives them.
pub fn last_served(runs: &[RunRow], now: UnixSeconds) -> Option<UnixSeconds> {
    use RunOutcome::{Complete, Denied, Partial, Running};
    let serves = |run: &&RunRow| {
        run.kind.moves_rows()
            && run.started_at <= now
            && matches!(run.outcome, Complete | Partial | Denied | Running)
    };
    runs.iter().find(serves).map(|run| run.started_at)
}

/// What a job's lease is called: `job/NAME`. Whoever holds it runs the job, and nobody else does.
pub fn job_lease(job: &JobName) -> String {
    format!("job/{job}")
}

impl RunRow {
    /// The row as it may be kept: free text that looks like a credential is left out.
    pub(super) fn screened(mut self) -> Self {
        for text in [&mut self.run_id, &mut self.host, &mut self.version] {
            *text = screened(text);
        }
        self.error = self
            .error
            .map(|error| RunError { code: screened(&error.code), message: screened(&error.message) });
        self.schema = self.schema.map(SchemaReport::screened);
        self.user = self.user.map(UserFacts::screened);
        self
    }

    /// The row as it is to be seen: unfinished, and nobody holds its lease any more, it is abandoned.
    pub(super) fn seen_beside(mut self, held: &[Held]) -> Self {
        let runs = |lease: &Held| lease.name == job_lease(&self.job) && lease.epoch == self.epoch;
        if self.outcome == RunOutcome::Running && !held.iter().any(runs) {
            self.outcome = RunOutcome::Abandoned;
        }
        self
    }
}

/// Which runs to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunQuery {
    /// Only this job's.
    pub job: Option<JobName>,
    /// Only this connection's.
    pub connection: Option<ConnectionName>,
    /// Only those that ended so; as they are seen, so that `running` ones do run.
    pub outcome: Option<RunOutcome>,
    /// Only those that began at this moment or later.
    pub since: Option<UnixSeconds>,
    /// At most so many.
    pub limit: u32,
}

impl Default for RunQuery {
    fn default() -> Self {
        Self { job: None, connection: None, outcome: None, since: None, limit: 100 }
    }
}

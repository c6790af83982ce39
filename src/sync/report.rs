use std::time::Duration;

use serde::Serialize;
use tracing::{info, warn};

use crate::base::job::Job;
use crate::base::{Explain, UnixSeconds, printable};
use crate::store::{RunError, RunKind, RunOutcome, RunRow, RunRows, RunTransport, RunWindow};

use super::plan::{Kind, Plan, Wish};
use super::{Checkpoint, SyncError, Window, World, schema};

/// What became of a run: the row that history keeps, and what only the one who asked hears.
#[derive(Debug)]
pub struct RunReport {
    /// The row of history.
    pub row: RunRow,
    /// What it set out to do; none where it ended before that was decided.
    pub plan: Option<Planned>,
    /// Why it did not end complete.
    pub error: Option<SyncError>,
    /// What else is worth knowing, a line each: changed rights, changed fields.
    pub notes: Vec<String>,
    /// Rows that were named as differing, where it verified.
    pub verified: Option<Verified>,
    /// Calls that the client had made before.
    pub(super) calls_before: u64,
}

/// What a run set out to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Why it read what it read.
    pub kind: Kind,
    /// The query.
    pub soql: String,
    /// The window.
    pub window: Window,
}

/// What a comparison of Ids brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Rows in the org, deleted ones aside.
    pub org: u64,
    /// Rows in the destination, deleted ones aside.
    pub held: u64,
    /// Rows that changed since the watermark: the next run brings them.
    pub set_aside: u64,
    /// Rows that differ.
    pub differing: u64,
    /// The first of them.
    pub named: Vec<Difference>,
}

/// One row that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its Id.
    pub id: String,
    /// `missing` (the destination lacks it), `surplus` (the org lacks it), `stale` (both have it, in two versions).
    pub what: &'static str,
    /// When it last changed, in the org.
    pub org: Option<String>,
    /// When it last changed, in the destination.
    pub held: Option<String>,
}

impl RunReport {
    /// How it ended.
    pub fn outcome(&self) -> RunOutcome {
        self.row.outcome
    }

    pub(super) fn by(&mut self, transport: RunTransport) {
        self.row.transport = Some(transport);
    }

    /// The outcome that an error stands for.
    ///
    /// | error                                             | outcome         |
    /// |---------------------------------------------------|-----------------|
    /// | none                                              | `complete`      |
    /// | rows in doubt                                     | `partial`       |
    /// | the org's calls are used up, or the job's share   | `quota_stopped` |
    /// | somebody said no                                  | `denied`        |
    /// | anything else                                     | `failed`        |
    pub(super) fn outcome_of(error: Option<&SyncError>) -> RunOutcome {
        use crate::base::Fault;
        match error {
            None => RunOutcome::Complete,
            Some(error) if error.is_quota() => RunOutcome::QuotaStopped,
            Some(error) if error.is_doubt() => RunOutcome::Partial,
            Some(error) => match error.fault() {
                Fault::Denied => RunOutcome::Denied,
                _ => RunOutcome::Failed,
            },
        }
    }

    pub(super) fn begun(world: &World<'_>, job: &Job, wish: &Wish) -> Self {
        let now = world.clock.now();
        let row = RunRow {
            run_id: wish.run_id.clone().unwrap_or_else(|| run_id(now)),
            job: job.name.clone(),
            connection: job.connection.clone(),
            object: job.source.object_name().clone(),
            kind: RunKind::Incremental,
            transport: None,
            outcome: RunOutcome::Running,
            scheduled_for: wish.scheduled_for,
            started_at: now,
            ended_at: None,
            window: RunWindow::default(),
            rows: RunRows::default(),
            watermark: None,
            api_calls: 0,
            mints: 0,
            bytes: 0,
            duration_ms: 0,
            error: None,
            schema: None,
            user: None,
            epoch: 0,
            host: world.host.to_string(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_string(),
        };
        Self {
            row,
            plan: None,
            error: None,
            notes: Vec::new(),
            verified: None,
            calls_before: world.client.calls(),
        }
    }

    pub(super) fn ended(mut self, world: &World<'_>, uptime: Duration, error: Option<SyncError>) -> Self {
        self.row.outcome = Self::outcome_of(error.as_ref());
        self.row.ended_at = Some(world.clock.now());
        self.row.duration_ms = u64::try_from((world.clock.uptime() - uptime).as_millis()).unwrap_or(u64::MAX);
        self.row.api_calls = world.client.calls() - self.calls_before;
        self.tell(error.as_ref());
        self.row.error =
            error.as_ref().map(|error| RunError { code: error.code().to_string(), message: told(error) });
        self.error = error;
        self
    }

    pub(super) fn planned(&mut self, plan: &Plan) {
        self.row.kind = if plan.kind.is_whole() { RunKind::Full } else { RunKind::Incremental };
        self.row.window = RunWindow { low: plan.window.low, high: plan.window.high };
        self.row.schema = (!plan.schema.is_empty()).then(|| plan.schema.clone());
        if let Some(schema) = &self.row.schema {
            let says = format!("fields: {}", schema::in_words(schema));
            warn!(job.name = %self.row.job, "the object's {says}");
            self.notes.push(says);
        }
        self.plan = Some(Planned { kind: plan.kind, soql: plan.soql.clone(), window: plan.window });
    }

    pub(super) fn counted(&mut self, checkpoint: &Checkpoint) {
        if let Some(run) = &checkpoint.run {
            let rows = &mut self.row.rows;
            (rows.received, rows.written, rows.unchanged, rows.deleted) =
                (run.received, run.written, run.unchanged, run.deleted);
        }
    }
}

impl RunReport {
    /// The run's line in the log: every run leaves one, however it ends.
    fn tell(&self, error: Option<&SyncError>) {
        let RunRow { job, run_id, outcome, rows, duration_ms, .. } = &self.row;
        match error {
            None => info!(
                job.name = %job, run.id = %run_id, run.outcome = %outcome, run.rows = rows.received,
                run.written = rows.written, run.deleted = rows.deleted, run.duration_ms = duration_ms,
                "job `{job}` is {outcome}: {} rows", rows.received
            ),
            // The error itself is told by whoever asked for the run.
            Some(error) => info!(
                job.name = %job, run.id = %run_id, run.outcome = %outcome, run.rows = rows.received,
                run.written = rows.written, run.deleted = rows.deleted, run.duration_ms = duration_ms,
                error.code = error.code(), "job `{job}` ended {outcome}: {}", told(error)
            ),
        }
    }
}

/// An error and its causes, in one line.
fn told(error: &SyncError) -> String {
    let mut says = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        says.push_str(&format!(": {next}"));
        cause = next.source();
    }
    printable(&says, 600)
}

/// A name that no other run has: the second, the process, and what the clock's finer part says.
fn run_id(now: UnixSeconds) -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let stamp = now.to_string().replace(['-', ':'], "");
    format!("{stamp}-{:08x}", RandomState::new().build_hasher().finish() as u32)
}

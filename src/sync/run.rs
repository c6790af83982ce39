use std::time::Duration;

use tracing::{info, warn};

use crate::base::job::Job;
use crate::base::{Explain, JobName};
use crate::store::{Acquired, Baseline, Fact, Holder, Lease, LeaseRequest, MintQuery, RunKind, job_lease};

use super::attempt::Attempt;
use super::lander::Lander;
use super::plan::{Plan, Wish};
use super::report::RunReport;
use super::{Checkpoint, SyncError, World, destination};

/// For how long a job is leased; renewed at a third of it. A process that was killed keeps others away for no longer.
const LEASE: Duration = Duration::from_secs(60);

/// Runs a job once, and answers what became of it; it never fails otherwise.
///
/// # Shape
///
/// Lease, checkpoint, describe, plan, rows page by page, counts, deletes, publish, verify; each step is a function of
/// this room. The run is a row of history from its first moment on, and once more at its end.
///
/// A run that was killed is gone on with where its Bulk result can still be read; otherwise its window is read again.
/// Two runs of one job are never under way at once: the second ends with [`SyncError::Running`].
pub async fn run(world: &World<'_>, job: &Job, wish: &Wish) -> RunReport {
    leased(world, RunReport::begun(world, job, wish), async |lease, report, facts| {
        Attempt { world, job, wish, lease }.make(report, facts).await
    })
    .await
}

/// What a run would do now: `--dry-run`. Asks the org and the destination, and writes nothing.
///
/// # Errors
///
/// Those of [`plan()`](super::plan()), of the API and of the destination.
pub async fn look(world: &World<'_>, job: &Job, wish: &Wish) -> Result<Plan, SyncError> {
    Attempt { world, job, wish, lease: &unleased(world, job) }.look().await
}

/// A lease for looking only: nothing is written under it.
fn unleased(world: &World<'_>, job: &Job) -> Lease {
    let now = world.clock.now();
    let holder = Holder { id: String::new(), host: world.host.to_string(), pid: std::process::id() };
    Lease { name: job_lease(&job.name), holder, epoch: 0, since: now, until: now }
}

/// Compares every row of the org with the destination, and changes nothing but history.
///
/// # Shape
///
/// As [`run()`]; [`RunReport::verified`] holds what was found. Rows that changed since the watermark are set aside.
pub async fn verify(world: &World<'_>, job: &Job) -> RunReport {
    let wish = Wish::default();
    let mut report = RunReport::begun(world, job, &wish);
    report.row.kind = RunKind::Verify;
    leased(world, report, async |lease, report, _| {
        Attempt { world, job, wish: &wish, lease }.verify(report).await
    })
    .await
}

/// Lets a job begin anew: its destination forgets how far it got, and its baseline is forgotten. Rows stay until the next
/// run puts others in their place; `schema_only` forgets the baseline alone: an empty one is none.
///
/// # Errors
///
/// [`SyncError::Running`]; those of destination and store.
pub async fn reset(world: &World<'_>, job: &Job, schema_only: bool) -> Result<(), SyncError> {
    let lease = lease(world, &job.name, &RunReport::begun(world, job, &Wish::default()).row.run_id).await?;
    let done = async {
        if !schema_only {
            let blank = Checkpoint { epoch: lease.epoch, ..Checkpoint::blank(job) };
            let lander = Lander::start(destination::open(&job.destination, &job.name));
            lander
                .with(move |desk| match desk.destination().checkpoint()? {
                    Some(_) => desk.destination().abandon(&blank),
                    None => Ok(()),
                })
                .await?;
        }
        let fact = match schema_only {
            true => Fact::Baseline(Baseline {
                job: job.name.clone(),
                fields: vec![],
                taken_at: world.clock.now(),
            }),
            false => Fact::Reset(job.name.clone()),
        };
        Ok(world.store.write_under(&lease, vec![fact]).await?)
    };
    let done = done.await;
    world.store.release_lease(&lease).await?;
    done
}

/// Does something with a job under its lease, with a row of history from the first moment on.
async fn leased(
    world: &World<'_>,
    mut report: RunReport,
    work: impl AsyncFnOnce(&Lease, &mut RunReport, &mut Vec<Fact>) -> Result<(), SyncError>,
) -> RunReport {
    let (began, uptime) = (report.row.started_at, world.clock.uptime());
    let lease = match lease(world, &report.row.job, &report.row.run_id).await {
        Ok(lease) => lease,
        Err(error) => return report.ended(world, uptime, Some(error)),
    };
    report.row.epoch = lease.epoch;
    let begun = world.store.write_under(&lease, vec![Fact::Run(report.row.clone())]).await;
    let mut facts = Vec::new();
    let error = match begun {
        Err(error) => Some(error.into()),
        Ok(()) => {
            tokio::select! {
                result = work(&lease, &mut report, &mut facts) => result.err(),
                lost = keep(world, &lease) => Some(lost),
            }
        }
    };
    let mints =
        MintQuery { connection: Some(report.row.connection.clone()), since: Some(began), limit: 10_000 };
    if let Ok(mints) = world.store.mints(mints).await {
        report.row.mints = mints.iter().filter(|mint| mint.pid == std::process::id()).count() as u64;
    }
    let mut report = report.ended(world, uptime, error);
    facts.push(Fact::Run(report.row.clone()));
    let kept = world.store.write_under(&lease, facts).await;
    if let (Err(error), None) = (kept, &report.error) {
        // The rows are safe, their checkpoint is with them; only history does not know.
        warn!(error.code = error.code(), "the run cannot be written into history: {error}");
        report.error = Some(error.into());
        report.row.outcome = RunReport::outcome_of(report.error.as_ref());
    }
    if let Err(error) = world.store.release_lease(&lease).await {
        info!("the lease of job `{}` could not be given back, it ends by itself: {error}", report.row.job);
    }
    report
}

async fn lease(world: &World<'_>, job: &JobName, run_id: &str) -> Result<Lease, SyncError> {
    let holder = Holder { id: run_id.to_string(), host: world.host.to_string(), pid: std::process::id() };
    let request = LeaseRequest { name: job_lease(job), holder, ttl: LEASE, now: world.clock.now() };
    match world.store.acquire_lease(request).await? {
        Acquired::Granted(lease) => Ok(lease),
        Acquired::Held(held) => Err(SyncError::Running { held }),
    }
}

/// Renews the lease until it is lost.
async fn keep(world: &World<'_>, lease: &Lease) -> SyncError {
    let mut missed = 0;
    loop {
        tokio::time::sleep(LEASE / 3).await;
        match world.store.renew_lease(lease, LEASE, world.clock.now()).await {
            Ok(_) => missed = 0,
            // A store that is busy for a moment takes no lease away; one that was lost stays lost.
            Err(error) if error.code() != "store.lease_lost" && missed < 1 => missed += 1,
            Err(error) => return error.into(),
        }
    }
}

use std::sync::{Mutex, PoisonError};

use tracing::info;

use crate::api::bulk::JobState;
use crate::base::UnixSeconds;
use crate::store::RunTransport;

use super::ask::{Answerer, Question, ask, forget};
use super::attempt::Attempt;
use super::completeness::agree;
use super::guard::believable;
use super::lander::Lander;
use super::plan::{Kind, Plan};
use super::pull::Pull;
use super::report::RunReport;
use super::{BulkProgress, Checkpoint, Progress, Step, SyncError};

/// How long the org keeps a Bulk job's result, less a day for reading it. Bulk API 2.0 guide, "Limits".
const RESULT_LIVES: i64 = 6 * 86_400;

impl Attempt<'_> {
    /// The run that was cut off, where it can be gone on with; else what is left of it in the org is taken away.
    pub(super) async fn unfinished(
        &self,
        plan: &Plan,
        found: Option<&Checkpoint>,
        now: UnixSeconds,
    ) -> Option<Progress> {
        let mut run = found?.run.clone()?;
        let bulk = run.bulk.as_mut()?;
        // How it stands now decides: one that is gone, failed or was aborted brings nothing more.
        bulk.job.look(self.world.client).await.ok()?;
        let job = bulk.job.clone();
        match !matches!(job.state, JobState::Failed | JobState::Aborted) && goes_on(&run, plan, found, now) {
            true => Some(run),
            false => {
                forget(self.world.client, &job).await;
                None
            }
        }
    }

    /// Reads every row into the destination, and proves by the counts that it was every row.
    pub(super) async fn read(
        &self,
        lander: &Lander,
        plan: &Plan,
        resumed: bool,
        checkpoint: &mut Checkpoint,
        held_before: Option<u64>,
        report: &mut RunReport,
    ) -> Result<(), SyncError> {
        let Self { world, job, .. } = *self;
        (world.tell)(Step::Asked);
        let (answerer, from) = self.answerer(lander, plan, resumed, checkpoint).await?;
        report.by(if answerer.bulk().is_some() { RunTransport::Bulk } else { RunTransport::Rest });
        report.row.rows.expected = answerer.processed();
        let ended = checkpoint.run.as_ref().and_then(|run| run.bulk.as_ref()).is_some_and(|bulk| bulk.ended);
        if !ended {
            let pull = Pull {
                client: world.client,
                lander,
                open: answerer.pages(world.client, &plan.soql, plan.all, &plan.columns),
                columns: plan.columns.clone(),
                processed: answerer.processed(),
                budget: job.api_budget_percent,
                stopping: world.stopping,
                tell: &|counts| (world.tell)(Step::Page(*counts)),
            };
            let pulled = pull.all(checkpoint, from).await;
            report.counted(checkpoint);
            let pulled = pulled?;
            report.row.rows.expected = pulled.counts.processed.or(report.row.rows.expected);
            report.row.rows.nuls += pulled.nuls;
            report.row.bytes += pulled.bytes;
            agree(&pulled.counts).map_err(SyncError::InDoubt)?;
        }
        report.counted(checkpoint);
        if let (Some(held), Some(run)) = (held_before, &checkpoint.run) {
            let live = run.received - run.deleted;
            believable(held.saturating_sub(live), held, self.most_deleted())?;
        }
        if let (Some(done), Some(bulk)) =
            (answerer.bulk(), checkpoint.run.as_mut().and_then(|run| run.bulk.as_mut()))
        {
            bulk.job = done.clone();
        }
        if plan.no_longer_matching.is_some() || plan.reconcile {
            (world.tell)(Step::Comparing);
            report.row.rows.deleted += self.take_away(lander, plan, checkpoint).await?;
        }
        Ok(())
    }

    /// Who answers: the Bulk job of the run that was killed, or whoever is asked now.
    async fn answerer(
        &self,
        lander: &Lander,
        plan: &Plan,
        resumed: bool,
        checkpoint: &mut Checkpoint,
    ) -> Result<(Answerer, Option<String>), SyncError> {
        let client = self.world.client;
        let bulk = checkpoint.run.as_ref().and_then(|run| run.bulk.clone()).filter(|_| resumed);
        if let Some(BulkProgress { mut job, locator, pages, .. }) = bulk {
            job.wait(client, &Default::default(), |_| {}).await?;
            info!(
                job.name = %self.job.name, bulk.job = %job.id, page.number = pages,
                "going on with the Bulk job of a run that was cut off, after page {pages}"
            );
            return Ok((Answerer::Bulk(job), locator));
        }
        let question = Question {
            soql: &plan.soql,
            count: plan.count.as_deref(),
            all: plan.all,
            transport: self.job.transport,
        };
        let noted = Mutex::new(&mut *checkpoint);
        let answerer = ask(client, &question, |job| {
            let kept = {
                let mut checkpoint = noted.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(run) = &mut checkpoint.run {
                    run.bulk = Some(BulkProgress { job, locator: None, pages: 0, ended: false });
                }
                checkpoint.clone()
            };
            note(lander, kept)
        })
        .await?;
        if let (Answerer::Rest, Some(run)) = (&answerer, &mut checkpoint.run) {
            run.bulk = None;
        }
        Ok((answerer, None))
    }
}

/// Makes a checkpoint last without rows.
async fn note(lander: &Lander, mut checkpoint: Checkpoint) -> Result<(), SyncError> {
    lander
        .with(move |desk| {
            desk.begin(&checkpoint.columns.clone())?;
            desk.commit(&mut checkpoint).map(drop)
        })
        .await
}

/// Whether a run that was cut off can be gone on with: it asked the same, and its result is still there.
///
/// | the earlier run                                | answer       |
/// |------------------------------------------------|--------------|
/// | same query, columns and purpose, Bulk, younger than six days | go on |
/// | REST: its cursor is gone                       | read again   |
/// | anything else                                  | read again   |
fn goes_on(run: &Progress, plan: &Plan, checkpoint: Option<&Checkpoint>, now: UnixSeconds) -> bool {
    run.bulk.is_some()
        && run.soql == plan.soql
        && run.all == plan.all
        && run.whole == plan.kind.is_whole()
        && plan.kind != Kind::Backfill
        && checkpoint.is_some_and(|checkpoint| checkpoint.columns == plan.columns)
        && now.seconds_since(run.asked_at) < RESULT_LIVES
}

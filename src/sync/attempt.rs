use tracing::warn;

use crate::api::rest::Description;
use crate::api::{ApiError, Request};
use crate::base::job::{Job, SchemaPolicy};
use crate::base::{AccessToken, Explain, UnixSeconds, UserId};
use crate::store::{Baseline, CheckpointCopy, Fact, Lease, RunQuery};

use super::destination::{self, Landing};
use super::lander::Lander;
use super::plan::{Given, Plan, Wish, plan};
use super::report::RunReport;
use super::{Checkpoint, Progress, Step, SyncError, World, ask, budget, compare, schema, user_facts};

/// One run under way.
pub(super) struct Attempt<'a> {
    pub world: &'a World<'a>,
    pub job: &'a Job,
    pub wish: &'a Wish,
    pub lease: &'a Lease,
}

impl Attempt<'_> {
    /// Walks the whole way, from the checkpoint to the published rows; `facts` are for the store, if it was walked.
    pub async fn make(&self, report: &mut RunReport, facts: &mut Vec<Fact>) -> Result<(), SyncError> {
        let Self { job, lease, .. } = *self;
        let lander = Lander::start(destination::open(&job.destination, &job.name));
        let keeps = lander.with(|desk| Ok::<_, SyncError>(desk.destination().keeps())).await?;
        let found = match keeps {
            true => lander.with(|desk| desk.destination().checkpoint()).await?,
            false => self.mirrored().await?,
        };
        let (mut plan, asked_at, token) = self.plan(found.as_ref()).await?;
        self.look_at_user(report, &token.user_id).await?;
        if !keeps {
            (plan.reconcile, plan.verify, plan.no_longer_matching) = (false, false, None);
        }
        report.planned(&plan);
        let resumed = self.unfinished(&plan, found.as_ref(), asked_at).await;
        let mut checkpoint = Checkpoint {
            org_id: token.org_id.to_string(),
            epoch: lease.epoch,
            columns: plan.columns.clone(),
            ..found.clone().unwrap_or_else(|| Checkpoint::blank(job))
        };
        let run = resumed.clone().unwrap_or_else(|| {
            Progress::new(&report.row.run_id, &plan.soql, plan.all, plan.kind.is_whole(), asked_at)
        });
        let landing = self.landing(&run.run_id, &plan);
        lander.with(move |desk| desk.destination().begin(&landing)).await?;
        let held_before = self.held_if_guarded(&lander, &plan, keeps && found.is_some()).await?;
        checkpoint.run = Some(run);
        let done = self.read(&lander, &plan, resumed.is_some(), &mut checkpoint, held_before, report).await;
        if let Err(error) = done {
            self.leave(&lander, &mut checkpoint, found.as_ref(), &error).await;
            return Err(error);
        }
        self.finish(&lander, &plan, checkpoint, asked_at, report, facts).await
    }

    /// What a run would do now; nothing is written.
    pub async fn look(&self) -> Result<Plan, SyncError> {
        let mut destination = destination::open(&self.job.destination, &self.job.name);
        let found = match destination.keeps() {
            true => destination.checkpoint()?,
            false => self.mirrored().await?,
        };
        self.plan(found.as_ref()).await.map(|(plan, _, _)| plan)
    }

    /// Compares without writing.
    pub async fn verify(&self, report: &mut RunReport) -> Result<(), SyncError> {
        let Self { world, job, .. } = *self;
        let lander = Lander::start(destination::open(&job.destination, &job.name));
        let found = lander.with(|desk| desk.destination().checkpoint()).await?;
        let (plan, _, _) = self.plan(found.as_ref()).await?;
        let Some(query) = &plan.ids else {
            return Err(SyncError::Soql { why: "it selects no `Id` to compare by".into() });
        };
        (world.tell)(Step::Comparing);
        let watermark = found.and_then(|checkpoint| checkpoint.watermark);
        let verified = compare::verify(world, job, &lander, query, watermark, &self.lease.holder.id).await?;
        report.row.watermark = watermark;
        let count = verified.differing;
        report.row.rows.expected = Some(verified.org);
        report.row.rows.received = verified.held;
        report.verified = Some(verified);
        match count {
            0 => Ok(()),
            _ => Err(SyncError::Differs { object: job.source.object_name().clone(), count }),
        }
    }

    /// Decides what to do, from how far the data goes and what the org shows now, by its clock.
    async fn plan(&self, found: Option<&Checkpoint>) -> Result<(Plan, UnixSeconds, AccessToken), SyncError> {
        let Self { world, job, wish, .. } = *self;
        let token = world.client.tokens().token().await.map_err(ApiError::Mint)?;
        let (description, asked_at) = self.describe().await?;
        budget::may_go_on(world.client.usage().as_ref(), job.api_budget_percent)?;
        let baseline = world.store.baseline(&job.name).await?;
        let plan = plan(&Given {
            job,
            wish,
            description: &description,
            checkpoint: found,
            baseline: baseline
                .as_ref()
                .map(|baseline| baseline.fields.as_slice())
                .filter(|fields| !fields.is_empty()),
            asked_at,
            org: &token.org_id,
        })?;
        Ok((plan, asked_at, token))
    }

    /// What the org shows of the object, and what time it is there before anything is asked for.
    async fn describe(&self) -> Result<(Description, UnixSeconds), SyncError> {
        let object = self.job.source.object_name();
        let path = self.world.client.data_path(&format!("sobjects/{object}/describe")).await?;
        let response = self.world.client.send_whole(Request::get(path)).await?.success()?;
        let asked_at = response.date().ok_or(SyncError::NoClock)?;
        Ok((response.read()?, asked_at))
    }

    /// The checkpoint's copy in the store, for a destination that keeps none.
    async fn mirrored(&self) -> Result<Option<Checkpoint>, SyncError> {
        let copy = self.world.store.checkpoint(&self.job.name).await?;
        // A copy that this version cannot read is none: everything is read anew.
        Ok(copy.and_then(|copy| serde_json::from_str(&copy.text).ok()))
    }

    /// Who reads, and whether that user may see less or more than at the last run.
    async fn look_at_user(&self, report: &mut RunReport, user: &UserId) -> Result<(), SyncError> {
        let now = user_facts::ask(self.world.client, user, self.job.source.object_name()).await?;
        let query = RunQuery { job: Some(self.job.name.clone()), limit: 50, ..RunQuery::default() };
        let runs = self.world.store.runs(query, self.world.clock.now()).await?;
        if let Some(before) = runs.into_iter().find_map(|run| run.user) {
            for change in user_facts::changes(&before, &now) {
                warn!(job.name = %self.job.name, "what the user may see has changed since the last run: {change}");
                report.notes.push(change);
            }
        }
        report.row.user = Some(now);
        Ok(())
    }

    fn landing(&self, run_id: &str, plan: &Plan) -> Landing {
        Landing {
            run_id: run_id.to_string(),
            epoch: self.lease.epoch,
            at: self.world.clock.now(),
            object: self.job.source.object_name().clone(),
            columns: plan.columns.clone(),
            id: plan.id,
            stamp: plan.stamp,
            is_deleted: plan.is_deleted,
            whole: plan.kind.is_whole(),
            low: plan.window.low,
            deletes: self.job.deletes,
            nul: self.job.nul,
        }
    }

    /// How many live rows are held, where a run could take so many away that it must be doubted.
    async fn held_if_guarded(
        &self,
        lander: &Lander,
        plan: &Plan,
        was_there: bool,
    ) -> Result<Option<u64>, SyncError> {
        if !(was_there && plan.kind.is_whole() && plan.id.is_some() && self.most_deleted() < 100) {
            return Ok(None);
        }
        let count = lander.with(|desk| {
            let mut live = 0;
            desk.destination().held(&mut |row| {
                live += u64::from(!row.is_deleted);
                Ok(())
            })?;
            Ok::<_, SyncError>(live)
        });
        count.await.map(Some)
    }

    pub(super) fn most_deleted(&self) -> u8 {
        self.wish.max_delete_percent.unwrap_or(self.job.max_delete_percent)
    }

    /// The run did not end complete. Rows in doubt are not gone on with; anything else can be.
    async fn leave(
        &self,
        lander: &Lander,
        checkpoint: &mut Checkpoint,
        found: Option<&Checkpoint>,
        error: &SyncError,
    ) {
        let bulk = checkpoint.run.as_ref().and_then(|run| run.bulk.clone());
        if !error.is_doubt() {
            return;
        }
        if let Some(mut bulk) = bulk
            && bulk.job.look(self.world.client).await.is_ok()
        {
            ask::forget(self.world.client, &bulk.job).await;
        }
        let before = found.cloned().unwrap_or_else(|| Checkpoint::blank(self.job));
        let kept =
            Checkpoint { org_id: checkpoint.org_id.clone(), epoch: self.lease.epoch, run: None, ..before };
        if let Err(second) = lander.with(move |desk| desk.destination().abandon(&kept)).await {
            warn!(error.code = second.code(), "what was staged could not be taken back: {second}");
        }
    }

    /// The rows are all there: publish, remember, and verify where it is time to.
    async fn finish(
        &self,
        lander: &Lander,
        plan: &Plan,
        mut checkpoint: Checkpoint,
        asked_at: UnixSeconds,
        report: &mut RunReport,
        facts: &mut Vec<Fact>,
    ) -> Result<(), SyncError> {
        let Self { world, job, .. } = *self;
        let run = checkpoint.run.take();
        let asked_at = run.as_ref().map_or(asked_at, |run| run.asked_at);
        // A run that went on with an older result knows no more than that result.
        let next = plan.window.next.map(|next| next.min(asked_at));
        checkpoint.watermark = next.max(checkpoint.watermark).or(checkpoint.watermark);
        if plan.kind.is_whole() {
            checkpoint.generation += 1;
            checkpoint.refreshed_at = Some(asked_at);
            checkpoint.watermark = next;
        }
        (world.tell)(Step::Publishing);
        let kept = checkpoint.clone();
        lander.with(move |desk| desk.destination().publish(&kept)).await?;
        if let Some(bulk) = run.and_then(|run| run.bulk) {
            ask::forget(world.client, &bulk.job).await;
        }
        report.row.watermark = checkpoint.watermark;
        let text = serde_json::to_string(&checkpoint).unwrap_or_default();
        let now = world.clock.now();
        facts.push(Fact::Checkpoint(CheckpointCopy {
            job: job.name.clone(),
            text,
            updated_at: now,
            epoch: self.lease.epoch,
        }));
        let keeps_baseline = job.on_schema_change != SchemaPolicy::Warn;
        if keeps_baseline || world.store.baseline(&job.name).await?.is_none() {
            let fields = schema::baseline(&plan.columns);
            facts.push(Fact::Baseline(Baseline { job: job.name.clone(), fields, taken_at: now }));
        }
        if plan.verify
            && let Some(query) = &plan.ids
        {
            (world.tell)(Step::Comparing);
            let verified =
                compare::verify(world, job, lander, query, checkpoint.watermark, &self.lease.holder.id)
                    .await?;
            let count = verified.differing;
            report.verified = Some(verified);
            if count > 0 {
                return Err(SyncError::Differs { object: job.source.object_name().clone(), count });
            }
            // Nothing is staged any more: this only puts the checkpoint in place.
            let kept = Checkpoint { verified_at: Some(asked_at), ..checkpoint };
            lander.with(move |desk| desk.destination().abandon(&kept)).await?;
        }
        Ok(())
    }
}

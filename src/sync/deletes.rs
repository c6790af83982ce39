use std::sync::{Arc, Mutex};

use tracing::info;

use crate::base::RecordId;
use crate::base::job::Deletes;

use super::ask::Answerer;
use super::attempt::Attempt;
use super::completeness::Doubt;
use super::guard::believable;
use super::lander::Lander;
use super::plan::Plan;
use super::pull::Pull;
use super::scratch::{Scratch, Side};
use super::{Checkpoint, SyncError, compare, ids};

impl Attempt<'_> {
    /// Takes away, or marks, what no longer matches the job's filter and what the org no longer has; brings what the
    /// user has come to see. Answers how many rows went.
    pub(super) async fn take_away(
        &self,
        lander: &Lander,
        plan: &Plan,
        checkpoint: &mut Checkpoint,
    ) -> Result<u64, SyncError> {
        let Self { world, job, .. } = *self;
        let scratch = Arc::new(Mutex::new(Scratch::open(world.state_dir, &self.lease.holder.id)?));
        compare::hold(lander, &scratch).await?;
        let mut gone = Vec::new();
        if let (Some((matching, all)), false) = (&plan.no_longer_matching, plan.reconcile) {
            // Everything first: a row that comes to match in between is in the second set and stays.
            ids::read(world, job, &scratch, Side::Changed, all, true).await?;
            ids::read(world, job, &scratch, Side::Org, matching, true).await?;
            gone = compare::lock(&scratch).no_longer_matching()?;
        }
        if let (Some(query), true) = (&plan.ids, plan.reconcile) {
            ids::read(world, job, &scratch, Side::Org, query, job.deletes == Deletes::Mark).await?;
            gone = compare::lock(&scratch).gone()?;
            checkpoint.reconciled_at = checkpoint.run.as_ref().map(|run| run.asked_at);
        }
        let held = compare::lock(&scratch).count(Side::Held, true)?;
        believable(gone.len() as u64, held, self.most_deleted())?;
        if plan.reconcile {
            let missing = compare::lock(&scratch).missing()?;
            self.bring(lander, plan, missing, checkpoint).await?;
        }
        if gone.is_empty() {
            return Ok(0);
        }
        info!(job.name = %job.name, run.deleted = gone.len(), "{} rows are no longer there", gone.len());
        let (at, kept) = (world.clock.now(), checkpoint.clone());
        lander.with(move |desk| desk.destination().gone(&mut gone.into_iter(), at, &kept)).await
    }

    /// Brings rows that the org shows and the destination does not hold: those that were shared with the user since.
    async fn bring(
        &self,
        lander: &Lander,
        plan: &Plan,
        missing: Vec<String>,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), SyncError> {
        if missing.is_empty() {
            return Ok(());
        }
        info!(job.name = %self.job.name, run.missing = missing.len(), "{} rows have come into sight: fetching them by Id", missing.len());
        // 200 Ids of 18 characters, quoted, are well within a URL's 16,384 characters.
        for some in missing.chunks(200) {
            let list: Vec<String> = some
                .iter()
                .filter_map(|id| id.parse::<RecordId>().ok())
                .map(|id| format!("'{}'", id.as_str()))
                .collect();
            let names: Vec<String> = plan.columns.iter().map(|column| column.name.clone()).collect();
            let object = self.job.source.object_name();
            let soql = format!("SELECT {} FROM {object} WHERE Id IN ({})", names.join(", "), list.join(", "));
            let pull = Pull {
                client: self.world.client,
                lander,
                open: Answerer::Rest.pages(self.world.client, &soql, plan.all, &plan.columns),
                columns: plan.columns.clone(),
                processed: None,
                budget: self.job.api_budget_percent,
                stopping: self.world.stopping,
                tell: &|_| {},
            };
            let received = checkpoint.run.as_ref().map_or(0, |run| run.received);
            let pulled = pull.all(checkpoint, None).await?;
            let expected = pulled.counts.processed.unwrap_or_default();
            let received = pulled.counts.received - received;
            if expected != received {
                return Err(SyncError::InDoubt(Doubt::Processed { processed: expected, received }));
            }
        }
        Ok(())
    }
}

use super::admin::Admin;
use super::bulk::{JobInfo, JobState, Lie, process};
use super::state::AdminMistake;

/// Bulk API 2.0: jobs as somebody else sees them, and lies.
///
/// | path | POST takes | GET shows |
/// |---|---|---|
/// | `bulk/jobs` | `id`, `state` (`Aborted`, `Failed`, `JobComplete`), `message` | every job, as [`JobInfo`] |
/// | `bulk/lies` | a [`Lie`] | those that are still to be told |
/// | `bulk/lies/clear` | anything | |
/// | `limits/spend` | `calls` | |
impl Admin {
    /// Every job there is, by id.
    pub fn jobs(&self) -> Vec<JobInfo> {
        let state = self.0.state();
        let queries = state.query_jobs.values().map(|job| job.info());
        queries.chain(state.ingest_jobs.values().map(|job| job.info())).collect()
    }

    /// Aborts a job, as somebody in Setup may do at any time.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] where no job has that id.
    pub fn abort_job(&self, id: &str) -> Result<(), AdminMistake> {
        self.end_job(id, JobState::Aborted, None)
    }

    /// Lets a job fail with this `errorMessage`; of an ingest job, half of the rows are written before.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] where no job has that id.
    pub fn fail_job(&self, id: &str, message: &str) -> Result<(), AdminMistake> {
        self.end_job(id, JobState::Failed, Some(message.into()))
    }

    /// Completes a job now, whatever was still to come.
    ///
    /// # Errors
    ///
    /// [`AdminMistake::Unknown`] where no job has that id.
    pub fn finish_job(&self, id: &str) -> Result<(), AdminMistake> {
        self.end_job(id, JobState::JobComplete, None)
    }

    fn end_job(&self, id: &str, end: JobState, message: Option<String>) -> Result<(), AdminMistake> {
        let now = self.now();
        let state = &mut *self.0.state();
        if let Some(job) = state.query_jobs.get_mut(id) {
            job.end(end, message, now);
            return Ok(());
        }
        let mut job = state.ingest_jobs.remove(id).ok_or_else(|| AdminMistake::Unknown("job", id.into()))?;
        let rows = job.rows();
        match end {
            JobState::JobComplete => process(&self.0, state, &mut job, usize::MAX, None),
            JobState::Failed => process(&self.0, state, &mut job, rows / 2, message),
            _ => {
                process(&self.0, state, &mut job, 0, None);
                job.end(end, None, now);
            }
        }
        state.ingest_jobs.insert(job.id.clone(), job);
        Ok(())
    }

    /// Spends so many API requests of the last 24 hours, as other programs do.
    pub fn spend_api_calls(&self, calls: u32) {
        let elapsed = self.0.clock.elapsed();
        self.0.state().api_calls.push_back((elapsed, calls));
    }

    /// Tells a lie about query jobs that are made from now on.
    pub fn lie(&self, lie: Lie) {
        self.0.state().lies.push(lie);
    }

    /// The lies that are still to be told.
    pub fn lies(&self) -> Vec<Lie> {
        self.0.state().lies.clone()
    }

    /// Takes all lies back that were not told yet.
    pub fn truth(&self) {
        self.0.state().lies.clear();
    }
}

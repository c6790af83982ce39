use super::yard::Yard;
use crate::base::{Job, UnixSeconds};
use crate::cli::report::told;
use crate::store::{RunQuery, last_served};

/// The jobs whose time has come, each with the moment of its schedule. Jobs without a schedule are never due.
pub async fn due(yard: &Yard, jobs: Vec<Job>) -> anyhow::Result<Vec<(Job, Option<UnixSeconds>)>> {
    let now = yard.clock().now();
    let mut due = Vec::new();
    for job in jobs {
        let Some(schedule) = &job.schedule else { continue };
        let query = RunQuery { job: Some(job.name.clone()), limit: 1_000, ..RunQuery::default() };
        let runs = yard.store().runs(query, now).await.map_err(told)?;
        let last = last_served(&runs, now);
        match schedule.due(&job.name, last, now) {
            Some(at) => {
                if at.missed > 0 {
                    tracing::info!(job.name = %job.name, job.missed = at.missed, "one run makes up for {} that were missed", at.missed);
                }
                due.push((job, Some(at.scheduled_for)));
            }
            None => tracing::info!(job.name = %job.name, "job `{}` is not due", job.name),
        }
    }
    Ok(due)
}

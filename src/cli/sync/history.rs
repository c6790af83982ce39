use super::super::report::{say, told};
use super::super::wire::{Wire, block_on, print, print_json};
use super::super::{Exit, Global, render};
use super::since::Since;
use crate::base::{ConnectionName, JobName, UnixSeconds};
use crate::store::{RunQuery, RunRow, open_strict};

/// List runs, newest first
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  sfmint sync history accounts --limit 5\n  sfmint sync history --since 7d --json\n\nSends nothing. Runs are kept for `keep_history_days`; the views in docs/reference/store.md show the same to BI tools."
)]
pub struct Verb {
    /// Only this job's; all jobs' when left out
    #[arg(value_name = "JOB")]
    job: Option<JobName>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Only those that began at this time or later: 2026-11-22, 2026-11-22T21:00:00Z, or 90m, 12h, 7d, 2w ago
    #[arg(long, value_name = "WHEN")]
    since: Option<Since>,
}

/// Lists runs, from the history.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let now = wire.now();
    let store = open_strict(&wire.store_location(), now).map_err(told)?;
    let connection: Option<ConnectionName> = match &global.connection {
        Some(name) => Some(wire.settings().connection(name.as_str()).map_err(told)?.name),
        None => None,
    };
    let query = RunQuery {
        job: verb.job.clone(),
        connection,
        since: verb.since.map(|since| since.at(now)),
        limit: verb.limit,
        ..RunQuery::default()
    };
    let runs = block_on(async { store.runs(query, now).await.map_err(told) })?;
    // A job that is configured no more has a history; a name that is neither is a mistake.
    if let (true, Some(job)) = (runs.is_empty(), &verb.job) {
        let known = wire.settings().jobs().iter().any(|known| known.name == *job);
        let any = RunQuery { job: Some(job.clone()), limit: 1, ..RunQuery::default() };
        if !known && block_on(async { store.runs(any, now).await.map_err(told) })?.is_empty() {
            wire.settings().job(job.as_str()).map_err(told)?;
        }
    }
    if global.json {
        return print_json(&serde_json::json!({ "runs": runs }));
    }
    if runs.is_empty() {
        say(match verb.since {
            Some(_) => "no runs since then",
            None => "no runs yet",
        });
        return Ok(Exit::Done);
    }
    let header = ["started", "job", "kind", "outcome", "rows", "written", "deleted", "took", "run", "error"];
    let rows: Vec<Vec<String>> = runs.iter().map(|run| cells(run, now)).collect();
    print(|out| render::columns(out, &header, &rows))
}

fn cells(run: &RunRow, now: UnixSeconds) -> Vec<String> {
    let took = match run.ended_at {
        Some(_) => render::milliseconds(run.duration_ms),
        None => format!("since {}", render::span(now.seconds_since(run.started_at))),
    };
    let error = run.error.as_ref().map(|error| crate::base::printable(&error.code, 60)).unwrap_or_default();
    vec![
        run.started_at.to_string(),
        run.job.to_string(),
        run.kind.to_string(),
        run.outcome.to_string(),
        run.rows.received.to_string(),
        run.rows.written.to_string(),
        run.rows.deleted.to_string(),
        took,
        crate::base::printable(&run.run_id, 40),
        error,
    ]
}

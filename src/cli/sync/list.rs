use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use super::super::report::{say, told};
use super::super::wire::{Wire, block_on, print, print_json};
use super::super::{Exit, Global, render};
use crate::base::job::DestinationPlace;
use crate::base::{ConnectionName, Job, JobName, ObjectName, UnixSeconds};
use crate::store::{
    Held, RunOutcome, RunQuery, RunRow, Store, StoreError, job_lease, last_served, open_strict,
};

/// Most runs of a job that are looked at for what it last did.
const RUNS_LOOKED_AT: u32 = 500;

/// List jobs: where they go, when they are due, how far their data goes
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Sends nothing. With --connection, only its jobs are listed.\n\nLAG is how long ago the data was the org's: now less the watermark of the last good run.\n`sfmint sync history JOB` tells how each run went."
)]
pub struct Verb {}

/// One job of `sync list --json`.
#[derive(Debug, Serialize)]
struct Line {
    job: JobName,
    connection: ConnectionName,
    object: ObjectName,
    /// As in the configuration, with the whole path.
    destination: serde_json::Value,
    schedule: Option<String>,
    timezone: Option<String>,
    /// Whether its time has come.
    due: bool,
    /// When it runs next by itself; none without a schedule.
    next_due: Option<String>,
    last_run: Option<Past>,
    last_good: Option<Past>,
    /// How far the data goes, by the org's clock.
    watermark: Option<String>,
    lag_seconds: Option<i64>,
    running_by: Option<Running>,
    #[serde(skip)]
    says: Says,
}

/// A run that was.
#[derive(Debug, Serialize)]
struct Past {
    run_id: String,
    outcome: RunOutcome,
    started_at: String,
    ended_at: Option<String>,
    error: Option<String>,
}

/// Who runs the job now.
#[derive(Debug, Serialize)]
struct Running {
    host: String,
    pid: u32,
    since: String,
}

/// The same moments as people say them.
#[derive(Debug)]
struct Says {
    destination: String,
    next_due: String,
    last_run: String,
    last_good: String,
    lag: String,
    running_by: String,
}

/// Lists jobs, from what is configured and what is in the history.
pub fn run(_: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    if let Some(name) = &global.connection {
        wire.settings().connection(name.as_str()).map_err(told)?;
    }
    let mut jobs = wire.settings().jobs();
    jobs.retain(|job| global.connection.as_ref().is_none_or(|name| job.connection.as_str() == name));
    let lines = match jobs.is_empty() {
        true => vec![],
        false => {
            let store = open_strict(&wire.store_location(), wire.now()).map_err(told)?;
            block_on(async { lines(&jobs, &*store, wire.now()).await.map_err(told) })?
        }
    };
    if global.json {
        return print_json(&serde_json::json!({ "jobs": lines }));
    }
    if lines.is_empty() {
        say(&nothing(wire.settings().config_file(), global.connection.as_deref()));
        return Ok(Exit::Done);
    }
    let header = [
        "job",
        "connection",
        "destination",
        "schedule",
        "next due",
        "last run",
        "last good",
        "lag",
        "running by",
    ];
    let rows: Vec<Vec<String>> = lines.into_iter().map(cells).collect();
    print(|out| render::columns(out, &header, &rows))
}

fn nothing(config: Option<&Path>, connection: Option<&str>) -> String {
    match (connection, config) {
        (Some(name), _) => format!("no jobs of connection `{name}`"),
        (None, Some(path)) => format!(
            "no jobs: add [jobs.NAME] with `object` and `destination` to {}, or a file to jobs.d beside it; see docs/reference/config.md",
            path.display()
        ),
        (None, None) => "no jobs: there is no config file; run `sfmint init NAME` to begin one".to_string(),
    }
}

async fn lines(jobs: &[Job], store: &dyn Store, now: UnixSeconds) -> Result<Vec<Line>, StoreError> {
    let held = store.held(now).await?;
    let mut lines = Vec::new();
    for job in jobs {
        let query = RunQuery { job: Some(job.name.clone()), limit: RUNS_LOOKED_AT, ..RunQuery::default() };
        let runs = store.runs(query, now).await?;
        let good = RunQuery {
            job: Some(job.name.clone()),
            outcome: Some(RunOutcome::Complete),
            ..RunQuery::default()
        };
        let good = store.runs(good, now).await?;
        lines.push(line(job, &runs, good.iter().find(|run| run.kind.moves_rows()), &held, now));
    }
    Ok(lines)
}

/// What there is to say of a job; pure.
fn line(job: &Job, runs: &[RunRow], good: Option<&RunRow>, held: &[Held], now: UnixSeconds) -> Line {
    let lease = held.iter().find(|lease| lease.name == job_lease(&job.name));
    let last = runs.iter().find(|run| run.outcome != RunOutcome::Running);
    let served = last_served(runs, now);
    let schedule = job.schedule.as_ref();
    let due = lease.is_none() && schedule.is_some_and(|by| by.due(&job.name, served, now).is_some());
    let next = schedule.and_then(|by| match lease {
        // What runs now is due again after it.
        Some(_) => by.next_start(&job.name, Some(now), now),
        None => by.next_start(&job.name, served, now),
    });
    let watermark = good.and_then(|run| run.watermark);
    let lag = watermark.map(|watermark| now.seconds_since(watermark).max(0));
    let ago = |run: &RunRow| {
        let at = run.ended_at.unwrap_or(run.started_at);
        format!("{} ago", render::span(now.seconds_since(at)))
    };
    Line {
        job: job.name.clone(),
        connection: job.connection.clone(),
        object: job.source.object_name().clone(),
        destination: place(&job.destination),
        schedule: schedule.map(ToString::to_string),
        timezone: schedule.map(|by| by.zone().to_string()),
        due,
        next_due: next.map(|at| at.to_string()),
        last_run: last.map(Past::from),
        last_good: good.map(Past::from),
        watermark: watermark.map(|at| at.to_string()),
        lag_seconds: lag,
        running_by: lease.map(|lease| Running {
            host: lease.by.host.clone(),
            pid: lease.by.pid,
            since: lease.since.to_string(),
        }),
        says: Says {
            destination: shorter(&job.destination.to_string()),
            next_due: match next {
                _ if due => "now".to_string(),
                Some(at) => format!("in {}", render::span(at.seconds_since(now))),
                None => "when asked".to_string(),
            },
            last_run: last.map_or("never".into(), |run| format!("{}, {}", run.outcome, ago(run))),
            last_good: good.map_or("never".into(), ago),
            lag: lag.map_or("-".into(), render::span),
            running_by: lease.map_or(String::new(), |lease| {
                let since = render::span(now.seconds_since(lease.since));
                format!("pid {} on {}, {since}", lease.by.pid, crate::base::printable(&lease.by.host, 40))
            }),
        },
    }
}

impl From<&RunRow> for Past {
    fn from(run: &RunRow) -> Self {
        Self {
            run_id: run.run_id.clone(),
            outcome: run.outcome,
            started_at: run.started_at.to_string(),
            ended_at: run.ended_at.map(|at| at.to_string()),
            error: run.error.as_ref().map(|error| error.code.clone()),
        }
    }
}

fn cells(line: Line) -> Vec<String> {
    let schedule = match (line.schedule, line.timezone) {
        (Some(schedule), Some(zone)) if zone != "UTC" => format!("{schedule} {zone}"),
        (Some(schedule), _) => schedule,
        (None, _) => "none".to_string(),
    };
    let Says { destination, next_due, last_run, last_good, lag, running_by } = line.says;
    vec![
        line.job.to_string(),
        line.connection.to_string(),
        destination,
        schedule,
        next_due,
        last_run,
        last_good,
        lag,
        running_by,
    ]
}

fn place(destination: &DestinationPlace) -> serde_json::Value {
    match destination {
        DestinationPlace::Sqlite(path) => serde_json::json!({ "sqlite": path.display().to_string() }),
        DestinationPlace::Csv(path) => serde_json::json!({ "csv": path.display().to_string() }),
        DestinationPlace::Jsonl(path) => serde_json::json!({ "jsonl": path.display().to_string() }),
        other => serde_json::json!({ other.to_string(): "jsonl" }),
    }
}

/// A destination without the folder that one stands in, and without ways there and back: `sqlite data/acme.db`.
fn shorter(destination: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = destination.split_once(' ').map(|(kind, path)| {
        let mut plain = PathBuf::new();
        for part in Path::new(path).components() {
            match part {
                Component::ParentDir => drop(plain.pop()),
                part => plain.push(part),
            }
        }
        format!("{kind} {}", plain.strip_prefix(&here).unwrap_or(&plain).display())
    });
    crate::base::printable(&short.unwrap_or_else(|| destination.to_string()), 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::job::{Schedule, Source};
    use crate::store::{Holder, RunKind};

    fn at(text: &str) -> UnixSeconds {
        text.parse().unwrap()
    }

    fn job(schedule: Option<&str>) -> Job {
        let mut job = Job::new(
            "accounts".parse().unwrap(),
            "prod".parse().unwrap(),
            Source::object("Account".parse().unwrap()),
            DestinationPlace::Sqlite("/data/acme.db".into()),
        );
        job.schedule = schedule.map(|text| {
            let mut schedule = Schedule::parse(text, "UTC").unwrap();
            schedule.jitter = std::time::Duration::ZERO;
            schedule
        });
        job
    }

    fn run(outcome: RunOutcome, started_at: &str) -> RunRow {
        let started_at = at(started_at);
        RunRow {
            run_id: format!("run-{started_at}"),
            job: "accounts".parse().unwrap(),
            connection: "prod".parse().unwrap(),
            object: "Account".parse().unwrap(),
            kind: RunKind::Incremental,
            transport: None,
            outcome,
            scheduled_for: None,
            started_at,
            ended_at: Some(started_at.moved(60)),
            window: Default::default(),
            rows: Default::default(),
            watermark: Some(started_at),
            api_calls: 0,
            mints: 0,
            bytes: 0,
            duration_ms: 0,
            error: None,
            schema: None,
            user: None,
            epoch: 1,
            host: "worker-1".into(),
            pid: 7,
            version: "0.1.0".into(),
        }
    }

    #[test]
    fn a_job_says_when_it_is_due_and_how_far_its_data_goes() {
        let now = at("2026-11-22T21:20:00Z");
        let good = run(RunOutcome::Complete, "2026-11-22T20:00:00Z");
        let runs = [run(RunOutcome::Failed, "2026-11-22T21:00:00Z"), good.clone()];
        let said = line(&job(Some("hourly")), &runs, Some(&good), &[], now);
        assert!(said.due, "what failed is tried again");
        assert_eq!((said.says.next_due.as_str(), said.lag_seconds), ("now", Some(4800)));
        assert_eq!(
            (said.says.last_run.as_str(), said.says.last_good.as_str()),
            ("failed, 19 min ago", "79 min ago")
        );
        let runs = [run(RunOutcome::Partial, "2026-11-22T21:00:00Z"), good.clone()];
        let said = line(&job(Some("hourly")), &runs, Some(&good), &[], now);
        assert!(!said.due, "what a person must look at is not");
        assert_eq!(
            (said.says.next_due.as_str(), said.next_due.as_deref()),
            ("in 40 min", Some("2026-11-22T22:00:00Z"))
        );
        let said = line(&job(None), &[], None, &[], now);
        assert_eq!(
            (said.says.next_due.as_str(), said.says.last_run.as_str(), said.says.lag.as_str()),
            ("when asked", "never", "-")
        );
    }

    #[test]
    fn a_job_that_runs_says_by_whom_and_is_not_due() {
        let now = at("2026-11-22T21:20:00Z");
        let lease = Held {
            name: "job/accounts".into(),
            by: Holder { id: "run-1".into(), host: "worker-1".into(), pid: 4242 },
            epoch: 2,
            since: at("2026-11-22T21:17:00Z"),
            until: at("2026-11-22T21:21:00Z"),
        };
        let runs = [
            run(RunOutcome::Running, "2026-11-22T21:17:00Z"),
            run(RunOutcome::Complete, "2026-11-22T18:00:00Z"),
        ];
        let said = line(&job(Some("hourly")), &runs, runs.last(), std::slice::from_ref(&lease), now);
        assert_eq!(said.says.running_by, "pid 4242 on worker-1, 3 min");
        assert_eq!((said.due, said.says.next_due.as_str()), (false, "in 40 min"));
        assert_eq!(said.says.last_run, "complete, 3 h ago", "the one before");
        let other = Held { name: "job/contacts".into(), ..lease };
        assert!(line(&job(None), &[], None, &[other], now).running_by.is_none());
    }
}

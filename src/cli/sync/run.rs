use futures_util::StreamExt;
use futures_util::stream;

use super::progress::Progress;
use super::tell::{self, RunDocument};
use super::yard::Yard;
use super::{chosen, due};
use crate::base::job::DestinationPlace;
use crate::base::{Fault, Job, UnixSeconds};
use crate::cli::report::{Complaint, told};
use crate::cli::wire::{Wire, block_on, print, print_json};
use crate::cli::{Exit, Global, shutdown};
use crate::sync::{RunReport, Wish};

/// How many jobs run side by side unless `--parallel` says otherwise.
const SIDE_BY_SIDE: usize = 4;

/// Run jobs now, or those that are due
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  sfmint sync run accounts\n  sfmint sync run --due              under cron, a systemd timer or a CronJob\n  sfmint sync run accounts --full    everything anew, put in place at the end\n\nComplete means: headers, the org's own count, and the rows that were written agree. Anything less is exit code 65\nor 75, and the watermark stays where it was. A run that was killed is gone on with by the next one."
)]
pub struct Verb {
    /// The jobs; the only one, when left out
    #[arg(value_name = "JOB", conflicts_with_all = ["all", "due"])]
    jobs: Vec<String>,
    /// All jobs, whatever their schedules say
    #[arg(long, conflicts_with = "due")]
    all: bool,
    /// The jobs whose schedule says so
    #[arg(long)]
    due: bool,
    /// Everything, put in place of what is there at the end
    #[arg(long)]
    full: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Rows that changed at this moment or later; the watermark stays
    #[arg(long, value_name = "TIME", conflicts_with = "full")]
    window_start: Option<UnixSeconds>,
    /// Rows that changed before this moment; the watermark stays
    #[arg(long, value_name = "TIME", conflicts_with = "full")]
    window_end: Option<UnixSeconds>,
    /// A name for the run, which no other has had
    #[arg(long, value_name = "ID", value_parser = run_id)]
    run_id: Option<String>,
    /// Compare the Ids, also where that is not due
    #[arg(long)]
    reconcile: bool,
    /// Verify at the end, also where that is not due
    #[arg(long)]
    verify: bool,
    /// Believe that so many rows are gone at once, this time
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    max_delete_percent: Option<u8>,
    /// How many jobs run side by side
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: Option<u8>,
}

/// A run's name goes into file names and columns.
fn run_id(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match (1..=64).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('.') {
        true => Ok(text.to_string()),
        false => Err("a run's name has 1 to 64 letters, digits, `-`, `_` and `.`".into()),
    }
}

/// Runs them.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let jobs = match verb.all || verb.due {
        true if wire.settings().jobs().is_empty() => return Err(told(chosen::none())),
        true => wire.settings().jobs(),
        false => chosen::named(&wire, &verb.jobs)?,
    };
    let writes_stdout = jobs.iter().filter(|job| job.destination == DestinationPlace::Stdout).count();
    if writes_stdout > 0 && (global.json || writes_stdout > 1) && !verb.dry_run {
        let says = "stdout can take the rows of one job only, and no JSON besides";
        return Err(told(
            Complaint::new("sync.stdout", Fault::Misuse, says).hint("run them one by one, without `--json`"),
        ));
    }
    if verb.run_id.is_some() && jobs.len() > 1 {
        let says = "`--run-id` names one run, and several jobs would run";
        return Err(told(Complaint::new("sync.run_id", Fault::Misuse, says)));
    }
    let yard = Yard::new(&wire, &jobs)?;
    block_on(async {
        let due = match verb.due {
            true => due::due(&yard, jobs).await?,
            false => jobs.into_iter().map(|job| (job, None)).collect(),
        };
        if verb.dry_run {
            return look(verb, global, &yard, due).await;
        }
        let reports = side_by_side(verb, global, &yard, due).await?;
        show(&reports, global, writes_stdout > 0)
    })
}

fn wish(verb: &Verb, scheduled_for: Option<UnixSeconds>) -> Wish {
    let windowed = verb.window_start.is_some() || verb.window_end.is_some();
    Wish {
        scheduled_for,
        full: verb.full,
        window: windowed.then_some((verb.window_start, verb.window_end)),
        run_id: verb.run_id.clone(),
        reconcile: verb.reconcile,
        verify: verb.verify,
        max_delete_percent: verb.max_delete_percent,
    }
}

/// Jobs that write into one place run one after the other; the others side by side.
async fn side_by_side(
    verb: &Verb,
    global: &Global,
    yard: &Yard,
    jobs: Vec<(Job, Option<UnixSeconds>)>,
) -> anyhow::Result<Vec<RunReport>> {
    let mut groups: Vec<Vec<(Job, Option<UnixSeconds>)>> = Vec::new();
    for (job, at) in jobs {
        match groups.iter_mut().find(|group| group[0].0.destination == job.destination) {
            Some(group) => group.push((job, at)),
            None => groups.push(vec![(job, at)]),
        }
    }
    let progress = Progress::new(global);
    let stopping = || yard.is_stopping();
    let group = async |group: Vec<(Job, Option<UnixSeconds>)>| {
        let mut reports = Vec::new();
        for (job, at) in group {
            if yard.is_stopping() {
                break;
            }
            let bar = progress.bar(&job.name);
            let tell = |step| bar.show(step);
            reports.push(crate::sync::run(&yard.world(&job, &stopping, &tell)?, &job, &wish(verb, at)).await);
        }
        Ok::<_, anyhow::Error>(reports)
    };
    let most = verb.parallel.map_or(SIDE_BY_SIDE, usize::from);
    let work = stream::iter(groups).map(group).buffer_unordered(most).collect::<Vec<_>>();
    let all = tokio::select! {
        all = work => all,
        code = twice(yard) => return Err(crate::cli::report::told_with(
            code,
            Complaint::new("sync.interrupted", Fault::Transient, "stopped at the second signal; the next run goes on"),
        )),
    };
    let mut reports = Vec::new();
    for group in all {
        reports.extend(group?);
    }
    reports.sort_by(|one, other| one.row.job.cmp(&other.row.job));
    Ok(reports)
}

/// The first signal lets runs stop where the next one can go on; the second ends the process.
async fn twice(yard: &Yard) -> Exit {
    shutdown::stopped().await;
    tracing::warn!("asked to stop: ending with the page that is under way");
    yard.stop();
    shutdown::stopped().await
}

fn show(reports: &[RunReport], global: &Global, stdout_is_taken: bool) -> anyhow::Result<Exit> {
    if global.json {
        let runs: Vec<RunDocument<'_>> = reports.iter().map(RunDocument::from).collect();
        print_json(&serde_json::json!({ "runs": runs }))?;
    } else if stdout_is_taken {
        for report in reports.iter().filter(|_| !global.quiet) {
            crate::cli::report::say(&tell::line(report));
        }
    } else if !global.quiet {
        print(|out| {
            if reports.is_empty() {
                writeln!(out, "nothing is due")?;
            }
            reports.iter().try_for_each(|report| writeln!(out, "{}", tell::line(report)))
        })?;
    }
    for report in reports {
        tell::failure(report, global);
    }
    Ok(tell::worst(reports))
}

async fn look(
    verb: &Verb,
    global: &Global,
    yard: &Yard,
    jobs: Vec<(Job, Option<UnixSeconds>)>,
) -> anyhow::Result<Exit> {
    let mut plans = Vec::new();
    for (job, at) in jobs {
        let stopping = || false;
        let tell = |_| {};
        let world = yard.world(&job, &stopping, &tell)?;
        let plan = crate::sync::look(&world, &job, &wish(verb, at)).await.map_err(told)?;
        plans.push((job, plan));
    }
    if global.json {
        let plans: Vec<serde_json::Value> = plans
            .iter()
            .map(|(job, plan)| {
                serde_json::json!({
                    "job": job.name, "kind": plan.kind.as_str(), "soql": plan.soql, "deleted_rows_too": plan.all,
                    "window": { "low": plan.window.low.map(|at| at.to_string()), "high": plan.window.high.map(|at| at.to_string()) },
                    "destination": job.destination.to_string(), "reconcile": plan.reconcile, "verify": plan.verify,
                    "schema": plan.schema,
                })
            })
            .collect();
        return print_json(&serde_json::json!({ "plans": plans }));
    }
    print(|out| {
        for (job, plan) in &plans {
            writeln!(out, "{}  {} into {}", job.name, plan.kind.as_str(), job.destination)?;
            writeln!(out, "  {}{}", plan.soql, if plan.all { "  (deleted rows too)" } else { "" })?;
            if plan.reconcile {
                writeln!(out, "  then compare the Ids, to find rows that are gone")?;
            }
            if plan.verify {
                writeln!(out, "  then verify every row")?;
            }
        }
        Ok(())
    })
}

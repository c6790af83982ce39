use super::chosen;
use super::progress::Progress;
use super::tell::{self, RunDocument};
use super::yard::Yard;
use crate::cli::wire::{Wire, block_on, print, print_json};
use crate::cli::{Exit, Global};

/// Compare every row of the org with the destination
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads every Id and stamp of the org and compares them with what the destination holds. Rows that changed since the\nwatermark are set aside: the next run brings them. Exit code 65 where rows differ, with their Ids."
)]
pub struct Verb {
    /// The jobs; the only one, when left out
    #[arg(value_name = "JOB")]
    jobs: Vec<String>,
}

/// Compares, and changes nothing but history.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let jobs = chosen::named(&wire, &verb.jobs)?;
    let yard = Yard::new(&wire, &jobs)?;
    let progress = Progress::new(global);
    let reports = block_on(async {
        let mut reports = Vec::new();
        for job in &jobs {
            let bar = progress.bar(&job.name);
            let tell = |step| bar.show(step);
            let stopping = || false;
            reports.push(crate::sync::verify(&yard.world(job, &stopping, &tell)?, job).await);
        }
        Ok(reports)
    })?;
    if global.json {
        let runs: Vec<RunDocument<'_>> = reports.iter().map(RunDocument::from).collect();
        print_json(&serde_json::json!({ "runs": runs }))?;
    } else if !global.quiet {
        print(|out| reports.iter().try_for_each(|report| writeln!(out, "{}", tell::line(report))))?;
    }
    for report in &reports {
        tell::failure(report, global);
    }
    Ok(tell::worst(&reports))
}

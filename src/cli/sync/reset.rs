use super::chosen;
use super::yard::Yard;
use crate::cli::report::told;
use crate::cli::wire::{Wire, block_on, print};
use crate::cli::{Exit, Global};

/// Let jobs begin anew: the next run reads everything
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The destination keeps its rows until the next run puts others in their place. History stays."
)]
pub struct Verb {
    /// The jobs
    #[arg(value_name = "JOB", required = true)]
    jobs: Vec<String>,
    /// Forget the fields only: the next run takes them as they are, without reading everything
    #[arg(long)]
    schema: bool,
}

/// Resets them.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let jobs = chosen::named(&wire, &verb.jobs)?;
    let yard = Yard::new(&wire, &jobs)?;
    block_on(async {
        for job in &jobs {
            let (stopping, tell) = (|| false, |_| {});
            let world = yard.world(job, &stopping, &tell)?;
            crate::sync::reset(&world, job, verb.schema).await.map_err(told)?;
        }
        Ok(())
    })?;
    print(|out| {
        jobs.iter().try_for_each(|job| match verb.schema {
            true => writeln!(out, "{}  the next run takes the fields as they are then", job.name),
            false => writeln!(out, "{}  the next run reads everything", job.name),
        })
    })
}

//! `sfmint sync`: jobs, run now or when they are due, and their history.

mod chosen;
mod due;
mod history;
mod list;
mod progress;
mod reset;
mod run;
mod since;
mod tell;
mod verify;
mod yard;

use super::{Exit, Global};

pub use tell::grouped;

/// Sync jobs: run, list, history, verify, reset
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// What to do
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run jobs now, or those that are due
    Run(run::Verb),
    /// List jobs: where they go, when they are due, how far their data goes
    List(list::Verb),
    /// List runs, newest first
    History(history::Verb),
    /// Compare every row of the org with the destination
    Verify(verify::Verb),
    /// Let jobs begin anew: the next run reads everything
    Reset(reset::Verb),
}

/// Does one of them.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    match &verb.command {
        Command::Run(verb) => run::run(verb, global),
        Command::List(verb) => list::run(verb, global),
        Command::History(verb) => history::run(verb, global),
        Command::Verify(verb) => verify::run(verb, global),
        Command::Reset(verb) => reset::run(verb, global),
    }
}

//! `sfmint sync`: jobs and their history.

mod history;
mod list;
mod since;

use super::{Exit, Global};

/// Sync jobs: list them, look at their history
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// What to do
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List jobs: where they go, when they are due, how far their data goes
    List(list::Verb),
    /// List runs, newest first
    History(history::Verb),
}

/// Does one of them.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    match &verb.command {
        Command::List(verb) => list::run(verb, global),
        Command::History(verb) => history::run(verb, global),
    }
}

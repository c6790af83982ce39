//! `sfmint demo`: the whole way from a certificate to rows, with real calls, on this machine alone.
//!
//! Uses the rooms as every command does: a config file that was written, read back, and wired. Only the org is built in,
//! and it is the strict one that the tests use. Start at [`run`].

mod accounts;
mod stage;
mod story;
mod syncing;
mod tell;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::wire::{block_on, print_json};
use super::{Exit, Global, shutdown};

use stage::Stage;
use tell::Teller;

/// See it work: real calls against the built-in org, in a few seconds
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs no Salesforce org and no network, and cleans up behind itself.\nWith --keep the configuration, key and history stay, and the last lines say how to go on with them."
)]
pub struct Verb {
    /// Leave configuration, key and history in this folder; it must not be there yet, or be empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Tells the story, then cleans up.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let stage = Stage::set(verb.keep.as_deref(), global)?;
    let mut teller = Teller::new(global);
    let finished = block_on(async {
        tokio::select! {
            told = story::tell(&stage, &mut teller) => told.map(Some),
            () = shutdown::asked() => Ok(None),
        }
    })?;
    let Some(end) = finished else { return Ok(Exit::Child(130)) };
    // What is left behind is gone, or said, before the last word.
    let kept = stage.leave()?;
    if global.json {
        return print_json(&teller.document(&end, kept.as_deref()));
    }
    teller.end(&end, kept.as_deref())
}

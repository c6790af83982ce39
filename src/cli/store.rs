use clap::Subcommand;

use super::report::told;
use super::wire::{Wire, block_on, print, print_json};
use super::{Exit, Global};
use crate::store::{self, Integrity, Rebuilt, StoreInfo};

/// Look after the store: the history of mints and runs
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// What to do with it.
    #[command(subcommand)]
    what: What,
}

/// What can be done with a store.
#[derive(Debug, Subcommand)]
enum What {
    /// Say what it holds, and read all of it to see whether it is sound
    Info,
    /// Bring its schema up to date, after a copy
    Migrate,
    /// Forget history that is older than `keep_history_days`, or than so many days
    Prune {
        /// Days of history to keep
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        keep_days: Option<u32>,
    },
    /// Set a damaged store aside and make a new one; a sound one is left alone
    Rebuild,
}

/// Looks after the store; sends nothing.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let location = wire.store_location();
    match &verb.what {
        What::Info => {
            let store = store::open_strict(&location, wire.now()).map_err(told)?;
            let info = block_on(async { store.info().await.map_err(told) })?;
            let sound = info.integrity == Integrity::Sound;
            if global.json {
                print_json(&info)?
            } else {
                print(|out| tell(out, &info))?
            };
            Ok(if sound { Exit::Done } else { Exit::Disk })
        }
        What::Migrate => {
            let migrated = store::migrate(&location, wire.now()).map_err(told)?;
            if global.json {
                return print_json(&migrated);
            }
            print(|out| {
                match migrated.from {
                    Some(from) if from == migrated.to => {
                        writeln!(out, "the schema is at version {from} already")?
                    }
                    Some(from) => writeln!(out, "the schema went from version {from} to {}", migrated.to)?,
                    None => writeln!(out, "a new store was made, schema version {}", migrated.to)?,
                }
                migrated
                    .backup
                    .iter()
                    .try_for_each(|copy| writeln!(out, "the store as it was: {}", copy.display()))
            })
        }
        What::Prune { keep_days } => {
            let days = keep_days.unwrap_or_else(|| wire.settings().keep_history_days());
            let before = wire.now().moved(-i64::from(days) * 86_400);
            let store = store::open_strict(&location, wire.now()).map_err(told)?;
            let pruned = block_on(async { store.prune(before).await.map_err(told) })?;
            if global.json {
                return print_json(&pruned);
            }
            print(|out| {
                writeln!(
                    out,
                    "{} mints and {} runs from before {before} are forgotten",
                    pruned.mints, pruned.runs
                )
            })
        }
        What::Rebuild => {
            let rebuilt = store::rebuild(&location, wire.now()).map_err(told)?;
            if global.json {
                return print_json(&rebuilt);
            }
            print(|out| match rebuilt {
                Rebuilt::NotNeeded => writeln!(out, "the store is sound; nothing was touched"),
                Rebuilt::Made { set_aside: Some(path) } => {
                    writeln!(out, "a new store was made; the damaged one is {}", path.display())
                }
                Rebuilt::Made { set_aside: None } => writeln!(out, "a new store was made"),
            })
        }
    }
}

fn tell(out: &mut dyn std::io::Write, info: &StoreInfo) -> std::io::Result<()> {
    let path = info.path.as_ref().map_or("in memory".to_string(), |path| path.display().to_string());
    writeln!(
        out,
        "store    {path} ({}, schema version {}, {} bytes)",
        format!("{:?}", info.kind).to_lowercase(),
        info.schema_version,
        info.size_bytes
    )?;
    for table in &info.tables {
        writeln!(out, "rows     {:<10} {}", table.name, table.rows)?;
    }
    if let (Some(oldest), Some(newest)) = (info.oldest, info.newest) {
        writeln!(out, "history  {oldest} to {newest}")?;
    }
    match &info.integrity {
        Integrity::Sound => writeln!(out, "state    sound: every page was read"),
        Integrity::Damaged(findings) => {
            writeln!(out, "state    DAMAGED; `sfmint store rebuild` sets it aside and makes a new one")?;
            findings.iter().try_for_each(|finding| writeln!(out, "         {finding}"))
        }
    }
}

mod bulk;
mod bulk_rows;
#[cfg(test)]
mod bulk_tests;
mod json_tree;
mod output;
mod rows;

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::ValueEnum;

use self::bulk::{Abandoned, Ended};
use self::output::Output;
use self::rows::Rows;
use super::report::told_of;
use super::wire::{Wire, block_on};
use super::{Exit, Global, shutdown};
use crate::api::Client;
use crate::api::rest::{self, is_count};
use crate::base::ConnectionName;

/// Run a SOQL query and print its rows
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  sfmint query 'SELECT Id, Name, Owner.Name FROM Account LIMIT 10'\n  sfmint query --format csv -o accounts.csv 'SELECT Id, Name FROM Account'\n  sfmint query --bulk -o all.csv 'SELECT Id, Name FROM Account'\n\nRows received and rows announced must agree, or the command fails (exit code 65).\nA file named with -o appears whole, or not at all, and a new one is its owner's alone.\nWith --bulk every value of a CSV is in quotes, as Salesforce writes it; what Bulk refuses is asked for by REST, and said so."
)]
pub struct Verb {
    /// The query
    #[arg(value_name = "SOQL")]
    soql: String,
    /// Deleted and archived rows too
    #[arg(long)]
    all: bool,
    /// By the Bulk API: for many rows
    #[arg(long)]
    bulk: bool,
    /// How rows are printed; a table on a terminal, else CSV, when left out
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write into this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: columns, long values cut
    Table,
    /// RFC 4180; null is empty
    Csv,
    /// One JSON object a line
    Jsonl,
    /// One JSON array
    Json,
}

/// Runs the query, page by page: memory holds one page of REST, a part of a page of Bulk; a table all rows.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let connection = wire.connection()?;
    let name = connection.name.clone();
    let client = wire.client(connection)?;
    let terminal = verb.output.is_none() && io::stdout().is_terminal();
    let format = match (verb.format, global.json) {
        (Some(format), _) => format,
        (None, true) => Format::Json,
        (None, false) if terminal => Format::Table,
        (None, false) => Format::Csv,
    };
    // Before the process is closed to its own user: /dev/stdout is a file of /proc/self.
    let out = Output::open(verb.output.as_deref())?;
    let removes = matches!(out, Output::File { .. });
    let abandoned = Abandoned::default();
    let work = async {
        let out = match verb.bulk && !is_count(&verb.soql) {
            true => match bulk::run(&client, verb, format, out, &abandoned, &name).await? {
                Ended::Done(exit) => return Ok(exit),
                Ended::AskRest(out) => out,
            },
            false => out,
        };
        by_rest(&client, verb, format, out, &name).await
    };
    block_on(async {
        if !removes && !verb.bulk {
            return work.await;
        }
        let stopped = shutdown::stopped();
        // Dropping the rows removes what was written of the file.
        let ended = tokio::select! {
            ended = work => ended,
            exit = stopped => Ok(exit),
        };
        abandoned.clean_up(&client).await;
        ended
    })
}

async fn by_rest(
    client: &Client,
    verb: &Verb,
    format: Format,
    out: Output,
    name: &ConnectionName,
) -> anyhow::Result<Exit> {
    let mut rows = Rows::new(format, &verb.soql, out);
    let mut pages = rest::query(client, &verb.soql, verb.all);
    while let Some(page) = pages.next().await.map_err(told_of(name))? {
        let written = match page.total.filter(|_| is_count(&verb.soql)) {
            Some(count) => rows.count(count),
            None => rows.page(&page.records),
        };
        if let Err(error) = written {
            return rows.out.failed(error);
        }
    }
    rows.end()
}

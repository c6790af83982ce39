use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::report::{Complaint, told, told_of};
use super::wire::{Wire, block_on, print, print_json};
use super::{Exit, Global, shutdown};
use crate::api::bulk::Poll;
use crate::api::bulk::ingest::{IngestOperation, MOST_UPLOAD};
use crate::base::Fault;
use crate::sync::load::{self, FileFormat, Load, Outcome, Stage};

/// Load the rows of a file into an object, by the Bulk API
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  sfmint load Account accounts.csv\n  sfmint load Account accounts.csv --operation upsert --external-id Ext__c\n  sfmint load Contact gone.csv --operation delete --results gone-2026-11\n\nThe first line of a CSV names the fields. An empty value leaves a field as it is, #N/A makes it null; in JSON lines a\nmissing key and null say the same. The folder of results holds success.csv, failed.csv and unprocessed.csv; the last two can\nbe loaded as they are, once corrected. Run again with the same file and folder, it goes on where it was and sends no row twice.\nExit code 65: not every row was taken."
)]
pub struct Verb {
    /// The object
    #[arg(value_name = "OBJECT")]
    object: String,
    /// The rows: CSV, or JSON lines (.jsonl, .ndjson)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What is done with the rows
    #[arg(long, value_enum, value_name = "OPERATION", default_value_t = Operation::Insert)]
    operation: Operation,
    /// The field that an upsert goes by
    #[arg(long, value_name = "FIELD", required_if_eq("operation", "upsert"))]
    external_id: Option<String>,
    /// The folder for what became of each row; FILE.results when left out
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
}

/// What is done with the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Operation {
    /// New rows
    Insert,
    /// Rows that are there, by Id
    Update,
    /// By an external id: rows that are there are changed, others made
    Upsert,
    /// Rows by Id, into the recycle bin
    Delete,
    /// Rows by Id, past the recycle bin
    HardDelete,
}

impl From<Operation> for IngestOperation {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Insert => IngestOperation::Insert,
            Operation::Update => IngestOperation::Update,
            Operation::Upsert => IngestOperation::Upsert,
            Operation::Delete => IngestOperation::Delete,
            Operation::HardDelete => IngestOperation::HardDelete,
        }
    }
}

/// Loads the file and says how many rows were taken.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    if verb.external_id.is_some() && verb.operation != Operation::Upsert {
        let says = "`--external-id` is for `--operation upsert` only";
        return Err(told(Complaint::new("load.external_id", Fault::Misuse, says)));
    }
    let wire = Wire::new(global)?;
    let connection = wire.connection()?;
    let name = connection.name.clone();
    let client = wire.client(connection)?;
    let load = Load {
        object: verb.object.clone(),
        operation: verb.operation.into(),
        external_id: verb.external_id.clone(),
        file: verb.file.clone(),
        format: FileFormat::of(&verb.file),
        results: verb.results.clone().unwrap_or_else(|| beside(&verb.file)),
        most: MOST_UPLOAD,
        poll: Poll::default(),
    };
    let outcome = block_on(async {
        let stopped = shutdown::stopped();
        let loading = load::run(&client, &load, |batches| {
            let ended = batches.iter().filter(|batch| batch.stage == Stage::Ended).count();
            tracing::info!("{ended} of {} jobs have ended", batches.len());
        });
        // The journal knows how far it came: another run goes on from there.
        tokio::select! {
            ended = loading => ended.map(Ok).map_err(told_of(&name)),
            exit = stopped => Ok(Err(exit)),
        }
    })?;
    match outcome {
        Ok(outcome) => tell(&outcome, &load, global),
        Err(exit) => Ok(exit),
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_os_string();
    name.push(".results");
    name.into()
}

fn tell(outcome: &Outcome, load: &Load, global: &Global) -> anyhow::Result<Exit> {
    match global.json {
        true => print_json(outcome)?,
        false => print(|out| {
            writeln!(
                out,
                "{}: {} of {} rows taken, {} refused, {} not looked at",
                load.object, outcome.succeeded, outcome.rows, outcome.failed, outcome.unprocessed
            )
        })?,
    };
    if outcome.is_whole() {
        return Ok(Exit::Done);
    }
    let says = format!("{} of {} rows were not taken", outcome.rows - outcome.succeeded, outcome.rows);
    let mut complaint = Complaint::new("load.rows", Fault::Data, says);
    for reason in &outcome.reasons {
        complaint = complaint.hint(reason.clone());
    }
    if outcome.failed > 0 {
        let path = outcome.failed_file.display();
        complaint = complaint.hint(format!("{path} says why for each refused row; correct it, and load it"));
    }
    if outcome.unprocessed > 0 {
        complaint =
            complaint.hint(format!("{} holds the others; load it", outcome.unprocessed_file.display()));
    }
    Err(told(complaint))
}

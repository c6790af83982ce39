use serde::{Deserialize, Serialize};

use crate::api::bulk::ingest::IngestJob;

/// A part of the file that becomes one job: whole rows, the header line not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Where it begins in the file. Bytes.
    pub start: u64,
    /// How long it is. Bytes.
    pub length: u64,
    /// How many rows it holds.
    pub rows: u64,
    /// How far it has come, as far as this side knows.
    pub stage: Stage,
    /// Its job; none before one was made.
    pub job: Option<IngestJob>,
}

/// How far a batch has come. Each is on disk before the deed that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// No job has its rows.
    Planned,
    /// A job is made, its data is perhaps on the way. It was not closed.
    Made,
    /// The org has all the data; the job may be closed at any moment from here on.
    Stored,
    /// The job has ended, and what became of each row can be read.
    Ended,
}

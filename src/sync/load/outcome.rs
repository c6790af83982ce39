use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::bulk::JobId;

/// What became of a file's rows. They are as many as the file has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Rows of the file.
    pub rows: u64,
    /// Rows that were written.
    pub succeeded: u64,
    /// Rows that were refused, each with its reason.
    pub failed: u64,
    /// Rows that nobody looked at, because their job ended before.
    pub unprocessed: u64,
    /// The jobs, in the order of the file.
    pub jobs: Vec<JobId>,
    /// Why jobs ended early, in Salesforce's words.
    pub reasons: Vec<String>,
    /// The rows that were written, with their ids.
    pub success_file: PathBuf,
    /// The rows that were refused, with the reason; to be corrected and loaded again.
    pub failed_file: PathBuf,
    /// The rows that nobody looked at; to be loaded again.
    pub unprocessed_file: PathBuf,
}

impl Outcome {
    /// Whether every row was written.
    pub fn is_whole(&self) -> bool {
        self.succeeded == self.rows
    }
}

use std::ops::Range;
use std::time::Duration;

use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::csv_reader::CsvReader;
use super::dialect::Dialect;
use super::state::{JobInfo, JobState};
use crate::base::{ApiVersion, UnixSeconds};
use crate::emulator::table::show_time;

/// What an ingest job does with its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::emulator) enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
    HardDelete,
}

/// An ingest job, its data, and what became of each row.
pub(in crate::emulator) struct IngestJob {
    pub id: String,
    pub owner: String,
    pub created_by: String,
    pub version: ApiVersion,
    pub object: &'static str,
    pub operation: Operation,
    pub external_id: Option<String>,
    pub dialect: Dialect,
    pub created: UnixSeconds,
    pub changed: UnixSeconds,
    pub made: Duration,
    pub state: JobState,
    pub polls: u32,
    pub error: Option<String>,
    pub data: Option<Bytes>,
    pub outcome: Outcome,
}

/// What became of a job's rows, each named by the bytes it takes in the data.
#[derive(Default)]
pub(in crate::emulator) struct Outcome {
    /// With the record's id, and whether it is new.
    pub written: Vec<(Range<usize>, String, bool)>,
    /// With the record's id where that is known, and why.
    pub failed: Vec<(Range<usize>, String, String)>,
    pub unprocessed: Vec<Range<usize>>,
}

impl IngestJob {
    pub fn end(&mut self, state: JobState, error: Option<String>, now: UnixSeconds) {
        self.state = state;
        self.error = error;
        self.changed = now;
    }

    /// How many rows were uploaded.
    pub fn rows(&self) -> usize {
        let data = self.data.clone().unwrap_or_default();
        let mut reader = CsvReader::new(&data, self.dialect);
        let mut fields = vec![];
        let mut rows: usize = 0;
        while let Ok(Some(_)) = reader.read(&mut fields) {
            rows += 1;
        }
        rows.saturating_sub(1)
    }

    pub fn operation_name(&self) -> String {
        serde_json::to_value(self.operation)
            .ok()
            .and_then(|name| name.as_str().map(str::to_string))
            .unwrap_or_default()
    }

    /// The job as the answer to its making shows it.
    pub fn summary(&self) -> Value {
        let mut shown = json!({
            "id": self.id, "operation": self.operation, "object": self.object, "createdById": self.created_by,
            "createdDate": show_time(self.created.get()), "systemModstamp": show_time(self.changed.get()),
            "state": self.state.name(), "concurrencyMode": "Parallel", "contentType": "CSV",
            "apiVersion": f64::from(self.version.major()),
        });
        if self.state == JobState::Open {
            // No slash at its start, in real orgs too.
            shown["contentUrl"] =
                format!("services/data/v{}/jobs/ingest/{}/batches", self.version, self.id).into();
        }
        shown["lineEnding"] = json!(self.dialect.ending);
        shown["columnDelimiter"] = json!(self.dialect.delimiter);
        if let Some(name) = &self.external_id {
            shown["externalIdFieldName"] = name.as_str().into();
        }
        shown
    }

    /// The job as GET shows it.
    pub fn whole(&self) -> Value {
        let (written, failed) = (self.outcome.written.len(), self.outcome.failed.len());
        let mut shown = self.summary();
        shown["jobType"] = "V2Ingest".into();
        shown["numberRecordsProcessed"] = (written + failed).into();
        shown["numberRecordsFailed"] = failed.into();
        shown["retries"] = 0.into();
        for name in ["totalProcessingTime", "apiActiveProcessingTime"] {
            shown[name] = if self.state.is_terminal() { 100 + (written + failed) / 100 } else { 0 }.into();
        }
        shown["apexProcessingTime"] = 0.into();
        if let Some(message) = &self.error {
            shown["errorMessage"] = message.as_str().into();
        }
        shown
    }

    pub fn info(&self) -> JobInfo {
        let Outcome { written, failed, unprocessed } = &self.outcome;
        JobInfo {
            id: self.id.clone(),
            operation: self.operation_name(),
            object: self.object.into(),
            state: self.state,
            rows: (written.len() + failed.len() + unprocessed.len()) as u64,
            username: self.owner.clone(),
        }
    }
}

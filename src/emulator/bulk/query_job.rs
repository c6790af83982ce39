use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::dialect::Dialect;
use super::lies::LieKind;
use super::rules::BulkRules;
use super::state::{JobInfo, JobState};
use crate::base::{ApiVersion, UnixSeconds};
use crate::emulator::soql::{Mark, Plan};
use crate::emulator::table::show_time;

/// A query job: a query, and the rows as they were when it was made.
pub(in crate::emulator) struct QueryJob {
    pub id: String,
    pub owner: String,
    pub created_by: String,
    pub version: ApiVersion,
    pub all_rows: bool,
    pub query: String,
    pub dialect: Dialect,
    pub created: UnixSeconds,
    pub changed: UnixSeconds,
    pub made: Duration,
    pub state: JobState,
    pub polls: u32,
    pub error: Option<String>,
    pub plan: Plan,
    /// Where known pages begin, by the number of rows before them.
    pub marks: BTreeMap<u64, Mark>,
    pub lies: Vec<LieKind>,
    /// The version of the rows it reads, for pages that are kept.
    pub rows_version: u64,
}

impl QueryJob {
    /// Moves the job on: by a GET of it, and by the time that has passed.
    pub fn advance(&mut self, rules: &BulkRules, polled: bool, now: UnixSeconds, elapsed: Duration) {
        if self.state.is_terminal() {
            return;
        }
        self.polls += u32::from(polled);
        let waited = elapsed.saturating_sub(self.made).as_secs();
        let needed = rules.polls_until_complete + if rules.states_out_of_order { 2 } else { 0 };
        if self.polls >= needed || waited >= rules.seconds_until_complete {
            let message = self.lies.iter().find_map(|lie| match lie {
                LieKind::Fails { message } => Some(message.clone()),
                _ => None,
            });
            let state = if message.is_some() { JobState::Failed } else { JobState::JobComplete };
            return self.end(state, message, now);
        }
        self.state = match self.polls {
            0 => JobState::UploadComplete,
            2 if rules.states_out_of_order => JobState::UploadComplete,
            _ => JobState::InProgress,
        };
        self.changed = now;
    }

    pub fn end(&mut self, state: JobState, error: Option<String>, now: UnixSeconds) {
        self.state = state;
        self.error = error;
        self.changed = now;
    }

    /// Where the page after `given` rows begins; walks there from the nearest known place.
    pub fn mark(&self, given: u64) -> Mark {
        let near =
            self.marks.range(..=given).next_back().map_or_else(|| self.plan.start(), |(_, mark)| *mark);
        self.plan.skip(near, given - near.given)
    }

    fn processed(&self) -> u64 {
        let off = self.lies.iter().find_map(|lie| match lie {
            LieKind::JobCount { by } => Some(*by),
            _ => None,
        });
        match self.state {
            JobState::JobComplete => self.plan.total.saturating_add_signed(off.unwrap_or(0)),
            // A count of what is done so far, which says nothing about the whole.
            JobState::InProgress => self.plan.total / 2,
            _ => 0,
        }
    }

    /// The job as the answer to its making shows it.
    pub fn summary(&self) -> Value {
        json!({
            "id": self.id, "operation": self.operation(), "object": self.plan.table.name(),
            "createdById": self.created_by, "createdDate": show_time(self.created.get()),
            "systemModstamp": show_time(self.changed.get()), "state": self.state.name(),
            "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": f64::from(self.version.major()),
            "lineEnding": self.dialect.ending, "columnDelimiter": self.dialect.delimiter,
        })
    }

    /// The job as GET shows it.
    pub fn whole(&self) -> Value {
        let mut shown = self.summary();
        shown["jobType"] = "V2Query".into();
        shown["numberRecordsProcessed"] = self.processed().into();
        shown["retries"] = 0.into();
        shown["totalProcessingTime"] =
            if self.state.is_terminal() { 100 + self.plan.total / 100 } else { 0 }.into();
        shown["isPkChunkingSupported"] = true.into();
        if let Some(message) = &self.error {
            shown["errorMessage"] = message.as_str().into();
        }
        shown
    }

    pub fn operation(&self) -> &'static str {
        if self.all_rows { "queryAll" } else { "query" }
    }

    pub fn info(&self) -> JobInfo {
        JobInfo {
            id: self.id.clone(),
            operation: self.operation().into(),
            object: self.plan.table.name().into(),
            state: self.state,
            rows: self.plan.total,
            username: self.owner.clone(),
        }
    }
}

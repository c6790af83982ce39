use serde::{Deserialize, Serialize};

use super::Column;
use super::destination::Landed;
use crate::api::bulk::query::QueryJob;
use crate::base::UnixSeconds;
use crate::base::job::Job;

/// How far a job's data goes and how far it is safely written: one row or one manifest in the destination, committed
/// with the rows it speaks of. The store holds a copy; where they differ, the destination is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The job's name.
    pub job: String,
    /// The object that the rows are of.
    pub object: String,
    /// The org that they come from, 18 characters.
    pub org_id: String,
    /// The fencing epoch of the lease under which this was written. A destination refuses an older one.
    pub epoch: u64,
    /// Everything that changed before this moment, by the org's clock, is in the destination. None before the first
    /// complete run.
    pub watermark: Option<UnixSeconds>,
    /// Rises by one with each new set of rows that replaces the one before.
    pub generation: u64,
    /// The columns of the rows.
    pub columns: Vec<Column>,
    /// When the Ids were last compared, by the org's clock.
    pub reconciled_at: Option<UnixSeconds>,
    /// When all rows were last read, by the org's clock.
    pub refreshed_at: Option<UnixSeconds>,
    /// When `verify` last found no difference, by the org's clock.
    pub verified_at: Option<UnixSeconds>,
    /// The run that is under way; none between runs.
    pub run: Option<Progress>,
}

impl Checkpoint {
    /// Adds what became of a page to the counts of the run that is under way.
    pub fn count(&mut self, landed: Landed) {
        if let Some(run) = &mut self.run {
            run.received += landed.written + landed.unchanged;
            run.written += landed.written;
            run.unchanged += landed.unchanged;
            run.deleted += landed.deleted;
        }
    }
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The run.
    pub run_id: String,
    /// The query that is being read.
    pub soql: String,
    /// Whether it asks for deleted rows too.
    pub all: bool,
    /// Whether its rows replace all that was there.
    pub whole: bool,
    /// The org's clock before the query was sent: the next watermark.
    pub asked_at: UnixSeconds,
    /// The Bulk job that holds the result, where there is one.
    pub bulk: Option<BulkProgress>,
    /// Rows received so far.
    pub received: u64,
    /// Rows written so far.
    pub written: u64,
    /// Rows that were there already.
    pub unchanged: u64,
    /// Of the written ones, those that are deleted.
    pub deleted: u64,
}

impl Progress {
    /// A run that has received nothing yet.
    pub(super) fn new(run_id: &str, soql: &str, all: bool, whole: bool, asked_at: UnixSeconds) -> Self {
        Self {
            run_id: run_id.to_string(),
            soql: soql.to_string(),
            all,
            whole,
            asked_at,
            bulk: None,
            received: 0,
            written: 0,
            unchanged: 0,
            deleted: 0,
        }
    }
}

/// Where in a Bulk job's result the next page begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkProgress {
    /// The job, as it was when it was made.
    pub job: QueryJob,
    /// The next page's locator; none before the first page.
    pub locator: Option<String>,
    /// Pages that are safely written.
    pub pages: u64,
    /// Whether the last page is among them.
    pub ended: bool,
}

impl Checkpoint {
    /// The checkpoint of a job that has written nothing.
    pub(super) fn blank(job: &Job) -> Self {
        Self {
            job: job.name.to_string(),
            object: job.source.object_name().to_string(),
            org_id: String::new(),
            epoch: 0,
            watermark: None,
            generation: 0,
            columns: Vec::new(),
            reconciled_at: None,
            refreshed_at: None,
            verified_at: None,
            run: None,
        }
    }
}

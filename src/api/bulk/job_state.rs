use std::fmt;

use serde::{Deserialize, Serialize};

/// How a Bulk job stands.
///
/// The states do not only go forward: a query job has been seen to go from `InProgress` back to `UploadComplete`.
/// Only three of them last: [`is_final`](Self::is_final).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// An ingest job waits for its data.
    Open,
    /// The org has all it needs, and has not begun.
    UploadComplete,
    /// The org works on it.
    InProgress,
    /// Done. Of an ingest job it does not say that every row was taken.
    JobComplete,
    /// The org gave it up.
    Failed,
    /// Somebody gave it up.
    Aborted,
    /// A state that this release does not know; taken for one that passes.
    #[serde(other)]
    Unknown,
}

impl JobState {
    /// Whether it stays so.
    pub fn is_final(self) -> bool {
        matches!(self, JobState::JobComplete | JobState::Failed | JobState::Aborted)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

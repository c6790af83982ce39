use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum JobState {
    /// An ingest job that still takes its data.
    Open,
    /// Everything was handed in; nothing is done yet.
    UploadComplete,
    /// Being worked on.
    InProgress,
    /// Done.
    JobComplete,
    /// Ended by the org.
    Failed,
    /// Ended by somebody.
    Aborted,
}

impl JobState {
    /// Whether nothing changes any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, JobState::JobComplete | JobState::Failed | JobState::Aborted)
    }

    /// The name, as the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Open => "Open",
            JobState::UploadComplete => "UploadComplete",
            JobState::InProgress => "InProgress",
            JobState::JobComplete => "JobComplete",
            JobState::Failed => "Failed",
            JobState::Aborted => "Aborted",
        }
    }
}

/// A job as the admin API shows it.
#[derive(Clone, Debug, Serialize)]
pub struct JobInfo {
    /// The job's id.
    pub id: String,
    /// `query`, `queryAll`, or the operation of an ingest job.
    pub operation: String,
    /// The object.
    pub object: String,
    /// Where it stands.
    pub state: JobState,
    /// Rows it answers with, or rows it was given.
    pub rows: u64,
    /// Whose job.
    pub username: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_spelt_alike_everywhere() {
        for state in [JobState::Open, JobState::UploadComplete, JobState::JobComplete, JobState::Aborted] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}

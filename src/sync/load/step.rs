use crate::api::bulk::JobState;

use super::Stage;

/// How a batch's job stands in the org.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stood {
    /// As the org says.
    At(JobState),
    /// The org does not know it any more.
    Gone,
}

/// What is to be done next for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a job and give it the data.
    Make,
    /// Abort the job, which has written nothing, then make another.
    Remake,
    /// Close the job.
    Close,
    /// Wait until the job ends.
    Wait,
    /// Nothing: it has ended.
    Read,
    /// Nobody can say what became of its rows.
    Doubt,
}

impl Step {
    /// Decides from what this side knows and how the job stands. A row is sent again only where the job that had it was
    /// never closed, since only closing begins the writing.
    ///
    /// | known   | the job is open | at work, or unknown | complete, failed | aborted                        | gone  |
    /// |---------|-----------------|---------------------|------------------|--------------------------------|-------|
    /// | planned | make            | make                | make             | make                           | make  |
    /// | made    | remake          | wait                | read             | make: it was never closed      | make: the same |
    /// | stored  | close           | wait                | read             | read: perhaps after it began   | doubt |
    /// | ended   | read            | read                | read             | read                           | doubt |
    pub fn after(stage: Stage, stood: Stood) -> Self {
        use JobState::{Aborted, Failed, InProgress, JobComplete, Open, Unknown, UploadComplete};
        match (stage, stood) {
            (Stage::Planned, _) => Step::Make,
            (Stage::Made, Stood::Gone | Stood::At(Aborted)) => Step::Make,
            (Stage::Made, Stood::At(Open)) => Step::Remake,
            (Stage::Stored, Stood::At(Open)) => Step::Close,
            (Stage::Stored | Stage::Ended, Stood::Gone) => Step::Doubt,
            (Stage::Made | Stage::Stored, Stood::At(UploadComplete | InProgress | Unknown)) => Step::Wait,
            (Stage::Made, Stood::At(JobComplete | Failed)) => Step::Read,
            (Stage::Stored, Stood::At(JobComplete | Failed | Aborted)) => Step::Read,
            (Stage::Ended, Stood::At(_)) => Step::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sent_again_only_where_the_job_that_had_them_was_never_closed() {
        use JobState::{Aborted, Failed, InProgress, JobComplete, Open, UploadComplete};
        let all = [Open, UploadComplete, InProgress, JobComplete, Failed, Aborted];
        let sends = |step| matches!(step, Step::Make | Step::Remake);
        for state in all {
            let of = |stage| Step::after(stage, Stood::At(state));
            assert_eq!(of(Stage::Planned), Step::Make);
            assert_eq!(sends(of(Stage::Made)), matches!(state, Open | Aborted), "{state}");
            assert!(!sends(of(Stage::Stored)) && !sends(of(Stage::Ended)), "{state}");
        }
        assert_eq!(Step::after(Stage::Stored, Stood::At(Open)), Step::Close);
        assert_eq!(Step::after(Stage::Made, Stood::Gone), Step::Make);
        assert_eq!(Step::after(Stage::Stored, Stood::Gone), Step::Doubt);
        assert_eq!(Step::after(Stage::Ended, Stood::Gone), Step::Doubt);
    }
}

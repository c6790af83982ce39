//! A sync job, parsed: what is read, how far, where it lands, and what is done about what is missing.

mod destination;
mod due;
mod schedule;
#[cfg(test)]
mod schedule_tests;
mod soql;
mod source;
mod words;

use std::time::Duration;

pub use destination::DestinationPlace;
pub use due::{Due, LATEST_WITHOUT_CATCH_UP, MOST_MISSED};
pub use schedule::{CatchUp, SCHEDULE_WORDS, Schedule, ScheduleMistake};
pub use soql::{SelectedColumn, Soql, SoqlMistake};
pub use source::Source;
pub use words::{Deletes, Mode, Nul, SchemaPolicy, Transport};

use super::{ConnectionName, JobName};

/// One job as it was configured. Made by `Settings`; nothing below ever sees the text it came from.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the user calls it.
    pub name: JobName,
    /// Whose data it reads.
    pub connection: ConnectionName,
    /// What it reads.
    pub source: Source,
    /// Whether it reads what changed, or everything.
    pub mode: Mode,
    /// When it runs by itself.
    pub schedule: Option<Schedule>,
    /// Where the rows land.
    pub destination: DestinationPlace,
    /// How long before the watermark a window starts: transactions that began before it may commit after it.
    pub overlap: Duration,
    /// How long ago a row must have changed to be in the window; zero sets no upper bound.
    pub settle: Duration,
    /// What becomes of rows that were deleted.
    pub deletes: Deletes,
    /// When the Ids of org and destination are compared, so that hard deletes are found.
    pub reconcile: Option<Schedule>,
    /// When a run ends in `sync verify`.
    pub verify: Option<Schedule>,
    /// When an incremental job reads everything once, because formula fields change without a stamp.
    pub full_refresh: Option<Schedule>,
    /// The share of rows that may be gone at once before that is doubted. Percent.
    pub max_delete_percent: u8,
    /// What a changed set of fields does.
    pub on_schema_change: SchemaPolicy,
    /// Which API rows come by.
    pub transport: Transport,
    /// The share of the org's daily calls at which a run stops by itself. Percent.
    pub api_budget_percent: u8,
    /// What becomes of NUL characters.
    pub nul: Nul,
}

impl Job {
    /// A job with every default of the format.
    pub fn new(
        name: JobName,
        connection: ConnectionName,
        source: Source,
        destination: DestinationPlace,
    ) -> Self {
        Self {
            name,
            connection,
            source,
            mode: Mode::Incremental,
            schedule: None,
            destination,
            overlap: Duration::from_secs(900),
            settle: Duration::ZERO,
            deletes: Deletes::Mark,
            reconcile: Some(Schedule::weekly()),
            verify: None,
            full_refresh: None,
            max_delete_percent: 5,
            on_schema_change: SchemaPolicy::Evolve,
            transport: Transport::Auto,
            api_budget_percent: 80,
            nul: Nul::Replace,
        }
    }
}

//! Bulk API 2.0 below `/services/data/vXX.0/jobs`: query jobs, their pages, and the lies an org may be told to tell about them.
//!
//! A job is a query over the rows as they were when it was made; its pages are written while they are sent, so that ten
//! million rows cost no memory. Start at [`query()`]; rows and queries come from `soql`, the switches stand in [`BulkRules`].

mod create;
mod dialect;
mod gzip;
mod lies;
mod list;
mod locator;
mod page_text;
mod prerendered;
mod query;
mod query_job;
mod result_pages;
mod results;
mod rules;
mod state;

pub use lies::{Lie, LieKind};
pub use rules::BulkRules;
pub use state::{JobInfo, JobState};

pub(super) use create::jobs_today;
pub(super) use dialect::quote;
pub(super) use prerendered::Prerendered;
pub(super) use query::query;
pub(super) use query_job::QueryJob;

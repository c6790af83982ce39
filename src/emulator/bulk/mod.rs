//! Bulk API 2.0 below `/services/data/vXX.0/jobs`: query jobs and ingest jobs, and the lies an org may be told to tell.
//!
//! A job is a query over the rows as they were when it was made; its pages are written while they are sent, so that ten
//! million rows cost no memory. Start at [`query()`] and
//! [`ingest()`]; rows and queries come from `soql`, the switches stand in [`BulkRules`].

mod create;
mod csv_reader;
mod dialect;
mod gzip;
mod ingest;
mod ingest_create;
mod ingest_job;
mod ingest_results;
mod lies;
mod list;
mod locator;
mod page_text;
mod prerendered;
mod process;
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
pub(super) use ingest::ingest;
pub(super) use ingest_job::IngestJob;
pub(super) use prerendered::Prerendered;
pub(super) use process::process;
pub(super) use query::query;
pub(super) use query_job::QueryJob;

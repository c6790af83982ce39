//! Bulk API 2.0: jobs that the org works on by itself, their rows as CSV.
//!
//! This module speaks of one job at a time and holds no rows: what a page's body means, whether all rows came and
//! what is done after a fault is for `sync` and `cli` to say. Start at [`query`], which reads, or at [`ingest`],
//! which writes; [`RowScan`] counts the rows of either.

pub mod ingest;
mod job;
mod job_id;
mod job_state;
mod poll;
pub mod query;
mod refused;
mod row_scan;

pub use job_id::JobId;
pub use job_state::JobState;
pub use poll::Poll;
pub use refused::{Reason, refused_by_bulk};
pub use row_scan::RowScan;

//! Writing by Bulk: a job takes one file of CSV, and says of each row what became of it.
//!
//! A job changes nothing before it is closed, so a job whose upload is in doubt is aborted and made anew: no row is
//! ever sent twice. How a file is cut into jobs is for `sync` to say. Start at [`create`], then [`upload()`],
//! [`IngestJob::close`], [`IngestJob::wait`], [`results()`].

mod dialect;
mod ingest_job;
mod ingest_request;
mod results;
#[cfg(test)]
mod tests;
mod upload;

pub use dialect::{ColumnDelimiter, LineEnding};
pub use ingest_job::{IngestJob, abort, create, delete, list_own};
pub use ingest_request::{IngestOperation, IngestRequest};
pub use results::{ResultKind, results};
pub use upload::{MOST_UPLOAD, Uploaded, upload};

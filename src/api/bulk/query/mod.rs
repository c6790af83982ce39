//! Reading by Bulk: a query becomes a job, its result pages of CSV.
//!
//! A page's body is the org's CSV as it comes, its header line first; nothing here reads it. Start at [`create`], then
//! [`QueryJob::wait`], [`page()`] or [`Pages`].

mod ahead;
mod list;
mod page;
mod pages;
mod query_job;
#[cfg(test)]
mod tests;

pub use ahead::{Ahead, AheadPage, result_pages};
pub use list::list_own;
pub use page::{Locator, MOST_PAGE, NextPage, ResultPage, page};
pub use pages::Pages;
pub use query_job::{Operation, QueryJob, abort, create, delete};

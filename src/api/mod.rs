//! Salesforce over HTTP: one client that puts the token on, and answers a dead session by one new one.
//!
//! This room mints nothing (`token` does) and judges no setup (`health` does); it never sends a token to an
//! address that [`InstanceUrl::at`](crate::base::InstanceUrl::at) did not make. Start at [`Client`], then
//! [`rest`] for small things and [`bulk`] for large ones.

mod api_error;
mod body;
pub mod bulk;
mod client;
mod exchange;
pub mod identity;
pub mod metadata;
mod page;
mod refusal;
mod request;
mod response;
pub mod rest;
mod streaming;
mod upload;
mod usage;
mod verdict;
mod version;

#[cfg(test)]
mod client_tests;
#[cfg(test)]
pub(crate) mod test_org;

pub use api_error::ApiError;
pub use body::{IDLE_TIMEOUT, MOST_ANSWER, MOST_REFUSAL, SLOWEST};
pub use client::{Client, LONGEST_PAUSES};
pub use refusal::refusals;
pub use request::{ANSWER_TIMEOUT, Request};
pub use response::Response;
pub use streaming::Streaming;
pub use upload::{FileRange, Pieces, Upload};
pub use usage::{AppUsage, Usage};
pub use version::{Chosen, choose};

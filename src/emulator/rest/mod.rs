//! What lies below `/services/data`: versions, limits, describe, records and queries, for those with a live session.
//!
//! The token endpoint is not here. Start at [`answer()`].

mod answer;
mod batch;
mod columns;
mod composite;
mod describe;
mod limits;
pub(super) mod locator;
pub(super) mod query;
mod record;
mod replication;
mod reply;
mod session;
mod versions;

pub(super) use answer::{RestRequest, answer};
pub(super) use reply::Reply;
pub(super) use session::{Caller, admit, bearer};

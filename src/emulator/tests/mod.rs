//! The org judged from outside, over HTTP, with assertions signed by a library that is not its own.

mod admin_api;
mod bulk;
mod bulk_lies;
mod data;
mod faults;
mod forgeries;
mod harness;
mod identity;
mod ingest;
mod records;
mod refusals;
mod rules;
mod sees;
mod sessions;
mod setup;

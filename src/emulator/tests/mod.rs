//! The org judged from outside, over HTTP, with assertions signed by a library that is not its own.

mod admin_api;
mod data;
mod faults;
mod forgeries;
mod harness;
mod identity;
mod refusals;
mod rules;
mod sessions;
mod setup;

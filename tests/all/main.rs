//! What sfmint promises, from outside: the program as people run it, the library as programs use it, both against
//! the built-in org, and all that they leave behind searched for secrets.

#![allow(clippy::unwrap_used)]

mod breaker;
mod bulk;
mod calls;
mod child;
mod exec;
mod house;
mod instance_urls;
mod keeping;
mod log;
mod minting;
mod network;
mod org;
mod places;
mod processes;
mod relay;
mod secrets;
mod stories;
mod sweeps;
mod sync_history;
mod sync_run;
mod syncing;
mod transcripts;

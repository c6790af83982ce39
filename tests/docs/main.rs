//! What the documentation says, held against what the program does.
//!
//! Pages made by code are current, every command in a page is one that the parser takes, every code and log field
//! has its entry, every link leads somewhere. Whether the prose is true, no test here can tell.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod cli_reference;
mod commands;
mod error_codes;
mod examples;
mod generated;
mod library;
mod links;
mod log_fields;
mod pages;
mod refusals;
mod rust_source;

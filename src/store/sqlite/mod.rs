//! The embedded store: one SQLite database in the state directory, shared by all processes of one user.
//!
//! Knows nothing of tokens and nothing of commands; the tables are described in docs/reference/store.md,
//! the choices in docs/decisions/0005-store.md. Start at [`SqliteStore`], then `opening` for what happens
//! before the first row and `link` for what happens when a file turns out damaged.

mod connect;
mod creation;
mod damage;
mod file_system;
mod jobs;
mod leases;
mod link;
mod mints;
mod opening;
mod ownership;
mod place;
mod report;
mod runs;
mod schema;
mod store;
mod trouble;

#[cfg(test)]
mod tests;

pub(super) use opening::{migrate, rebuild};
pub use store::SqliteStore;

//! Facts that outlive the process: which mints and runs happened and how they ended, how far each job has come, and who holds
//! which lease.
//!
//! This room decides nothing about tokens and never holds one: tokens have their own cache, and no row
//! here has a place for a token, an assertion or a key. Start at [`Store`], then at [`open()`], the one
//! door through which the command line comes in.

mod error;
mod info;
mod interface;
mod job_memory;
mod lazy;
mod lease;
mod memory;
mod mint_row;
mod open;
mod rfc3339;
mod run_row;
mod schema_report;
mod screen;
#[cfg(feature = "sqlite")]
mod sqlite;
mod user_facts;
mod word;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod conformance_runs;

pub use error::StoreError;
pub use info::{Integrity, Pruned, StoreInfo, StoreKind, TableInfo};
pub use interface::{Fact, Store};
pub use job_memory::{Baseline, BaselineField, CheckpointCopy};
pub use lazy::LazyStore;
pub use lease::{Acquired, Held, Holder, Lease, LeaseRequest};
pub use memory::MemoryStore;
pub use mint_row::{MintOutcome, MintQuery, MintReason, MintRow};
pub use open::{Location, Migrated, Opened, Rebuilt, migrate, open, open_or_memory, open_strict, rebuild};
pub use run_row::{
    RunError, RunKind, RunOutcome, RunQuery, RunRow, RunRows, RunTransport, RunWindow, job_lease, last_served,
};
pub use schema_report::{SchemaReport, TypeChange};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use user_facts::UserFacts;

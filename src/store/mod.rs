//! Facts that outlive the process: which mints happened and how they ended, and who holds which lease.
//!
//! This room decides nothing about tokens and never holds one: tokens have their own cache, and no row
//! here has a place for a token, an assertion or a key. Start at [`Store`], then at [`open()`], the one
//! door through which the command line comes in.

mod error;
mod info;
mod interface;
mod lazy;
mod lease;
mod memory;
mod mint_row;
mod open;
mod screen;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(test)]
mod conformance;

pub use error::StoreError;
pub use info::{Integrity, Pruned, StoreInfo, StoreKind, TableInfo};
pub use interface::{Fact, Store};
pub use lazy::LazyStore;
pub use lease::{Acquired, Held, Holder, Lease, LeaseRequest};
pub use memory::MemoryStore;
pub use mint_row::{MintOutcome, MintQuery, MintReason, MintRow};
pub use open::{Location, Migrated, Opened, Rebuilt, migrate, open, open_or_memory, open_strict, rebuild};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

//! Syncs that can be proven complete: a job becomes a plan, the plan's rows land in a destination, and the counts agree.
//!
//! This room mints nothing (`token` does) and speaks no HTTP of its own (`api` does). Start at [`Checkpoint`], which says how
//! far the data goes, then [`destination::Destination`], which keeps it together with the rows.

mod checkpoint;
mod column;
pub mod csv;
pub mod destination;
mod json;
mod rows;

pub use checkpoint::{BulkProgress, Checkpoint, Progress};
pub use column::{Column, ColumnKind};
pub use rows::Rows;

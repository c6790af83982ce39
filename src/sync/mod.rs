//! Syncs that can be proven complete: a job becomes a plan, the plan's rows land in a destination, and the counts agree.
//!
//! This room mints nothing (`token` does) and speaks no HTTP of its own (`api` does). Start at [`run()`], which walks the whole
//! way; [`plan()`] decides what a run does, [`destination::Destination`] keeps rows and [`Checkpoint`] together.

mod ask;
mod attempt;
mod budget;
mod checkpoint;
mod column;
mod compare;
mod completeness;
pub mod csv;
mod deletes;
pub mod destination;
mod error;
mod extract;
mod guard;
mod ids;
mod json;
mod lander;
pub mod load;
mod page;
mod plan;
mod pull;
mod reading;
mod report;
mod rows;
mod run;
mod schema;
mod scratch;
mod selection;
mod soql;
mod user_facts;
mod window;
mod world;

pub use budget::Spent;
pub use checkpoint::{BulkProgress, Checkpoint, Progress};
pub use column::{Column, ColumnKind};
pub use completeness::{Counts, Doubt};
pub use error::SyncError;
pub use guard::MassDelete;
pub use ids::IdQuery;
pub use plan::{Given, Kind, Plan, Wish, plan};
pub use report::{Difference, Planned, RunReport, Verified};
pub use rows::Rows;
pub use run::{look, reset, run, verify};
pub use window::Window;
pub use world::{Step, World};

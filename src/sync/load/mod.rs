//! Pushing a file into an org: cut into Bulk jobs, each sent once, and each row told what became of it.
//!
//! What the rows mean is the org's to judge; nothing here changes a value that the org can take as it stands. Start at
//! [`run`], and at [`Step::after`] for why a row is never sent twice.

mod batch;
mod cut;
mod journal;
mod load_error;
mod outcome;
mod perform;
mod prepare;
mod step;
#[cfg(test)]
mod tests;
mod whole;

pub use batch::{Batch, Stage};
pub use cut::{Cut, cut};
pub use load_error::LoadError;
pub use outcome::Outcome;
pub use perform::{Load, run};
pub use prepare::FileFormat;
pub use step::{Step, Stood};

//! The one text that rows travel in: pages are cut into whole rows, and rows into cells.
//!
//! This knows the dialect that Bulk API 2.0 answers with and no other, holds no page whole, and decides nothing about values.
//! Start at [`RowCutter`], which takes the chunks of a page; destinations read its rows with a [`RowReader`].

mod cells;
mod clean;
mod cutter;
mod error;

pub use cells::{Cell, Misfit, RowReader};
pub use clean::{Cleaner, Unclean};
pub use cutter::{LONGEST_ROW, RowCutter};
pub use error::PageError;

#[cfg(test)]
mod tests;

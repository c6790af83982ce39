//! What all destinations have in common: one suite for each of them, and what only processes and disks can show.

pub(super) mod conformance;
mod faults;
mod lines;
mod model;

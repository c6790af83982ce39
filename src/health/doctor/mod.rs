//! The ladder from the configuration to the API: what lies on this machine, then what lies over there.

mod here;
mod ladder;
mod reach;
mod there;
mod who;

pub use ladder::doctor;
pub use reach::REACH_TIMEOUT;

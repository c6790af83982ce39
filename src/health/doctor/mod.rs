mod ladder;
mod reach;
mod who;

pub use ladder::doctor;
pub use reach::REACH_TIMEOUT;

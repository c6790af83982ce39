//! The client against an org that answers, byte for byte, what a test wants.

mod answers;
mod faults;
mod identity;
mod queries;
mod sessions;
mod streams;

const LIMITS: &str = "/services/data/v67.0/limits";

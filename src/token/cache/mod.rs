//! What is kept of a connection between mints, and shared by all processes of one user.
//!
//! A cache is never the truth: what cannot be read is set aside and minted anew. It decides nothing; see
//! [`TokenSource`](super::TokenSource) for that. Start at [`Record`].

mod count;
mod file;
mod record;

pub use count::MintCounter;
pub(super) use file::lock_pause;
pub use file::{CacheError, FileCache, Guard, token_folder};
pub use record::{Kept, Record, Refused, Rejected};

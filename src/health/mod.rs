//! How a connection stands, and what to change where it does not.
//!
//! This room asks and judges; it changes nothing, in the org or here. What an error means is told by
//! [`token::diagnosis`](crate::token::diagnosis). Start at [`doctor()`], then [`org()`] and [`status()`].

pub mod age;
mod doctor;
mod examine;
mod org;
mod place;
mod probe;
mod status;

#[cfg(test)]
mod doctor_tests;
#[cfg(test)]
#[cfg(feature = "testing")]
mod emulator_tests;
#[cfg(test)]
mod test_words;

pub use doctor::{REACH_TIMEOUT, doctor};
pub use examine::{Report, Say};
pub use org::{About, org};
pub use place::place;
pub use probe::{Pair, Probed, grid, probe};
pub use status::{CertificateStatus, ConnectionStatus, MintStatus, TokenStatus, status};

//! The signed JWT that is exchanged for a token: RFC 7523's assertion, RS256 and nothing else.
//!
//! This room does not know what an assertion is sent to (`token` does) and reads no key itself (`crypto` does).
//! Start at [`Signer`]; [`open`] makes the one that a credential asks for.

mod jwt;
mod local_key;
#[cfg(test)]
mod memory_tests;
mod reload;
mod signer;
#[cfg(test)]
mod tests;

pub use jwt::assertion;
pub use local_key::LocalKey;
pub use signer::{CertificateFacts, SignError, Signer, open};

//! Salesforce access tokens from a certificate, for work that runs with nobody watching.
//!
//! sfmint signs a short assertion with a certificate's key and exchanges it for an access token
//! whenever one is needed, so that no refresh token is left to expire, to be rotated away by a
//! second worker, or to die unused. The house has rooms on floors, and each imports only from
//! below: start at [`base`] for the words, and read `docs/architecture.md` for the walk.

pub mod api;
pub mod assertion;
pub mod base;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod crypto;
#[cfg(feature = "testing")]
pub mod emulator;
pub mod store;
pub mod token;

pub use assertion::Signer;
pub use base::{AccessToken, Connection, Fault};
pub use config::{ConfigError, Settings};
pub use token::{MintError, Minter, TokenSource};

//! Salesforce access tokens from a certificate, for work that runs with nobody watching.
//!
//! sfmint signs a short assertion with a certificate's key and exchanges it for an access token
//! whenever one is needed, so that no refresh token is left to expire, to be rotated away by a
//! second worker, or to die unused. The house has rooms on floors, and each imports only from
//! below: start at [`base`] for the words, and read `docs/architecture.md` for the walk.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let connection = sfmint::Connection::from_env()?; // or Settings::load(path)?.connection("prod")?
//! let tokens = sfmint::TokenSource::new(connection)?; // Clone, Send, Sync; one mint for all clones
//! let token = tokens.token().await?; // sfmint::MintError knows its Fault
//! println!("{} until {:?}", token.instance_url, token.expires_at);
//!
//! let client = sfmint::Client::new(tokens); // mints once more on a dead session
//! let limits: serde_json::Value = client.get("/services/data/v67.0/limits").await?;
//! println!("{}", limits["DailyApiRequests"]["Remaining"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! The minting core needs none: `default-features = false`. `cli` (default) is the command line; `sqlite` the embedded
//! history; `sync` the scheduled syncs; `testing` the built-in org, `sfmint::emulator`.

pub mod api;
pub mod assertion;
pub mod base;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod crypto;
#[cfg(feature = "testing")]
pub mod emulator;
pub mod health;
pub mod store;
#[cfg(feature = "sync")]
pub mod sync;
pub mod token;

pub use api::{ApiError, Client};
pub use assertion::Signer;
pub use base::{AccessToken, Connection, Explain, Fault};
pub use config::{ConfigError, Settings};
pub use token::{MintError, Minter, TokenSource};

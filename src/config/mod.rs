//! Text becomes words: files, environment and flags in, [`Settings`], parsed connections and jobs out.
//!
//! This room opens no network, resolves no secret and reads no key; it says where they are, and says every
//! mistake at once, with its line. Start at [`Settings::from_layers`], or at `keys.rs` for the table of what
//! may be written, from which validation, schema and reference page are made.

mod apps;
mod at;
mod check;
mod connection_environment;
mod document;
mod draft;
mod environment;
mod error;
mod explain;
mod file;
mod found_here;
#[cfg(feature = "sync")]
mod jobs;
mod keys;
mod kind;
mod later;
mod locations;
mod looks_secret;
mod mistake;
mod nearest;
mod origin;
mod reader;
mod reference;
mod resolve;
mod schema;
mod search;
mod secret_value;
mod settings;
mod show;
mod state_dir;
mod store_location;
mod tidy;
mod understand;
mod variables;

#[cfg(test)]
mod tests;

pub use environment::Environment;
pub use error::ConfigError;
pub use locations::Flags;
pub use mistake::Mistake;
pub use origin::Origin;
pub use reference::{environment_reference, reference};
pub use schema::schema;
pub use settings::Settings;
pub use show::Shown;
pub use store_location::StoreLocation;
pub use variables::{Variable, variables};

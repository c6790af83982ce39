//! The built-in org: a small, strict Salesforce on loopback, for `sfmint demo` and for tests of programs that use this library.
//!
//! It is an independent judge: it verifies assertions with the `rsa` crate and its own reading of the JWS, shares no
//! code with the rooms it judges, and refuses for reasons found in its state. It is no test of Salesforce itself, and
//! where real behaviour is not known it says so in [`Facts`]. Start at [`Org::start`].

mod access_jwt;
mod admin;
mod admin_bulk;
mod admin_fields;
mod admin_http;
mod admin_http_records;
mod admin_records;
mod answer;
mod app;
mod base64url;
mod bulk;
mod clock;
mod config;
mod connection;
mod content;
mod gzip_bomb;
mod host;
mod identity;
mod ids;
mod injection;
mod ip;
mod judge;
mod log;
mod mint;
mod moments;
mod payload;
mod permission;
mod records;
mod refusal;
mod request;
mod respond;
mod rest;
mod revoke;
mod rules;
mod server;
mod session;
mod setup_rows;
mod soql;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod token_endpoint;
mod user;
mod verify;
mod why;

pub use admin::Admin;
pub use app::{AppConfig, AppKind, PermittedUsers};
pub use bulk::{BulkRules, JobInfo, JobState, Lie, LieKind};
pub use config::{
    ConfigError, DEMO_ADMIN_USERNAME, DEMO_CONNECTED_APP_KEY, DEMO_CONSUMER_KEY, DEMO_USERNAME, OrgConfig,
};
pub use injection::{Effect, Injection, TokenTwist};
pub use ip::IpRange;
pub use log::{Counters, LogEntry, LoginRow};
pub use permission::Grants;
pub use records::{Deed, FieldConfig, Mutated, Mutation, RecordsConfig, Stamp, Which};
pub use rules::{Facts, Rules};
pub use server::Org;
pub use session::SessionInfo;
pub use state::AdminMistake;
pub use user::{LoginHours, UserConfig};
pub use verify::CertificateMistake;
pub use why::Why;

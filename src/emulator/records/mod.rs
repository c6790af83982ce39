//! Business records made from their row number: the same rows in every run, at no cost in memory.
//!
//! Content is nasty on purpose. Start at [`RecordsConfig`]; `accounts` and `contacts` say what a row holds.

mod accounts;
mod attachments;
mod contacts;
mod dml;
mod mutation;
mod nasty;
mod object;
mod overlay;
mod row_error;
mod schema;
mod series;
mod unique;
mod values;
mod views;

use serde::{Deserialize, Serialize};

pub(super) use accounts::Accounts;
pub(super) use attachments::Attachments;
pub(super) use contacts::Contacts;
pub(super) use dml::{Dml, Given, RowDeed};
pub(super) use mutation::change;
pub use mutation::{Deed, Mutated, Mutation, Stamp, Which};
pub(super) use object::{ObjectView, Viewpoint};
pub(super) use overlay::Overlay;
pub(super) use row_error::RowError;
pub use schema::FieldConfig;
pub(super) use schema::{Schema, kind_named, lasting};
pub(super) use values::from_json;
pub(super) use views::{Records, view};

/// How many rows there are, and when they were changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordsConfig {
    /// Accounts that are not deleted. For 49 of them there is one deleted.
    pub accounts: u64,
    /// Contacts that are not deleted. For 49 of them there is one deleted.
    pub contacts: u64,
    /// Makes other content from the same row numbers.
    pub seed: u64,
    /// `SystemModstamp` of the first rows, RFC 3339.
    pub since: String,
    /// Days between the first and the last `SystemModstamp`.
    pub span_days: u32,
    /// Rows belong to the first so many users of the org in turn.
    pub owners: u64,
}

impl Default for RecordsConfig {
    fn default() -> Self {
        Self {
            accounts: 1000,
            contacts: 500,
            seed: 1,
            since: "2025-01-01T00:00:00Z".into(),
            span_days: 365,
            owners: 1,
        }
    }
}

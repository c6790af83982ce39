use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;

use super::dialect::Dialect;

/// What makes one page equal to another: the query, whom it shows what, the rows' version, and the part of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageKey {
    pub query: String,
    pub all_rows: bool,
    pub username: String,
    pub version: u64,
    pub dialect: Dialect,
    pub given: u64,
    pub rows: u64,
    pub packed: bool,
}

/// Pages that were written once and are kept, for measurements.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Prerendered(Mutex<HashMap<PageKey, Bytes>>);

impl Prerendered {
    /// The page, written now if it is not here yet.
    pub(super) fn page(&self, key: PageKey, write: impl FnOnce() -> Vec<u8>) -> Bytes {
        let pages = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = pages().get(&key) {
            return bytes.clone();
        }
        let bytes = Bytes::from(write());
        pages().insert(key, bytes.clone());
        bytes
    }
}

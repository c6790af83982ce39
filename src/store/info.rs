use std::path::PathBuf;

use serde::Serialize;

use crate::base::UnixSeconds;

/// What a store is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreKind {
    /// Lives as long as the process.
    Memory,
    /// A file of its own.
    Sqlite,
}

/// Whether everything in a store can be read and agrees with itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "found")]
pub enum Integrity {
    /// Every page was read; nothing is amiss.
    Sound,
    /// What is amiss, one finding a line.
    Damaged(Vec<String>),
}

/// One table and how many rows it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableInfo {
    /// The table's name, as in docs/reference/store.md.
    pub name: &'static str,
    /// Its rows.
    pub rows: u64,
}

/// What a store holds and how it stands: the answer of `sfmint store info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreInfo {
    /// What it is made of.
    pub kind: StoreKind,
    /// Where it is, if it is anywhere.
    pub path: Option<PathBuf>,
    /// Version of its schema.
    pub schema_version: u32,
    /// `wal`, or `delete` on file systems where several machines may meet; `None` in memory.
    pub journal: Option<String>,
    /// Bytes on disk, write-ahead log included; 0 in memory.
    pub size_bytes: u64,
    /// Its tables, in the order of the reference.
    pub tables: Vec<TableInfo>,
    /// The oldest mint or run it knows.
    pub oldest: Option<UnixSeconds>,
    /// The newest mint or run it knows.
    pub newest: Option<UnixSeconds>,
    /// Whether all of it can be read.
    pub integrity: Integrity,
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Mints.
    pub mints: u64,
    /// Runs.
    pub runs: u64,
}

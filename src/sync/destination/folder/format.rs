use serde::{Deserialize, Serialize};

use crate::base::UnixSeconds;
use crate::sync::json::JsonRow;
use crate::sync::{Column, ColumnKind};

/// How rows stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// CSV, as the org wrote it.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    pub(super) fn ending(self) -> &'static str {
        self.name()
    }

    /// What stands before the rows.
    pub(super) fn header(self, columns: &[Column]) -> Vec<u8> {
        if self == Self::Jsonl {
            return Vec::new();
        }
        let names: Vec<String> =
            columns.iter().map(|column| format!("\"{}\"", column.name.replace('"', "\"\""))).collect();
        format!("{}\n", names.join(",")).into_bytes()
    }

    /// A row of a file of deletes.
    pub(super) fn delete(self, id: &str, at: UnixSeconds) -> Vec<u8> {
        match self {
            Self::Csv => format!("\"{}\",\"{at}\"\n", id.replace('"', "\"\"")).into_bytes(),
            Self::Jsonl => JsonRow::deleted(id, at),
        }
    }

    /// The columns of a file of deletes.
    pub(super) fn delete_columns() -> Vec<Column> {
        vec![Column::new("Id", ColumnKind::Id), Column::new("_sfmint_deleted_at", ColumnKind::DateTime)]
    }
}

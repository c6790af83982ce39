use std::fmt;

use serde::{Deserialize, Serialize};

/// One column of what a job reads: a field, or a parent's field by its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name as the org writes it: `Name`, `Owner.Name`.
    pub name: String,
    /// What its values are.
    #[serde(flatten)]
    pub kind: ColumnKind,
}

impl Column {
    /// A column from its parts.
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// What a column's values are; what `describe` says of the field, as far as a destination can tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ColumnKind {
    /// An Id or a reference: 18 characters.
    Id,
    /// Text of any kind, picklists and encrypted text included.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A decimal number: double, currency, percent.
    Decimal {
        /// Digits in all.
        precision: u16,
        /// Digits behind the point.
        scale: u16,
    },
    /// `2026-01-02`.
    Date,
    /// `2026-01-02T03:04:05.000Z`.
    DateTime,
    /// `03:04:05.000Z`.
    Time,
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str("id"),
            Self::Text => f.write_str("text"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Date => f.write_str("date"),
            Self::DateTime => f.write_str("datetime"),
            Self::Time => f.write_str("time"),
        }
    }
}

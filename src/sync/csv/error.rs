use crate::base::{Explain, Fault, Hint};

/// Why a page's text cannot be cut into rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The header line names other columns than were asked for, or in another order.
    #[error("column {column} of a page is {found}, and {expected} was asked for")]
    Columns {
        /// The first column that differs, from 1.
        column: usize,
        /// Its name in the page, in backticks, or `missing`.
        found: String,
        /// Its name in the query, in backticks, or `nothing`.
        expected: String,
    },
    /// The page ends inside a row.
    #[error("a page ends inside row {row}")]
    CutShort {
        /// The row's number in the page, from 1.
        row: u64,
    },
    /// A row longer than any that Salesforce has.
    #[error("row {row} of a page is longer than {limit} bytes")]
    RowTooLong {
        /// The row's number in the page, from 1.
        row: u64,
        /// The limit. Bytes.
        limit: usize,
    },
}

impl Explain for PageError {
    fn fault(&self) -> Fault {
        match self {
            Self::CutShort { .. } => Fault::Transient,
            Self::Columns { .. } | Self::RowTooLong { .. } => Fault::Data,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Columns { .. } => "page.columns",
            Self::CutShort { .. } => "page.cut_short",
            Self::RowTooLong { .. } => "page.row_too_long",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let hint = match self {
            Self::Columns { .. } => {
                "run the job again: it asks `describe` anew; if it stays so, name the columns in `fields`"
            }
            Self::CutShort { .. } => "run the job again; nothing of the page was kept",
            Self::RowTooLong { .. } => {
                "leave the long fields out with `exclude`, or read them with a job of their own"
            }
        };
        vec![Hint::new(hint)]
    }
}

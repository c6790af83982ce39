use hyper::body::Bytes;

use super::dialect::Dialect;
use crate::emulator::soql::{Mark, Plan};

/// How much text is written at once, bytes.
const PIECE: usize = 64 * 1024;
/// How many rows are looked up at once.
const ROWS: u64 = 64;

/// One page of results: the header line and its rows, written piece by piece as it is sent.
pub(super) struct PageText {
    plan: Plan,
    columns: Vec<usize>,
    dialect: Dialect,
    at: Mark,
    end: u64,
    /// A row that is left out, counted from 0 over the whole job.
    dropped: Option<u64>,
    has_header: bool,
}

impl PageText {
    pub fn new(plan: Plan, dialect: Dialect, at: Mark, rows: u64) -> Self {
        let columns = plan.columns().to_vec();
        let end = at.given + rows;
        Self { plan, columns, dialect, at, end, dropped: None, has_header: false }
    }

    /// The same with the first two columns changed over.
    pub fn swapped(mut self) -> Self {
        if self.columns.len() > 1 {
            self.columns.swap(0, 1);
        }
        self
    }

    /// The same without one row, counted from 0 over the whole job.
    pub fn without(self, row: u64) -> Self {
        Self { dropped: Some(row), ..self }
    }

    fn write_row(&self, row: u64, out: &mut Vec<u8>) {
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push(self.dialect.delimiter.byte());
            }
            self.plan.table.cell(row, *column).write_csv(out);
        }
        self.dialect.end_line(out);
    }
}

impl Iterator for PageText {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut out = Vec::with_capacity(PIECE + PIECE / 8);
        if !self.has_header {
            self.has_header = true;
            let fields = self.plan.table.fields();
            self.dialect.line(self.columns.iter().map(|column| fields[*column].name), &mut out);
        }
        while out.len() < PIECE && self.at.given < self.end {
            let (rows, next) = self.plan.page(self.at, ROWS.min(self.end - self.at.given));
            if rows.is_empty() {
                break;
            }
            for (row, ordinal) in rows.iter().zip(self.at.given..) {
                if self.dropped != Some(ordinal) {
                    self.write_row(*row, &mut out);
                }
            }
            self.at = next;
        }
        (!out.is_empty()).then(|| out.into())
    }
}

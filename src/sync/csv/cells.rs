use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

/// A row that is no row of its columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}: {why}")]
pub struct Misfit {
    /// Its number among the rows that were given, from 1.
    pub row: u64,
    /// What is wrong with it.
    pub why: String,
}

/// One value, where it stands in its page: without its quotes, and with each quote inside still doubled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    raw: &'a [u8],
    doubled: bool,
}

impl<'a> Cell<'a> {
    /// The value's text; borrowed unless it holds quotes.
    pub fn value(&self) -> Cow<'a, [u8]> {
        if !self.doubled {
            return Cow::Borrowed(self.raw);
        }
        let mut value = Vec::with_capacity(self.raw.len());
        let mut from = 0;
        for at in memmem::find_iter(self.raw, b"\"\"") {
            value.extend_from_slice(&self.raw[from..=at]);
            from = at + 2;
        }
        value.extend_from_slice(&self.raw[from..]);
        Cow::Owned(value)
    }

    /// The value as it stands in the page: each quote twice.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether it holds quotes, so that [`raw`](Self::raw) is not the value.
    pub fn has_quotes(&self) -> bool {
        self.doubled
    }

    /// Whether the org has no value here: null and empty look alike.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }
}

/// Reads rows cell by cell, without copying.
///
/// Every value is expected in quotes, as Bulk API 2.0 writes it; one without is read as well, and CRLF counts as LF.
/// The protocol's reference, "CSV dialect".
#[derive(Clone, Debug)]
pub struct RowReader<'a> {
    text: &'a [u8],
    at: usize,
    columns: usize,
    row: u64,
}

impl<'a> RowReader<'a> {
    /// A reader of whole rows that have `columns` cells each.
    pub fn new(text: &'a [u8], columns: usize) -> Self {
        Self { text, at: 0, columns, row: 0 }
    }

    /// Puts the next row's cells into `cells`; answers the row's text with its line end, or none at the end.
    ///
    /// # Errors
    ///
    /// [`Misfit`]: too many or too few cells, or text beside the quotes.
    pub fn next_row(&mut self, cells: &mut Vec<Cell<'a>>) -> Result<Option<&'a [u8]>, Misfit> {
        cells.clear();
        if self.at >= self.text.len() {
            return Ok(None);
        }
        self.row += 1;
        let start = self.at;
        while self.cell(cells)? {}
        if cells.len() != self.columns {
            return Err(self.misfit(format!("{} values in {} columns", cells.len(), self.columns)));
        }
        Ok(Some(&self.text[start..self.at]))
    }

    /// Reads one cell and what ends it; answers whether the row goes on.
    fn cell(&mut self, cells: &mut Vec<Cell<'a>>) -> Result<bool, Misfit> {
        let text = self.text;
        if text.get(self.at) != Some(&b'"') {
            return Ok(self.bare_cell(cells));
        }
        let start = self.at + 1;
        let mut from = start;
        let mut doubled = false;
        loop {
            let Some(length) = memchr(b'"', &text[from..]) else {
                return Err(self.misfit("a quote is not closed".to_string()));
            };
            let end = from + length;
            let cell = Cell { raw: &text[start..end], doubled };
            match text.get(end + 1) {
                Some(b',') => {
                    cells.push(cell);
                    self.at = end + 2;
                    return Ok(true);
                }
                Some(b'"') => {
                    doubled = true;
                    from = end + 2;
                }
                Some(b'\n') => {
                    cells.push(cell);
                    self.at = end + 2;
                    return Ok(false);
                }
                Some(b'\r') if matches!(text.get(end + 2), Some(b'\n') | None) => {
                    cells.push(cell);
                    self.at = (end + 3).min(text.len());
                    return Ok(false);
                }
                None => {
                    cells.push(cell);
                    self.at = text.len();
                    return Ok(false);
                }
                Some(_) => return Err(self.misfit("text beside its quotes".to_string())),
            }
        }
    }

    fn bare_cell(&mut self, cells: &mut Vec<Cell<'a>>) -> bool {
        let rest = &self.text[self.at..];
        let length = memchr2(b',', b'\n', rest).unwrap_or(rest.len());
        let goes_on = rest.get(length) == Some(&b',');
        self.at = (self.at + length + 1).min(self.text.len());
        let mut raw = &rest[..length];
        if !goes_on && let Some(before) = raw.strip_suffix(b"\r") {
            raw = before;
        }
        // A comma at the very end: one empty cell follows, and `cell` reads it from nothing.
        cells.push(Cell { raw, doubled: false });
        goes_on
    }

    fn misfit(&self, why: String) -> Misfit {
        Misfit { row: self.row, why }
    }
}

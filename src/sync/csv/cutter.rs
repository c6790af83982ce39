use memchr::memchr_iter;

use super::{Cell, PageError, RowReader};
use crate::base::printable;
use crate::sync::{Column, Rows};

/// The longest row that is put together from chunks. Bytes.
///
/// A record's text is 1.6 million characters at most (Salesforce, "Custom Field Limits and Allocations"), four bytes each;
/// the rest is room for quotes.
pub const LONGEST_ROW: usize = 16 << 20;

/// Cuts a page, as it comes in chunks, into whole rows and counts them; its header line is checked and taken off.
///
/// # Shape
///
/// Chunks of any length in; out, for each, at most two pieces of whole rows: the row that began in an earlier chunk, then
/// the chunk's own, which are not copied. A line end inside quotes ends no row, so a row is found by the parity of the
/// quotes before it. A byte order mark, CRLF and a missing last line end are taken as they come.
///
/// # Limits
///
/// Holds one row, at most [`LONGEST_ROW`].
///
/// # Examples
///
/// ```
/// use sfmint::sync::{Column, ColumnKind, csv::RowCutter};
///
/// let mut cutter = RowCutter::new(&[Column::new("Id", ColumnKind::Id), Column::new("Name", ColumnKind::Text)]);
/// let mut rows = 0;
/// for chunk in [&b"\"Id\",\"Na"[..], b"me\"\n\"1\",\"two\nlines\"\n\"2\"", b",\"\"\n"] {
///     rows += cutter.push(chunk)?.map(|rows| rows.count).sum::<u64>();
/// }
/// assert_eq!((rows, cutter.finish()?), (2, None));
/// # Ok::<(), sfmint::sync::csv::PageError>(())
/// ```
#[derive(Debug)]
pub struct RowCutter {
    columns: Vec<String>,
    /// The beginning of a row whose end has not come yet.
    tail: Vec<u8>,
    /// The row that was given out last of those that began in an earlier chunk.
    joined: Vec<u8>,
    /// Whether the tail ends inside quotes.
    inside: bool,
    past_header: bool,
    rows: u64,
    limit: usize,
}

impl RowCutter {
    /// A cutter for pages of these columns.
    pub fn new(columns: &[Column]) -> Self {
        Self::with_limit(columns, LONGEST_ROW)
    }

    pub(super) fn with_limit(columns: &[Column], limit: usize) -> Self {
        Self {
            columns: columns.iter().map(|column| column.name.clone()).collect(),
            tail: Vec::new(),
            joined: Vec::new(),
            inside: false,
            past_header: false,
            rows: 0,
            limit,
        }
    }

    /// Forgets the page it was in, and is ready for the next.
    pub fn reset(&mut self) {
        self.tail.clear();
        self.inside = false;
        self.past_header = false;
        self.rows = 0;
    }

    /// Rows given out since the page began.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes the page's next bytes and gives out the rows that are whole now.
    ///
    /// # Errors
    ///
    /// [`PageError::Columns`], [`PageError::RowTooLong`] — *data*.
    pub fn push<'a>(
        &'a mut self,
        mut chunk: &'a [u8],
    ) -> Result<impl Iterator<Item = Rows<'a>> + use<'a>, PageError> {
        let mut joined = None;
        let mut cut = Cut { rows: 0, end: 0 };
        if !self.past_header {
            match self.row_end(chunk) {
                None => {
                    self.keep(chunk)?;
                    chunk = &[];
                }
                Some(end) => {
                    self.keep_whole(&chunk[..end])?;
                    check_header(&self.tail, &self.columns)?;
                    self.tail.clear();
                    self.past_header = true;
                    chunk = &chunk[end..];
                }
            }
        }
        if !chunk.is_empty() && !self.tail.is_empty() {
            match self.row_end(chunk) {
                None => {
                    self.keep(chunk)?;
                    chunk = &[];
                }
                Some(end) => {
                    self.keep_whole(&chunk[..end])?;
                    std::mem::swap(&mut self.tail, &mut self.joined);
                    self.tail.clear();
                    joined = Some(());
                    chunk = &chunk[end..];
                }
            }
        }
        if !chunk.is_empty() {
            cut = self.cut(chunk)?;
        }
        self.rows += cut.rows + u64::from(joined.is_some());
        let joined = joined.map(|()| Rows { text: &self.joined, count: 1 });
        let own = (cut.rows > 0).then(|| Rows { text: &chunk[..cut.end], count: cut.rows });
        Ok(joined.into_iter().chain(own))
    }

    /// The page is over; gives out its last row where no line end follows it.
    ///
    /// A page that was cut inside of a doubled quote cannot be told from one that lacks its last line end: that the body
    /// came whole is for HTTP's framing to say, before this is called.
    ///
    /// # Errors
    ///
    /// [`PageError::CutShort`] — *transient*; [`PageError::Columns`].
    pub fn finish(&mut self) -> Result<Option<Rows<'_>>, PageError> {
        if self.tail.is_empty() {
            return Ok(None);
        }
        if self.inside {
            return Err(PageError::CutShort { row: self.rows + 1 });
        }
        if !self.past_header {
            self.past_header = true;
            let header = std::mem::take(&mut self.tail);
            return check_header(&header, &self.columns).map(|()| None);
        }
        // A page that was cut between two values looks like one that lacks its last line end, but for the count.
        let mut cells = Vec::new();
        let ends_well = !self.tail.starts_with(b"\"") || self.tail.trim_ascii_end().ends_with(b"\"");
        if !ends_well
            || !matches!(RowReader::new(&self.tail, self.columns.len()).next_row(&mut cells), Ok(Some(_)))
        {
            return Err(PageError::CutShort { row: self.rows + 1 });
        }
        std::mem::swap(&mut self.tail, &mut self.joined);
        self.tail.clear();
        if self.joined.ends_with(b"\r") {
            self.joined.pop();
        }
        self.joined.push(b'\n');
        self.rows += 1;
        Ok(Some(Rows { text: &self.joined, count: 1 }))
    }

    /// Where the row that is under way ends in `chunk`.
    fn row_end(&self, chunk: &[u8]) -> Option<usize> {
        let mut inside = self.inside;
        let mut from = 0;
        for at in memchr_iter(b'\n', chunk) {
            inside ^= odd_quotes(&chunk[from..at]);
            if !inside {
                return Some(at + 1);
            }
            from = at;
        }
        None
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), PageError> {
        self.inside ^= odd_quotes(part);
        self.keep_text(part)
    }

    fn keep_whole(&mut self, part: &[u8]) -> Result<(), PageError> {
        self.inside = false;
        self.keep_text(part)
    }

    fn keep_text(&mut self, part: &[u8]) -> Result<(), PageError> {
        if self.tail.len() + part.len() > self.limit {
            return Err(PageError::RowTooLong { row: self.rows + 1, limit: self.limit });
        }
        self.tail.extend_from_slice(part);
        Ok(())
    }

    /// Cuts a chunk that begins where a row begins.
    fn cut(&mut self, chunk: &[u8]) -> Result<Cut, PageError> {
        let mut cut = Cut { rows: 0, end: 0 };
        let mut inside = false;
        let mut from = 0;
        for at in memchr_iter(b'\n', chunk) {
            inside ^= odd_quotes(&chunk[from..at]);
            if !inside {
                cut = Cut { rows: cut.rows + 1, end: at + 1 };
            }
            from = at;
        }
        self.inside = inside ^ odd_quotes(&chunk[from..]);
        self.rows += cut.rows;
        let kept = self.keep_text(&chunk[cut.end..]);
        self.rows -= cut.rows;
        kept.map(|()| cut)
    }
}

struct Cut {
    rows: u64,
    end: usize,
}

fn odd_quotes(text: &[u8]) -> bool {
    memchr_iter(b'"', text).count() % 2 == 1
}

/// Whole rows in `text`, which begins where a row begins.
pub(super) fn count_rows(text: &[u8]) -> u64 {
    let mut rows = 0;
    let mut inside = false;
    let mut from = 0;
    for at in memchr_iter(b'\n', text) {
        inside ^= odd_quotes(&text[from..at]);
        rows += u64::from(!inside);
        from = at;
    }
    rows
}

fn check_header(line: &[u8], columns: &[String]) -> Result<(), PageError> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let mut cells: Vec<Cell<'_>> = Vec::new();
    // It tells how many there are by failing; what matters here is which.
    let _ = RowReader::new(line, columns.len()).next_row(&mut cells);
    for at in 0..cells.len().max(columns.len()) {
        let found = cells.get(at).map(|cell| String::from_utf8_lossy(&cell.value()).trim().to_string());
        let expected = columns.get(at);
        let alike = match (&found, expected) {
            (Some(found), Some(expected)) => found.eq_ignore_ascii_case(expected),
            _ => false,
        };
        if !alike {
            let found = found.map_or("missing".to_string(), |name| format!("`{}`", printable(&name, 80)));
            let expected = expected.map_or("nothing".to_string(), |name| format!("`{name}`"));
            return Err(PageError::Columns { column: at + 1, found, expected });
        }
    }
    Ok(())
}

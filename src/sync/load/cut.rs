use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::api::bulk::RowScan;
use crate::api::bulk::ingest::{ColumnDelimiter, LineEnding};

use super::{Batch, Stage};

/// How much is read at once. Bytes.
const PIECE: usize = 1024 * 1024;

/// The longest header line. Bytes: 5,000 columns of 80 characters, and more.
const LONGEST_HEADER: usize = 1024 * 1024;

/// A file, cut into batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The header line with its line ending, without a byte order mark.
    pub header: Vec<u8>,
    /// How the lines end.
    pub line_ending: LineEnding,
    /// What stands between the columns.
    pub delimiter: ColumnDelimiter,
    /// The parts.
    pub batches: Vec<Batch>,
    /// Rows in all.
    pub rows: u64,
    /// What the file's bytes are known by.
    pub sha256: String,
}

/// What keeps a file from being cut.
#[derive(Debug)]
pub enum Uncut {
    /// It cannot be read.
    Io(io::Error),
    /// A row, or the header line (0), is not as it should be.
    Row(u64, String),
}

impl From<io::Error> for Uncut {
    fn from(error: io::Error) -> Self {
        Uncut::Io(error)
    }
}

/// Cuts CSV into batches of whole rows, each with the header line no longer than `most` bytes.
///
/// # Shape
///
/// The file is read once, and nothing of it is kept. Lines end as the header line's does, in LF or CRLF; the last may have no end.
/// The delimiter is the one that the header line shows, comma where it shows none. A byte order mark is left out: it would
/// become part of the first column's name.
///
/// # Errors
///
/// `Uncut::Row`: no header line, a row longer than a batch, lines that end in both ways, or a value whose quote is never closed.
pub fn cut(mut file: impl Read, most: u64) -> Result<Cut, Uncut> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut head = Vec::new();
    let mut ended = false;
    let header_end = loop {
        let skip = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        if let Some(end) = RowScan::first(&head[skip..]) {
            break skip + end;
        }
        let read = if head.len() > LONGEST_HEADER { 0 } else { file.read(&mut piece)? };
        if read == 0 {
            ended = true;
            break head.len();
        }
        hash.update(&piece[..read]);
        head.extend_from_slice(&piece[..read]);
    };
    let skip = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut header = head[skip..header_end].to_vec();
    if header.iter().all(u8::is_ascii_whitespace) || (ended && head.len() > LONGEST_HEADER) {
        return Err(Uncut::Row(0, "there is no header line with the names of the columns".into()));
    }
    let line_ending = if header.ends_with(b"\r\n") { LineEnding::Crlf } else { LineEnding::Lf };
    let delimiter = delimiter(&header);
    if !header.ends_with(b"\n") {
        header.push(b'\n');
    }
    let mut cutter = Cutter {
        room: most.saturating_sub(header.len() as u64),
        crlf: line_ending == LineEnding::Crlf,
        batches: Vec::new(),
        current: Batch { start: header_end as u64, length: 0, rows: 0, stage: Stage::Planned, job: None },
        row_start: header_end as u64,
        rows: 0,
        too_long: None,
        last: b'\n',
    };
    let mut scan = RowScan::new();
    let mut at = header_end as u64;
    let mut part = head.split_off(header_end);
    loop {
        cutter.take(&mut scan, &part, at)?;
        at += part.len() as u64;
        if ended {
            break;
        }
        part.resize(PIECE, 0);
        let read = file.read(&mut part)?;
        part.truncate(read);
        hash.update(&part);
        ended = read == 0;
    }
    let batches = cutter.end(&scan, at)?;
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let rows = batches.iter().map(|batch| batch.rows).sum();
    Ok(Cut { header, line_ending, delimiter, batches, rows, sha256 })
}

struct Cutter {
    /// Bytes of rows that a batch holds at most.
    room: u64,
    crlf: bool,
    batches: Vec<Batch>,
    current: Batch,
    row_start: u64,
    rows: u64,
    /// The first row that fits into no batch.
    too_long: Option<u64>,
    /// The last byte before the part at hand.
    last: u8,
}

impl Cutter {
    fn take(&mut self, scan: &mut RowScan, part: &[u8], at: u64) -> Result<(), Uncut> {
        let mut wrong = None;
        scan.feed_with(part, |end| {
            let before = if end >= 2 { part[end - 2] } else { self.last };
            let row_end = at + end as u64;
            self.row(row_end);
            if (before == b'\r') != self.crlf && wrong.is_none() {
                wrong = Some(self.rows);
            }
        });
        self.last = part.last().copied().unwrap_or(self.last);
        if let Some(row) = wrong {
            let (ours, other) = if self.crlf { ("CRLF", "LF") } else { ("LF", "CRLF") };
            let what = format!("its line ends in {other}, the header line in {ours}");
            return Err(Uncut::Row(row, what));
        }
        self.fits(at + part.len() as u64)
    }

    /// A row that began at `row_start` ends at `end`.
    fn row(&mut self, end: u64) {
        let length = end - self.row_start;
        if self.current.rows > 0 && self.current.length + length > self.room {
            let next = Batch { start: self.row_start, length: 0, rows: 0, stage: Stage::Planned, job: None };
            self.batches.push(std::mem::replace(&mut self.current, next));
        }
        self.current.length += length;
        self.current.rows += 1;
        self.rows += 1;
        self.row_start = end;
        if length > self.room {
            self.too_long.get_or_insert(self.rows);
        }
    }

    /// Whether every row so far, and the one that is under way, fits into a batch.
    fn fits(&self, at: u64) -> Result<(), Uncut> {
        match self.too_long.or((at - self.row_start > self.room).then_some(self.rows + 1)) {
            Some(row) => Err(Uncut::Row(
                row,
                "it is larger than a job may be, or a quote in it is never closed".into(),
            )),
            None => Ok(()),
        }
    }

    fn end(mut self, scan: &RowScan, at: u64) -> Result<Vec<Batch>, Uncut> {
        if at > self.row_start {
            if scan.in_quotes() {
                return Err(Uncut::Row(self.rows + 1, "a quote in it is never closed".into()));
            }
            self.row(at);
            self.fits(at)?;
        }
        if self.current.rows > 0 {
            self.batches.push(self.current);
        }
        Ok(self.batches)
    }
}

/// What stands between the columns of a header line, outside quotes: comma where there is one, else the one that is there.
fn delimiter(header: &[u8]) -> ColumnDelimiter {
    let mut quoted = false;
    let plain: Vec<u8> = header
        .iter()
        .copied()
        .filter(|byte| {
            quoted ^= *byte == b'"';
            !quoted
        })
        .collect();
    let found = ColumnDelimiter::ALL.into_iter().find(|delimiter| plain.contains(&delimiter.byte()));
    found.unwrap_or(ColumnDelimiter::Comma)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8], most: u64) -> Result<Vec<(String, u64)>, u64> {
        let cut = match cut(text, most) {
            Ok(cut) => cut,
            Err(Uncut::Row(row, _)) => return Err(row),
            Err(Uncut::Io(error)) => panic!("{error}"),
        };
        let mut end = None;
        let all = cut.batches.iter().map(|batch| {
            assert!(end.is_none_or(|end| end == batch.start), "no byte is left out");
            end = Some(batch.start + batch.length);
            let text = &text[batch.start as usize..(batch.start + batch.length) as usize];
            assert!((cut.header.len() + text.len()) as u64 <= most);
            (String::from_utf8_lossy(text).into_owned(), batch.rows)
        });
        let all = all.collect();
        assert!(end.is_none_or(|end| end == text.len() as u64));
        Ok(all)
    }

    #[test]
    fn a_file_is_cut_between_rows_and_never_within_one() {
        let text = b"Id,Name\n1,\"a\nb\"\n2,c\n3,d";
        let of =
            |parts: &[(&str, u64)]| Ok(parts.iter().map(|(text, rows)| (text.to_string(), *rows)).collect());
        assert_eq!(rows(text, 100), of(&[("1,\"a\nb\"\n2,c\n3,d", 3)]));
        assert_eq!(rows(text, 20), of(&[("1,\"a\nb\"\n2,c\n", 2), ("3,d", 1)]));
        assert_eq!(rows(text, 16), of(&[("1,\"a\nb\"\n", 1), ("2,c\n3,d", 2)]));
        assert_eq!(rows(text, 15), Err(1), "a row that is larger than a job");
        assert_eq!(rows(b"Id\n", 100), of(&[]));
        assert_eq!(rows(b"Id", 100), of(&[]));
    }

    #[test]
    fn how_lines_end_is_declared_truly_or_not_at_all() {
        let ending = |text: &[u8]| cut(text, 100).map(|cut| cut.line_ending).map_err(|_| ());
        assert_eq!(ending(b"Id\r\n1\r\n\"a\nb\"\r\n2"), Ok(LineEnding::Crlf));
        assert_eq!(ending(b"Id\n1\n\"a\r\nb\"\n"), Ok(LineEnding::Lf));
        assert_eq!(rows(b"Id\r\n1\r\n2\n", 100), Err(2));
        assert_eq!(rows(b"Id\n1\r\n2\n", 100), Err(1));
        assert_eq!(rows(b"Id\n\"1\n2\n", 100), Err(1), "a quote that is never closed");
        assert_eq!(rows(b"", 100), Err(0));
        assert_eq!(rows(b"\xef\xbb\xbf", 100), Err(0));
    }

    #[test]
    fn the_header_line_tells_the_delimiter_and_loses_its_byte_order_mark() {
        let cut = |text: &[u8]| cut(text, 100).unwrap();
        let with_bom = cut(b"\xef\xbb\xbfId,Name\n1,a\n");
        assert_eq!((with_bom.header.as_slice(), with_bom.batches[0].start), (&b"Id,Name\n"[..], 11));
        assert_eq!(cut(b"Id\tName\n").delimiter, ColumnDelimiter::Tab);
        assert_eq!(cut(b"\"a,b\";c\n").delimiter, ColumnDelimiter::Semicolon);
        assert_eq!(cut(b"Id\n").delimiter, ColumnDelimiter::Comma);
        assert_ne!(cut(b"Id\n1\n").sha256, cut(b"Id\n2\n").sha256);
    }
}

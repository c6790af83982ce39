use std::fs::File;
use std::io::Read;
use std::path::Path;

use memchr::memchr;

use super::format::Format;
use super::manifest::PartKind;
use crate::sync::csv::{Cell, RowCutter, RowReader};
use crate::sync::destination::{DestinationError, io_error, stamp_column};
use crate::sync::json::{Picked, pick};
use crate::sync::{Column, Rows};

/// How much of a part is read at once. Bytes.
const PIECE: usize = 1 << 20;

/// A file to be read back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Readable<'a> {
    pub file: &'a str,
    pub kind: PartKind,
    pub columns: &'a [Column],
    pub bytes: u64,
}

/// A row that was read back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub id: &'a str,
    pub stamp: Option<&'a str>,
    pub is_deleted: bool,
    pub line: &'a [u8],
}

type Visit<'v> = &'v mut dyn FnMut(Seen<'_>) -> Result<(), DestinationError>;

impl Readable<'_> {
    /// Reads it from its beginning; in memory is one piece of it, and the longest row.
    pub(super) fn visit(
        &self,
        folder: &Path,
        format: Format,
        place: &str,
        visit: Visit<'_>,
    ) -> Result<(), DestinationError> {
        let path = folder.join(self.file);
        let damaged = |found: String| DestinationError::Damaged {
            place: place.to_string(),
            found: format!("{}: {found}", self.file),
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(damaged("it is gone".to_string()));
            }
            Err(source) => return Err(io_error("read", &path, source)),
        };
        let length = file.metadata().map_err(|source| io_error("read", &path, source))?.len();
        if length < self.bytes {
            return Err(damaged(format!("it has {length} of {} bytes", self.bytes)));
        }
        let mut file = file.take(self.bytes);
        let mut piece = vec![0; PIECE];
        let mut cutter = RowCutter::new(self.columns);
        let mut tail: Vec<u8> = Vec::new();
        loop {
            let read = file.read(&mut piece).map_err(|source| io_error("read", &path, source))?;
            let piece = &piece[..read];
            match format {
                Format::Csv if read == 0 => {
                    let rest = cutter.finish().map_err(|error| damaged(error.to_string()))?;
                    return rest.map_or(Ok(()), |rows| self.csv(rows, &damaged, visit));
                }
                Format::Csv => {
                    for rows in cutter.push(piece).map_err(|error| damaged(error.to_string()))? {
                        self.csv(rows, &damaged, visit)?;
                    }
                }
                Format::Jsonl if read == 0 && tail.is_empty() => return Ok(()),
                Format::Jsonl if read == 0 => return Err(damaged("it ends inside a line".to_string())),
                Format::Jsonl => self.lines(&mut tail, piece, &damaged, visit)?,
            }
        }
    }

    fn csv(
        &self,
        rows: Rows<'_>,
        damaged: &dyn Fn(String) -> DestinationError,
        visit: Visit<'_>,
    ) -> Result<(), DestinationError> {
        let at = |name: &str| self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        let (id, stamp, deleted) = (at("Id"), stamp_column(self.columns), at("IsDeleted"));
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.columns.len());
        let mut reader = RowReader::new(rows.text, self.columns.len());
        while let Some(line) = reader.next_row(&mut cells).map_err(|error| damaged(error.to_string()))? {
            let text = |at: Option<usize>| at.and_then(|at| std::str::from_utf8(cells[at].raw()).ok());
            let Some(id) = text(id) else { continue };
            let is_deleted = self.kind == PartKind::Deletes || text(deleted) == Some("true");
            let stamp = text(stamp).filter(|stamp| !stamp.is_empty());
            visit(Seen { id, stamp, is_deleted, line })?;
        }
        Ok(())
    }

    fn lines(
        &self,
        tail: &mut Vec<u8>,
        mut piece: &[u8],
        damaged: &dyn Fn(String) -> DestinationError,
        visit: Visit<'_>,
    ) -> Result<(), DestinationError> {
        let stamp = stamp_column(self.columns).map(|at| self.columns[at].name.as_str());
        while let Some(end) = memchr(b'\n', piece) {
            let own = &piece[..=end];
            piece = &piece[end + 1..];
            let line = match tail.is_empty() {
                true => own,
                false => {
                    tail.extend_from_slice(own);
                    &*tail
                }
            };
            let Picked { id, stamp, is_deleted } =
                pick(line, stamp).map_err(|error| damaged(error.to_string()))?;
            if let Some(id) = id {
                let is_deleted = is_deleted || self.kind == PartKind::Deletes;
                visit(Seen { id: &id, stamp: stamp.as_deref(), is_deleted, line })?;
            }
            tail.clear();
        }
        tail.extend_from_slice(piece);
        Ok(())
    }
}

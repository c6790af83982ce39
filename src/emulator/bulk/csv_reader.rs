use std::borrow::Cow;
use std::ops::Range;

use super::dialect::{Dialect, LineEnding};

/// Why a text is no CSV of the declared dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CsvMistake {
    /// A line ends otherwise than the job says.
    LineEnding,
    /// A quote is not closed, or something stands behind it.
    Quote,
    NotUtf8,
}

/// Reads CSV by RFC 4180, strictly in the dialect that a job declares.
pub(super) struct CsvReader<'a> {
    data: &'a [u8],
    at: usize,
    dialect: Dialect,
}

/// The values of a record.
pub(super) type Fields<'a> = Vec<Cow<'a, str>>;

impl<'a> CsvReader<'a> {
    pub fn new(data: &'a [u8], dialect: Dialect) -> Self {
        Self { data, at: 0, dialect }
    }

    /// The next record into `fields`, and the bytes it takes; none at the end. Empty lines are passed over.
    pub fn read(&mut self, fields: &mut Fields<'a>) -> Result<Option<Range<usize>>, CsvMistake> {
        fields.clear();
        while self.at < self.data.len() && self.line_end(self.at)? > 0 {
            self.at += self.line_end(self.at)?;
        }
        let start = self.at;
        if start >= self.data.len() {
            return Ok(None);
        }
        loop {
            fields.push(self.field()?);
            if self.at >= self.data.len() {
                return Ok(Some(start..self.at));
            }
            if self.data[self.at] == self.dialect.delimiter.byte() {
                self.at += 1;
                continue;
            }
            let end = self.at;
            match self.line_end(self.at)? {
                0 => return Err(CsvMistake::Quote),
                length => self.at += length,
            }
            return Ok(Some(start..end));
        }
    }

    /// How many bytes end a line here; 0 where no line ends.
    fn line_end(&self, at: usize) -> Result<usize, CsvMistake> {
        match (self.data[at], self.data.get(at + 1), self.dialect.ending) {
            (b'\n', _, LineEnding::Lf) => Ok(1),
            (b'\r', Some(b'\n'), LineEnding::Crlf) => Ok(2),
            (b'\n' | b'\r', ..) => Err(CsvMistake::LineEnding),
            _ => Ok(0),
        }
    }

    fn field(&mut self) -> Result<Cow<'a, str>, CsvMistake> {
        let data = self.data;
        if data.get(self.at) != Some(&b'"') {
            let delimiter = self.dialect.delimiter.byte();
            let is_end = |byte: &u8| *byte == delimiter || *byte == b'\n' || *byte == b'\r';
            let rest = &data[self.at..];
            let length = rest.iter().position(is_end).unwrap_or(rest.len());
            self.at += length;
            return text(&rest[..length]).map(Cow::Borrowed);
        }
        let mut whole: Option<String> = None;
        loop {
            let rest = &data[self.at + 1..];
            let length = rest.iter().position(|byte| *byte == b'"').ok_or(CsvMistake::Quote)?;
            let part = text(&rest[..length])?;
            self.at += length + 2;
            let is_doubled = data.get(self.at) == Some(&b'"');
            match (&mut whole, is_doubled) {
                (None, false) => return Ok(Cow::Borrowed(part)),
                (None, true) => whole = Some(format!("{part}\"")),
                (Some(whole), true) => {
                    whole.push_str(part);
                    whole.push('"');
                }
                (Some(begun), false) => {
                    begun.push_str(part);
                    return Ok(Cow::Owned(std::mem::take(begun)));
                }
            }
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, CsvMistake> {
    std::str::from_utf8(bytes).map_err(|_| CsvMistake::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::super::dialect::ColumnDelimiter;
    use super::*;

    fn all(data: &[u8], ending: LineEnding) -> Result<Vec<Vec<String>>, CsvMistake> {
        let mut reader = CsvReader::new(data, Dialect { delimiter: ColumnDelimiter::Comma, ending });
        let (mut rows, mut fields) = (vec![], vec![]);
        while let Some(span) = reader.read(&mut fields)? {
            let mut again = vec![];
            CsvReader::new(&data[span], reader.dialect).read(&mut again)?;
            assert_eq!(again, fields, "a record can be read again from its bytes");
            rows.push(fields.iter().map(ToString::to_string).collect());
        }
        Ok(rows)
    }

    #[test]
    fn records_are_read_as_another_reader_reads_them() {
        let text = b"Id,Name\n\"a\"\"b\",\"x\r\ny\n\"\n,\n\n\"\",plain\n1,\"\"\"\"";
        let theirs: Vec<Vec<String>> = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(&text[..])
            .records()
            .map(|row| row.unwrap().iter().map(str::to_string).collect())
            .collect();
        assert_eq!(all(text, LineEnding::Lf).unwrap(), theirs);
    }

    #[test]
    fn a_line_ends_as_the_job_says_or_not_at_all() {
        assert_eq!(all(b"Id\r\n1\r\n", LineEnding::Crlf).unwrap(), [["Id"], ["1"]]);
        assert_eq!(all(b"Id\r\n1\r\n", LineEnding::Lf), Err(CsvMistake::LineEnding));
        assert_eq!(all(b"Id\n1\n", LineEnding::Crlf), Err(CsvMistake::LineEnding));
        assert_eq!(all(b"\"Id", LineEnding::Lf), Err(CsvMistake::Quote));
        assert_eq!(all(b"\"Id\"x\n", LineEnding::Lf), Err(CsvMistake::Quote));
        assert_eq!(all(b"\xff\n", LineEnding::Lf), Err(CsvMistake::NotUtf8));
    }
}

use serde::{Deserialize, Serialize};

/// The character between two columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(in crate::emulator) enum ColumnDelimiter {
    Backquote,
    Caret,
    #[default]
    Comma,
    Pipe,
    Semicolon,
    Tab,
}

impl ColumnDelimiter {
    pub fn byte(self) -> u8 {
        match self {
            ColumnDelimiter::Backquote => b'`',
            ColumnDelimiter::Caret => b'^',
            ColumnDelimiter::Comma => b',',
            ColumnDelimiter::Pipe => b'|',
            ColumnDelimiter::Semicolon => b';',
            ColumnDelimiter::Tab => b'\t',
        }
    }
}

/// What ends a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(in crate::emulator) enum LineEnding {
    #[default]
    Lf,
    Crlf,
}

/// How a job's text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::emulator) struct Dialect {
    pub delimiter: ColumnDelimiter,
    pub ending: LineEnding,
}

impl Dialect {
    pub fn end_line(self, out: &mut Vec<u8>) {
        match self.ending {
            LineEnding::Lf => out.push(b'\n'),
            LineEnding::Crlf => out.extend(b"\r\n"),
        }
    }

    /// Writes a line of texts, every one of them quoted.
    pub fn line<'a>(self, texts: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
        for (at, text) in texts.enumerate() {
            if at > 0 {
                out.push(self.delimiter.byte());
            }
            quote(text, out);
        }
        self.end_line(out);
    }
}

/// Writes a text in quotes; a quote in it is doubled.
pub(in crate::emulator) fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'"') {
        out.extend(&rest[..=at]);
        out.push(b'"');
        rest = &rest[at + 1..];
    }
    out.extend(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_quoted_and_nothing_else_changes() {
        let mut out = vec![];
        let dialect = Dialect { delimiter: ColumnDelimiter::Pipe, ending: LineEnding::Crlf };
        dialect.line(["", "a\"b", "\"", "x\r\ny\0|"].into_iter(), &mut out);
        assert_eq!(out, b"\"\"|\"a\"\"b\"|\"\"\"\"|\"x\r\ny\0|\"\r\n");
    }
}

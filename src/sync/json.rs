use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::csv::Cell;
use super::{Column, ColumnKind};
use crate::base::UnixSeconds;

/// Turns rows into JSON objects, one a line: numbers with the digits that the org wrote, booleans, and null where there
/// is no value. Keys stand in the order of the columns.
#[derive(Clone, Debug)]
pub(super) struct JsonRow {
    /// What stands before each value: `{"Id":`, then `,"Name":`.
    keys: Vec<(Vec<u8>, ColumnKind)>,
}

impl JsonRow {
    pub(super) fn new(columns: &[Column]) -> Self {
        let key = |(at, column): (usize, &Column)| {
            let mut key = vec![if at == 0 { b'{' } else { b',' }];
            text(column.name.as_bytes(), false, &mut key);
            key.push(b':');
            (key, column.kind)
        };
        Self { keys: columns.iter().enumerate().map(key).collect() }
    }

    /// Adds the row's line to `out`. The cells are UTF-8.
    pub(super) fn render(&self, cells: &[Cell<'_>], out: &mut Vec<u8>) {
        for ((key, kind), cell) in self.keys.iter().zip(cells) {
            out.extend_from_slice(key);
            let raw = cell.raw();
            match kind {
                _ if raw.is_empty() => out.extend_from_slice(b"null"),
                ColumnKind::Bool if raw == b"true" || raw == b"false" => out.extend_from_slice(raw),
                ColumnKind::Int | ColumnKind::Decimal { .. } if is_number(raw) => out.extend_from_slice(raw),
                _ => text(raw, cell.has_quotes(), out),
            }
        }
        out.extend_from_slice(b"}\n");
    }

    /// The line of a row that the org no longer has.
    pub(super) fn deleted(id: &str, at: UnixSeconds) -> Vec<u8> {
        let mut line = b"{\"Id\":".to_vec();
        text(id.as_bytes(), false, &mut line);
        line.extend_from_slice(format!(",\"_sfmint_deleted_at\":\"{at}\"}}\n").as_bytes());
        line
    }
}

/// RFC 8259, section 6.
fn is_number(raw: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = raw.strip_prefix(b"-").unwrap_or(raw);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or(rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

/// How many bytes are looked at together: as many as one instruction compares.
const BLOCK: usize = 16;

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// A JSON string. `doubled` says that each quote in it stands twice. RFC 8259, section 7.
fn text(raw: &[u8], doubled: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = raw;
    loop {
        let mut plain = 0;
        // Without an early end the comparison of a block is one instruction.
        for block in rest.chunks_exact(BLOCK) {
            if block.iter().fold(false, |found, byte| found | is_special(*byte)) {
                break;
            }
            plain += BLOCK;
        }
        plain += rest[plain..].iter().take_while(|byte| !is_special(**byte)).count();
        out.extend_from_slice(&rest[..plain]);
        let Some(special) = rest.get(plain) else { break };
        match special {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let (high, low) = (usize::from(control >> 4), usize::from(control & 15));
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', DIGITS[high], DIGITS[low]]);
            }
        }
        let step = if *special == b'"' && doubled { 2 } else { 1 };
        rest = rest.get(plain + step..).unwrap_or_default();
    }
    out.push(b'"');
}

/// What is asked of a line that was written before.
#[derive(Debug, Default)]
pub(super) struct Picked<'a> {
    pub id: Option<Cow<'a, str>>,
    pub stamp: Option<Cow<'a, str>>,
    pub is_deleted: bool,
}

/// Reads Id, stamp and IsDeleted out of a line, and passes over the rest.
pub(super) fn pick<'a>(line: &'a [u8], stamp: Option<&str>) -> Result<Picked<'a>, serde_json::Error> {
    struct Fields<'s>(Option<&'s str>);
    impl<'de> Visitor<'de> for Fields<'_> {
        type Value = Picked<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a row")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Picked<'de>, A::Error> {
            let mut picked = Picked::default();
            while let Some(Borrowed(key)) = map.next_key()? {
                if key.eq_ignore_ascii_case("Id") {
                    picked.id = map.next_value::<Option<Borrowed<'de>>>()?.map(|text| text.0);
                } else if Some(&*key) == self.0 {
                    picked.stamp = map.next_value::<Option<Borrowed<'de>>>()?.map(|text| text.0);
                } else if key.eq_ignore_ascii_case("IsDeleted") {
                    picked.is_deleted = map.next_value::<Option<bool>>()?.unwrap_or(false);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(picked)
        }
    }
    serde_json::Deserializer::from_slice(line).deserialize_map(Fields(stamp))
}

/// Text that is borrowed where it holds no escape.
struct Borrowed<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Borrowed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Borrowed<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Borrowed<'de>, E> {
                Ok(Borrowed(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Borrowed<'de>, E> {
                Ok(Borrowed(Cow::Owned(text.to_string())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sync::csv::RowReader;

    fn line(kind: ColumnKind, raw: &str) -> String {
        let row = format!("\"{raw}\"\n");
        let mut cells = Vec::new();
        RowReader::new(row.as_bytes(), 1).next_row(&mut cells).unwrap();
        let mut out = Vec::new();
        JsonRow::new(&[Column::new("a", kind)]).render(&cells, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_have_their_types_and_numbers_their_digits() {
        let decimal = ColumnKind::Decimal { precision: 18, scale: 2 };
        for (kind, raw, expected) in [
            (ColumnKind::Bool, "true", "true"),
            (ColumnKind::Bool, "yes", "\"yes\""),
            (ColumnKind::Int, "12", "12"),
            (decimal, "1234567890123456.70", "1234567890123456.70"),
            (decimal, "1.0E7", "1.0E7"),
            (decimal, "-.5", "\"-.5\""),
            (decimal, "012", "\"012\""),
            (decimal, "1e", "\"1e\""),
            (decimal, "", "null"),
            (ColumnKind::Text, "", "null"),
            (ColumnKind::Text, "null", "\"null\""),
            (ColumnKind::DateTime, "2026-01-02T03:04:05.000Z", "\"2026-01-02T03:04:05.000Z\""),
        ] {
            assert_eq!(line(kind, raw), format!("{{\"a\":{expected}}}\n"), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_back_as_it_was(text in "(\"|\\\\|\\PC|[\\x00-\\x1f]|[a-z]{20}){0,8}") {
            let line = line(ColumnKind::Text, &text.replace('"', "\"\""));
            prop_assert_eq!(line.matches('\n').count(), 1);
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            match text.as_str() {
                "" => prop_assert!(value["a"].is_null()),
                text => prop_assert_eq!(value["a"].as_str(), Some(text)),
            }
        }
    }

    #[test]
    fn id_and_stamp_and_deletion_are_picked_out_of_a_line() {
        let line = br#"{"a":{"Id":"no"},"Id":"1\u00fc","S":"t","IsDeleted":true,"b":[1,null]}"#;
        let picked = pick(line, Some("S")).unwrap();
        assert_eq!(
            (picked.id.as_deref(), picked.stamp.as_deref(), picked.is_deleted),
            (Some("1ü"), Some("t"), true)
        );
        let picked = pick(br#"{"Id":null,"S":null,"IsDeleted":null}"#, None).unwrap();
        assert!(picked.id.is_none() && picked.stamp.is_none() && !picked.is_deleted);
    }
}

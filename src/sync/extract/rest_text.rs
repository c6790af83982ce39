use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::sync::{Column, ColumnKind};

/// An object's members in order, their values left as they are written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// Writes the header line that a Bulk page would have.
pub(super) fn write_header(columns: &[Column], out: &mut Vec<u8>) {
    for (at, column) in columns.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b",\"" } else { b"\"" });
        out.extend_from_slice(column.name.as_bytes());
        out.push(b'"');
    }
    out.push(b'\n');
}

/// Writes one REST record as the row that Bulk would have given: every value quoted, null as nothing, datetimes with `Z`,
/// numbers with the digits they came with.
///
/// # Errors
///
/// What came is no record.
pub(super) fn write(record: &RawValue, columns: &[Column], out: &mut Vec<u8>) -> serde_json::Result<()> {
    let members = members(record)?;
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.push(b'"');
        value(&members, &column.name, column.kind, out)?;
        out.push(b'"');
    }
    out.push(b'\n');
    Ok(())
}

fn members(text: &RawValue) -> serde_json::Result<Members<'_>> {
    serde_json::from_str(text.get())
}

fn value(members: &Members<'_>, path: &str, kind: ColumnKind, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let (name, below) = path.split_once('.').map_or((path, None), |(name, below)| (name, Some(below)));
    let found = members.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    match (found, below) {
        (None, _) => {}
        (Some(raw), _) if raw.get() == "null" => {}
        (Some(raw), Some(below)) => value(&self::members(raw)?, below, kind, out)?,
        (Some(raw), None) if raw.get().starts_with('"') => {
            let text: String = serde_json::from_str(raw.get())?;
            let text = match kind {
                ColumnKind::DateTime => zulu(&text),
                _ => text.into(),
            };
            for byte in text.bytes() {
                if byte == b'"' {
                    out.push(b'"');
                }
                out.push(byte);
            }
        }
        (Some(raw), None) => out.extend_from_slice(raw.get().as_bytes()),
    }
    Ok(())
}

/// `2026-01-02T03:04:05.000+0000` as Bulk writes it.
fn zulu(text: &str) -> std::borrow::Cow<'_, str> {
    match text.strip_suffix("+0000") {
        Some(time) => format!("{time}Z").into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_becomes_the_row_that_bulk_would_have_given() {
        let columns = [
            ("Id", ColumnKind::Id),
            ("Name", ColumnKind::Text),
            ("Amount", ColumnKind::Decimal { precision: 18, scale: 2 }),
            ("Active__c", ColumnKind::Bool),
            ("SystemModstamp", ColumnKind::DateTime),
            ("Owner.Name", ColumnKind::Text),
            ("Parent.Name", ColumnKind::Text),
            ("Gone__c", ColumnKind::Text),
        ]
        .map(|(name, kind)| Column::new(name, kind));
        let record = r#"{"attributes":{"type":"Account"},"Id":"001","Name":"a \"b\", c\nd \u0000","Amount":1234567890123456.78,
            "Active__c":true,"SystemModstamp":"2026-01-02T03:04:05.000+0000","Owner":{"attributes":{},"Name":"Zo\u00eb"},
            "Parent":null}"#;
        let record: Box<RawValue> = serde_json::from_str(record).unwrap();
        let mut out = Vec::new();
        write(&record, &columns, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\"001\",\"a \"\"b\"\", c\nd \0\",\"1234567890123456.78\",\"true\",\"2026-01-02T03:04:05.000Z\",\"Zoë\",\"\",\"\"\n"
        );
        let no_record: Box<RawValue> = serde_json::from_str("[1]").unwrap();
        assert!(write(&no_record, &columns, &mut Vec::new()).is_err());
    }
}

use std::io;

use serde_json::Value;

use super::Format;
use super::output::Output;
use crate::api::rest::Record;
use crate::base::printable;
use crate::cli::{Exit, render};

/// Rows on their way out.
pub struct Rows<'a> {
    format: Format,
    soql: &'a str,
    columns: Option<Vec<String>>,
    /// For a table, whose widths are known at the end.
    kept: Vec<Vec<String>>,
    written: u64,
    /// Where they go.
    pub out: Output,
}

impl<'a> Rows<'a> {
    /// Rows for `out`.
    pub fn new(format: Format, soql: &'a str, out: Output) -> Self {
        Self { format, soql, columns: None, kept: Vec::new(), written: 0, out }
    }

    /// The answer of `SELECT COUNT()`: a number without rows.
    pub fn count(&mut self, count: u64) -> io::Result<()> {
        let fields = serde_json::Map::from_iter([("count".to_string(), Value::from(count))]);
        self.page(&[Record::new(fields)])
    }

    /// Writes the rows of a page.
    pub fn page(&mut self, records: &[Record]) -> io::Result<()> {
        let columns = self.columns.get_or_insert_with(|| columns(self.soql, records));
        let out = self.out.writer();
        match self.format {
            Format::Table => {
                let cell = |record: &Record, name: &str| printable(&text(record.get(name)), 50);
                self.kept.extend(
                    records.iter().map(|record| columns.iter().map(|name| cell(record, name)).collect()),
                );
            }
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                if self.written == 0 {
                    csv.write_record(&*columns)?;
                }
                for record in records {
                    csv.write_record(columns.iter().map(|name| text(record.get(name))))?;
                }
                csv.flush()?;
            }
            Format::Jsonl => {
                for record in records {
                    serde_json::to_writer(&mut *out, record)?;
                    out.write_all(b"\n")?;
                }
                out.flush()?;
            }
            Format::Json => {
                for (at, record) in records.iter().enumerate() {
                    out.write_all(if self.written + at as u64 == 0 { b"[\n" } else { b",\n" })?;
                    serde_json::to_writer(&mut *out, record)?;
                }
            }
        }
        self.written += records.len() as u64;
        Ok(())
    }

    /// Writes what comes last.
    pub fn end(mut self) -> anyhow::Result<Exit> {
        let out = self.out.writer();
        let ended = match self.format {
            Format::Table => {
                let header = self.columns.unwrap_or_default();
                let header: Vec<&str> = header.iter().map(String::as_str).collect();
                render::columns(out, &header, &self.kept)
            }
            Format::Json if self.written == 0 => out.write_all(b"[]\n"),
            Format::Json => out.write_all(b"\n]\n"),
            Format::Csv | Format::Jsonl => Ok(()),
        };
        match ended {
            Ok(()) => self.out.end(),
            Err(error) => self.out.failed(error),
        }
    }
}

/// The columns of a result: the SELECT list where it is made of field names, else what the first page holds.
///
/// A parent that is null in the first row must not change the columns, so the query is asked before the data.
fn columns(soql: &str, records: &[Record]) -> Vec<String> {
    selected(soql).unwrap_or_else(|| {
        let mut names: Vec<String> = Vec::new();
        for name in records.iter().flat_map(|record| record.fields().keys()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    })
}

/// The field names of a SELECT list; `None` where it holds functions, subqueries or anything else.
pub fn selected(soql: &str) -> Option<Vec<String>> {
    let squeezed = soql.split_whitespace().collect::<Vec<_>>().join(" ");
    let list =
        squeezed.get(..7).filter(|select| select.eq_ignore_ascii_case("select ")).map(|_| &squeezed[7..])?;
    let end = list.to_ascii_lowercase().find(" from ")?;
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
    };
    list[..end]
        .split(',')
        .map(|name| Some(name.trim()).filter(|name| is_name(name)).map(String::from))
        .collect()
}

/// A value as one cell: null is empty, a nested row is JSON.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_from_the_query_where_they_can() {
        assert_eq!(
            selected("SELECT Id,  Name,\nOwner.Name FROM Account").unwrap(),
            ["Id", "Name", "Owner.Name"]
        );
        assert_eq!(selected("select COUNT(Id) n from Account"), None);
        assert_eq!(selected("SELECT Id, (SELECT Id FROM Contacts) FROM Account"), None);
        assert_eq!(selected("FIND {x}"), None);
        assert_eq!(selected("é"), None);
    }

    #[test]
    fn a_null_parent_in_the_first_row_changes_no_column() {
        let record = |text: &str| serde_json::from_str::<Record>(text).unwrap();
        let rows = [record(r#"{"Id":"1","Owner":null}"#), record(r#"{"Id":"2","Owner":{"Name":"Ada"}}"#)];
        let columns = columns("SELECT Id, Owner.Name FROM Account", &rows);
        assert_eq!(columns, ["Id", "Owner.Name"]);
        assert_eq!(text(rows[0].get("Owner.Name")), "");
        assert_eq!(text(rows[1].get("Owner.Name")), "Ada");
    }
}

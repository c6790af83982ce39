use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::Value;

use super::report::{Complaint, told, told_of};
use super::wire::{Wire, block_on};
use super::{Exit, Global, render};
use crate::api::rest::{self, Record, is_count};
use crate::base::{Fault, printable};

/// Run a SOQL query and print its rows
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  sfmint query 'SELECT Id, Name, Owner.Name FROM Account LIMIT 10'\n  sfmint query --format csv -o accounts.csv 'SELECT Id, Name FROM Account'\n\nRows received and rows announced must agree, or the command fails (exit code 65).\nA file named with -o appears whole, or not at all."
)]
pub struct Verb {
    /// The query
    #[arg(value_name = "SOQL")]
    soql: String,
    /// Deleted and archived rows too
    #[arg(long)]
    all: bool,
    /// How rows are printed; a table on a terminal, else CSV, when left out
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write into this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: columns, long values cut
    Table,
    /// RFC 4180; null is empty
    Csv,
    /// One JSON object a line
    Jsonl,
    /// One JSON array
    Json,
}

/// Runs the query, page by page: memory holds one page, a table all of them.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let connection = wire.connection()?;
    let name = connection.name.clone();
    let client = wire.client(connection)?;
    let terminal = verb.output.is_none() && io::stdout().is_terminal();
    let format = match (verb.format, global.json) {
        (Some(format), _) => format,
        (None, true) => Format::Json,
        (None, false) if terminal => Format::Table,
        (None, false) => Format::Csv,
    };
    block_on(async {
        let out = Output::open(verb.output.as_deref())?;
        let mut rows = Rows::new(format, &verb.soql, out);
        let mut pages = rest::query(&client, &verb.soql, verb.all);
        while let Some(page) = pages.next().await.map_err(told_of(&name))? {
            let written = match page.total.filter(|_| is_count(&verb.soql)) {
                Some(count) => rows.count(count),
                None => rows.page(&page.records),
            };
            if let Err(error) = written {
                return rows.out.failed(error);
            }
        }
        rows.end()
    })
}

/// Where rows go: stdout, or a file that appears when it is whole.
enum Output {
    Stdout(BufWriter<io::Stdout>),
    File { writer: BufWriter<File>, new: PathBuf, path: PathBuf },
}

impl Output {
    fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Stdout(BufWriter::new(io::stdout()))) };
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.part", std::process::id()));
        let new = path.with_file_name(name);
        let file = File::create_new(&new).map_err(|error| unwritable(path, error))?;
        Ok(Self::File { writer: BufWriter::new(file), new, path: path.to_path_buf() })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Output::Stdout(writer) => writer,
            Output::File { writer, .. } => writer,
        }
    }

    fn failed(&self, error: io::Error) -> anyhow::Result<Exit> {
        match self {
            Output::Stdout(_) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
            Output::Stdout(_) => Err(unwritable(Path::new("stdout"), error)),
            Output::File { path, .. } => Err(unwritable(path, error)),
        }
    }

    fn end(mut self) -> anyhow::Result<Exit> {
        let done = match &mut self {
            Output::Stdout(writer) => writer.flush(),
            Output::File { writer, new, path } => writer
                .flush()
                .and_then(|()| writer.get_ref().sync_all())
                .and_then(|()| std::fs::rename(new, path)),
        };
        done.map(|()| Exit::Done).or_else(|error| self.failed(error))
    }
}

impl Drop for Output {
    /// What was not finished is not left behind; a finished file has been renamed.
    fn drop(&mut self) {
        if let Output::File { new, .. } = self {
            let _ = std::fs::remove_file(new);
        }
    }
}

fn unwritable(path: &Path, error: io::Error) -> anyhow::Error {
    let says = format!("{} cannot be written", path.display());
    told(Complaint::new("output.unwritable", Fault::Disk, says).because(error))
}

/// Rows on their way out.
struct Rows<'a> {
    format: Format,
    soql: &'a str,
    columns: Option<Vec<String>>,
    /// For a table, whose widths are known at the end.
    kept: Vec<Vec<String>>,
    written: u64,
    out: Output,
}

impl<'a> Rows<'a> {
    fn new(format: Format, soql: &'a str, out: Output) -> Self {
        Self { format, soql, columns: None, kept: Vec::new(), written: 0, out }
    }

    /// The answer of `SELECT COUNT()`: a number without rows.
    fn count(&mut self, count: u64) -> io::Result<()> {
        let fields = serde_json::Map::from_iter([("count".to_string(), Value::from(count))]);
        self.page(&[Record::new(fields)])
    }

    fn page(&mut self, records: &[Record]) -> io::Result<()> {
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

    fn end(mut self) -> anyhow::Result<Exit> {
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
fn selected(soql: &str) -> Option<Vec<String>> {
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

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::Value;

use super::report::{Complaint, told, told_of};
use super::whole_file::WholeFile;
use super::wire::{Wire, block_on};
use super::{Exit, Global, render, shutdown};
use crate::api::rest::{self, Record, is_count};
use crate::base::{Fault, printable};

/// Run a SOQL query and print its rows
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  sfmint query 'SELECT Id, Name, Owner.Name FROM Account LIMIT 10'\n  sfmint query --format csv -o accounts.csv 'SELECT Id, Name FROM Account'\n\nRows received and rows announced must agree, or the command fails (exit code 65).\nA file named with -o appears whole, or not at all, and a new one is its owner's alone."
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
    // Before the process is closed to its own user: /dev/stdout is a file of /proc/self.
    let out = Output::open(verb.output.as_deref())?;
    let removes = matches!(out, Output::File { .. });
    let work = async {
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
    };
    block_on(async {
        if !removes {
            return work.await;
        }
        let stopped = shutdown::stopped();
        // Dropping the rows removes what was written of the file.
        tokio::select! {
            ended = work => ended,
            exit = stopped => Ok(exit),
        }
    })
}

/// Where rows go: stdout, a file that appears when it is whole, or what is no file and is written to as it is.
enum Output {
    Stdout(BufWriter<io::Stdout>),
    File { writer: BufWriter<WholeFile>, path: PathBuf },
    Straight { writer: BufWriter<File>, path: PathBuf },
}

impl Output {
    fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Stdout(BufWriter::new(io::stdout()))) };
        Self::at(path).map_err(|error| unwritable(path, error))
    }

    /// A symbolic link is followed: the file it points to is replaced, and the link stays. A new file is its owner's
    /// alone; one that is replaced hands on its mode.
    fn at(path: &Path) -> io::Result<Self> {
        let there = match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            there => Some(there?),
        };
        // Descriptors, pipes and devices are places that no rename reaches.
        let is_place = path.starts_with("/dev") || path.starts_with("/proc");
        match there {
            Some(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Some(there) if is_place || !there.is_file() => {
                let file = OpenOptions::new().append(true).open(path)?;
                Ok(Self::Straight { writer: BufWriter::new(file), path: path.to_path_buf() })
            }
            _ => {
                let target = match (path.is_symlink(), &there) {
                    (true, Some(_)) => std::fs::canonicalize(path)?,
                    (true, None) => path.with_file_name(std::fs::read_link(path)?.as_os_str()),
                    (false, _) => path.to_path_buf(),
                };
                let mode = there.map_or(0o600, |there| there.permissions().mode() & 0o777);
                let file = WholeFile::begin(&target, mode)?;
                Ok(Self::File { writer: BufWriter::new(file), path: path.to_path_buf() })
            }
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Output::Stdout(writer) => writer,
            Output::File { writer, .. } => writer,
            Output::Straight { writer, .. } => writer,
        }
    }

    fn failed(&self, error: io::Error) -> anyhow::Result<Exit> {
        match self {
            Output::Stdout(_) | Output::Straight { .. } if error.kind() == io::ErrorKind::BrokenPipe => {
                Ok(Exit::Done)
            }
            Output::Stdout(_) => Err(unwritable(Path::new("stdout"), error)),
            Output::File { path, .. } | Output::Straight { path, .. } => Err(unwritable(path, error)),
        }
    }

    fn end(mut self) -> anyhow::Result<Exit> {
        match self.writer().flush() {
            Err(error) => self.failed(error),
            Ok(()) => match self {
                Output::Stdout(_) | Output::Straight { .. } => Ok(Exit::Done),
                Output::File { writer, path } => writer
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)
                    .and_then(WholeFile::finish)
                    .map(|()| Exit::Done)
                    .map_err(|error| unwritable(&path, error)),
            },
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

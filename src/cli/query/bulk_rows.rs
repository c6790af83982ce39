use std::collections::HashSet;
use std::io;

use super::Format;
use super::json_tree::JsonTree;
use super::output::Output;
use super::rows::selected;
use crate::api::bulk::RowScan;
use crate::api::bulk::query::{QueryJob, ResultPage};
use crate::api::{ApiError, Client};
use crate::base::{Fault, printable};
use crate::cli::report::Complaint;
use crate::cli::{Exit, render};

/// The longest row. Bytes: 400,000 characters are Salesforce's limit of a record.
const LONGEST_ROW: usize = 16 * 1024 * 1024;

/// What can go wrong between a page and the output.
pub enum Trouble {
    Api(ApiError),
    Output(io::Error),
    Columns(Complaint),
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Trouble::Api(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Output(error)
    }
}

/// Rows of a Bulk result on their way out: as CSV just as they come, else cut at their ends and put into shape.
pub struct BulkRows<'a> {
    format: Format,
    soql: &'a str,
    /// The header line of the first page, with its line feed.
    header: Option<Vec<u8>>,
    columns: Vec<String>,
    tree: JsonTree,
    /// For a table, whose widths are known at the end.
    kept: Vec<Vec<String>>,
    received: u64,
    /// The first row of each page, where rows have an Id: no row comes twice then.
    first_rows: HashSet<Vec<u8>>,
    /// The page at hand was begun before.
    reading_again: bool,
    /// Where they go.
    pub out: Output,
}

/// Where a page began.
pub struct Place {
    mark: u64,
    kept: usize,
    received: u64,
    /// Whether the header line was written before.
    headed: bool,
}

impl<'a> BulkRows<'a> {
    /// Rows for `out`.
    pub fn new(format: Format, soql: &'a str, out: Output) -> Self {
        Self {
            format,
            soql,
            header: None,
            columns: Vec::new(),
            tree: JsonTree::default(),
            kept: Vec::new(),
            received: 0,
            first_rows: HashSet::new(),
            reading_again: false,
            out,
        }
    }

    /// Rows that came so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Where the next page begins; `None` where what is written cannot be taken back.
    pub fn place(&mut self) -> io::Result<Option<Place>> {
        self.reading_again = false;
        let mark = match self.format {
            Format::Table => Some(0),
            _ => self.out.mark()?,
        };
        let (kept, received, headed) = (self.kept.len(), self.received, self.header.is_some());
        Ok(mark.map(|mark| Place { mark, kept, received, headed }))
    }

    /// Takes a page back.
    pub fn go_back(&mut self, place: &Place) -> io::Result<()> {
        self.kept.truncate(place.kept);
        self.received = place.received;
        if !place.headed {
            self.header = None;
        }
        self.reading_again = true;
        match self.format {
            Format::Table => Ok(()),
            _ => self.out.cut_back(place.mark),
        }
    }

    /// Writes a page, and says how many rows it had.
    pub async fn page(
        &mut self,
        client: &Client,
        job: &QueryJob,
        page: &mut ResultPage,
    ) -> Result<u64, Trouble> {
        let before = self.received;
        let (mut scan, mut past_header) = (RowScan::new(), false);
        // What belongs to a row, or the header line, that has not ended.
        let mut tail = Vec::new();
        // What the page begins with, until its first row is whole.
        let mut beginning = Some(Vec::new());
        while let Some(chunk) = page.body.chunk().await? {
            let mut chunk = &chunk[..];
            if !past_header {
                tail.extend_from_slice(chunk);
                let Some(end) = RowScan::first(&tail) else { continue };
                let head: Vec<u8> = tail.drain(..end).collect();
                self.head(client, job, head).await?;
                past_header = true;
                let rest = std::mem::take(&mut tail);
                self.begins(&mut beginning, &rest, job)?;
                self.part(&mut scan, &mut tail, &rest)?;
                chunk = &[];
            }
            self.begins(&mut beginning, chunk, job)?;
            self.part(&mut scan, &mut tail, chunk)?;
            if tail.len() > LONGEST_ROW {
                return Err(ApiError::TooLarge { limit: LONGEST_ROW }.into());
            }
        }
        // A page that ends within a row was cut short where its length did not show it: the counts differ.
        self.received = before + scan.rows();
        Ok(scan.rows())
    }

    /// Looks at what a page begins with, until its first row is there.
    ///
    /// A page in the place of another has the right count, and only its rows show it (faults A26).
    fn begins(
        &mut self,
        beginning: &mut Option<Vec<u8>>,
        part: &[u8],
        job: &QueryJob,
    ) -> Result<(), ApiError> {
        let has_id = self.columns.iter().any(|name| name.eq_ignore_ascii_case("Id"));
        let Some(begun) = beginning.as_mut().filter(|_| has_id) else { return Ok(()) };
        begun.extend_from_slice(part);
        let Some(end) = RowScan::first(begun) else { return Ok(()) };
        begun.truncate(end);
        let first = beginning.take().unwrap_or_default();
        match self.reading_again || self.first_rows.insert(first) {
            true => Ok(()),
            false => Err(ApiError::BulkCircle { job: job.id.clone() }),
        }
    }

    /// Takes a part of a page's rows.
    fn part(&mut self, scan: &mut RowScan, tail: &mut Vec<u8>, part: &[u8]) -> io::Result<()> {
        let border = scan.feed(part);
        if self.format == Format::Csv {
            return self.out.writer().write_all(part);
        }
        let Some(border) = border else {
            tail.extend_from_slice(part);
            return Ok(());
        };
        let (whole, rest) = part.split_at(border);
        match tail.is_empty() {
            true => self.rows(whole)?,
            false => {
                // The row that began before ends here; the others need no copy.
                let mut first = std::mem::take(tail);
                first.extend_from_slice(whole);
                self.rows(&first)?;
                first.clear();
                *tail = first;
            }
        }
        tail.extend_from_slice(rest);
        Ok(())
    }

    /// The header line: the first page's says what the columns are, every other one must be the same.
    async fn head(&mut self, client: &Client, job: &QueryJob, head: Vec<u8>) -> Result<(), Trouble> {
        match &self.header {
            Some(first) if *first == head => return Ok(()),
            Some(first) => {
                let says = format!(
                    "a page has other columns than the first: {} instead of {}",
                    printable(String::from_utf8_lossy(&head).trim_end(), 200),
                    printable(String::from_utf8_lossy(first).trim_end(), 200),
                );
                let complaint = Complaint::new("query.columns", Fault::Data, says);
                return Err(Trouble::Columns(complaint.hint("run the query again")));
            }
            None => {}
        }
        self.columns = reader(&head).into_byte_records().flatten().next().map_or_else(Vec::new, |record| {
            record.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
        });
        match self.format {
            Format::Csv => self.out.writer().write_all(&head)?,
            Format::Json | Format::Jsonl => {
                self.tree = JsonTree::describe(client, &job.object, &self.columns).await?;
            }
            Format::Table => {}
        }
        self.header = Some(head);
        Ok(())
    }

    /// Whole rows, in a shape other than their own.
    fn rows(&mut self, text: &[u8]) -> io::Result<()> {
        let out = self.out.writer();
        let mut reader = reader(text);
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record)? {
            match self.format {
                Format::Table => {
                    let cell = |cell: &[u8]| printable(&String::from_utf8_lossy(cell), 50);
                    self.kept.push(record.iter().map(cell).collect());
                }
                Format::Json => out.write_all(if self.received == 0 { b"[\n" } else { b",\n" })?,
                Format::Jsonl | Format::Csv => {}
            }
            if self.format != Format::Table {
                self.tree.write(&record, out)?;
            }
            if self.format == Format::Jsonl {
                out.write_all(b"\n")?;
            }
            self.received += 1;
        }
        Ok(())
    }

    /// Writes what comes last.
    pub fn end(mut self) -> anyhow::Result<Exit> {
        if self.header.is_none() {
            self.columns = selected(self.soql).unwrap_or_default();
        }
        let out = self.out.writer();
        let ended = match self.format {
            Format::Table => {
                let header: Vec<&str> = self.columns.iter().map(String::as_str).collect();
                render::columns(out, &header, &self.kept)
            }
            Format::Json if self.received == 0 => out.write_all(b"[]\n"),
            Format::Json => out.write_all(b"\n]\n"),
            Format::Csv | Format::Jsonl => Ok(()),
        };
        match ended {
            Ok(()) => self.out.end(),
            Err(error) => self.out.failed(error),
        }
    }
}

fn reader(text: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).from_reader(text)
}

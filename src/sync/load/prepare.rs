use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cut::{Uncut, cut};
use super::whole::Whole;
use super::{Load, LoadError};

/// The text that stands for null in an ingest file; an empty value leaves the field as it is.
const NULL: &str = "#N/A";

/// What a file to load is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// CSV with a header line.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl FileFormat {
    /// By the ending of a file's name; CSV where it says nothing.
    pub fn of(path: &Path) -> Self {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" | "json" => FileFormat::Jsonl,
            _ => FileFormat::Csv,
        }
    }
}

/// Makes the CSV that is sent, where the file is not that CSV already.
///
/// | file                                                    | what is sent                                             |
/// |---------------------------------------------------------|----------------------------------------------------------|
/// | CSV                                                     | the file, byte for byte                                  |
/// | CSV with columns that begin with `sf__`                 | the same rows without these: results that are fed back   |
/// | JSON lines                                              | a column for each key; null is `#N/A`, a missing key empty, `{"Owner":{"Ext__c":1}}` the column `Owner.Ext__c` |
///
/// # Errors
///
/// [`LoadError::Row`]: a line that is no JSON object, or holds a list. [`LoadError::Unreadable`], [`LoadError::Unwritable`].
pub(super) fn prepare(load: &Load) -> Result<PathBuf, LoadError> {
    let made = load.results.join("rows.csv");
    match load.format {
        FileFormat::Jsonl => from_json(&load.file, &made).map(|()| made),
        FileFormat::Csv => {
            let unreadable = LoadError::unreadable(&load.file);
            let file = File::open(&load.file).map_err(&unreadable)?;
            // Only the header line is asked for: a batch of the whole file is never cut.
            let head = cut(header_of(&file).map_err(&unreadable)?.as_slice(), u64::MAX);
            let head = head.map_err(|uncut| uncut.of(&load.file))?;
            let names =
                csv_reader(&head.header[..], head.delimiter.byte()).into_byte_records().flatten().next();
            let kept: Vec<usize> = names
                .iter()
                .flat_map(|names| names.iter().enumerate())
                .filter(|(_, name)| !name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sf__")))
                .map(|(at, _)| at)
                .collect();
            if names.is_none_or(|names| names.len() == kept.len()) {
                return Ok(load.file.clone());
            }
            without(&load.file, file, head.delimiter.byte(), &kept, &made).map(|()| made)
        }
    }
}

impl Uncut {
    pub(super) fn of(self, path: &Path) -> LoadError {
        match self {
            Uncut::Io(error) => LoadError::unreadable(path)(error),
            Uncut::Row(row, what) => LoadError::Row { path: path.to_path_buf(), row, what },
        }
    }
}

/// The header line, or what a file begins with.
fn header_of(mut file: &File) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let skip = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        if let Some(end) = crate::api::bulk::RowScan::first(&head[skip..]) {
            head.truncate(skip + end);
            return Ok(head);
        }
        let read = file.read(&mut piece)?;
        if read == 0 || head.len() > 2 * 1024 * 1024 {
            return Ok(head);
        }
        head.extend_from_slice(&piece[..read]);
    }
}

fn csv_reader<R: Read>(text: R, delimiter: u8) -> csv::Reader<R> {
    csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(text)
}

/// The rows without some of their columns.
fn without(path: &Path, file: File, delimiter: u8, kept: &[usize], made: &Path) -> Result<(), LoadError> {
    use std::io::Seek;
    let (unreadable, unwritable) = (LoadError::unreadable(path), LoadError::unwritable(made));
    let mut file = file;
    file.rewind().map_err(&unreadable)?;
    let whole = Whole::begin(made).map_err(&unwritable)?;
    let mut writer = csv::Writer::from_writer(whole);
    for (row, record) in csv_reader(file, delimiter).into_byte_records().enumerate() {
        let record = record.map_err(|error| LoadError::Row {
            path: path.to_path_buf(),
            row: row as u64,
            what: error.to_string(),
        })?;
        let cells = kept.iter().map(|at| record.get(*at).unwrap_or_default());
        writer.write_record(cells).map_err(|error| unwritable(error.into()))?;
    }
    let whole = writer.into_inner().map_err(|error| unwritable(error.into_error()))?;
    whole.finish().map_err(&unwritable)
}

/// CSV from JSON lines: the columns are all the keys there are, in the order in which they first appear.
fn from_json(path: &Path, made: &Path) -> Result<(), LoadError> {
    let unwritable = LoadError::unwritable(made);
    let mut columns: Vec<String> = Vec::new();
    let mut parents: Vec<String> = Vec::new();
    each_row(path, |cells| {
        for (name, _) in cells {
            if !columns.contains(&name) {
                parents.extend(name.match_indices('.').map(|(at, _)| name[..at].to_string()));
                columns.push(name);
            }
        }
        Ok(())
    })?;
    // `"Owner": null` says nothing of `Owner.Ext__c`, and `Owner` is no field.
    columns.retain(|name| !parents.contains(name));
    let whole = Whole::begin(made).map_err(&unwritable)?;
    let mut writer = csv::Writer::from_writer(whole);
    let written = |error: csv::Error| unwritable(error.into());
    if !columns.is_empty() {
        writer.write_record(&columns).map_err(written)?;
        each_row(path, |cells| {
            let cell = |name: &String| {
                let found = cells.iter().find(|(known, _)| known == name);
                found.map_or("", |(_, value)| value.as_str())
            };
            writer.write_record(columns.iter().map(cell)).map_err(written)
        })?;
    }
    let whole = writer.into_inner().map_err(|error| unwritable(error.into_error()))?;
    whole.finish().map_err(&unwritable)
}

/// The keys' paths, each with its text.
type Cells = Vec<(String, String)>;

fn each_row(path: &Path, mut row: impl FnMut(Cells) -> Result<(), LoadError>) -> Result<(), LoadError> {
    let unreadable = LoadError::unreadable(path);
    let file = BufReader::new(File::open(path).map_err(&unreadable)?);
    let mut number = 0;
    for line in file.split(b'\n') {
        let line = line.map_err(&unreadable)?;
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        number += 1;
        let wrong = |what: String| LoadError::Row { path: path.to_path_buf(), row: number, what };
        let text = std::str::from_utf8(line).map_err(|_| wrong("it is not UTF-8".into()))?;
        let object: Object<'_> = serde_json::from_str(text)
            .map_err(|error| wrong(format!("it is not a JSON object ({error})")))?;
        let mut cells = Vec::new();
        flatten("", object, &mut cells).map_err(wrong)?;
        row(cells)?;
    }
    Ok(())
}

fn flatten(before: &str, object: Object<'_>, cells: &mut Cells) -> Result<(), String> {
    for (key, raw) in object.0 {
        // What describes a row to REST is none of its fields.
        if key == "attributes" {
            continue;
        }
        let name = format!("{before}{key}");
        let raw = raw.get();
        let value = match raw.as_bytes().first() {
            Some(b'{') => {
                let below: Object<'_> = serde_json::from_str(raw).map_err(|error| error.to_string())?;
                flatten(&format!("{name}."), below, cells)?;
                continue;
            }
            Some(b'[') => return Err(format!("`{name}` holds a list")),
            Some(b'n') => NULL.to_string(),
            Some(b'"') => match serde_json::from_str::<String>(raw).map_err(|error| error.to_string())? {
                text if text.is_empty() => NULL.to_string(),
                text if text == NULL => {
                    return Err(format!("`{name}` holds the text {NULL}, which would become null"));
                }
                text => text,
            },
            // Numbers as they stand: a decimal loses no digit.
            _ => raw.to_string(),
        };
        cells.push((name, value));
    }
    Ok(())
}

/// A JSON object in its order, values not yet read.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

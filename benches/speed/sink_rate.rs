//! How fast rows land: prepared pages into each destination.
//!
//! `sink_rate prepare DIR ROWS` writes pages of 100,000 rows; `sink_rate sqlite|csv|jsonl|stdout|count DIR` lands them in
//! `DIR/KIND` and prints rows, megabytes, seconds and peak memory on stderr. One kind a process, because peaks never fall.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use sfmint::base::UnixSeconds;
use sfmint::base::job::{Deletes, DestinationPlace, Nul};
use sfmint::sync::csv::RowCutter;
use sfmint::sync::destination::{Landing, open};
use sfmint::sync::{Checkpoint, Column, ColumnKind};

/// Rows of a page. Salesforce's own default for `maxRecords` is of this size.
const PAGE: u64 = 100_000;
/// What comes at once from the network. Bytes.
const CHUNK: usize = 64 * 1024;

fn columns() -> Vec<Column> {
    vec![
        Column::new("Id", ColumnKind::Id),
        Column::new("Name", ColumnKind::Text),
        Column::new("Count__c", ColumnKind::Int),
        Column::new("Amount__c", ColumnKind::Decimal { precision: 18, scale: 2 }),
        Column::new("Active__c", ColumnKind::Bool),
        Column::new("Since__c", ColumnKind::Date),
        Column::new("Description", ColumnKind::Text),
        Column::new("OwnerId", ColumnKind::Id),
        Column::new("SystemModstamp", ColumnKind::DateTime),
    ]
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", folder, rows] => prepare(Path::new(folder), rows.parse()?),
        [kind, folder] => land(kind, Path::new(folder)),
        _ => Err("sink_rate prepare DIR ROWS | sink_rate KIND DIR".into()),
    }
}

fn prepare(folder: &Path, rows: u64) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    for (page, first) in (0..rows).step_by(PAGE as usize).enumerate() {
        let mut out = BufWriter::new(File::create(folder.join(format!("page-{page:04}")))?);
        let names: Vec<String> = columns().iter().map(|column| format!("\"{}\"", column.name)).collect();
        writeln!(out, "{}", names.join(","))?;
        for row in first..rows.min(first + PAGE) {
            write!(
                out,
                "\"001{row:012}AAA\",\"Customer {row} of \"\"the\"\" org\",\"{}\",\"{row}.25\",\"{}\",\"2026-01-02\",\
                 \"Street {row}, City\nsecond line of {}\",\"005000000000001AAA\",\"2026-01-02T03:04:05.000Z\"\n",
                row * 7,
                row % 2 == 0,
                row % 31,
            )?;
        }
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "measuring is what this is for")]
fn land(kind: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let at = folder.join(kind);
    let place = match kind {
        "sqlite" => DestinationPlace::Sqlite(at.join("sales.db")),
        "csv" | "count" => DestinationPlace::Csv(at),
        "jsonl" => DestinationPlace::Jsonl(at),
        _ => DestinationPlace::Stdout,
    };
    let landing = Landing {
        run_id: "20260102T030405Z-measured".into(),
        epoch: 1,
        at: UnixSeconds::new(1_767_323_045),
        object: "Account".parse()?,
        columns: columns(),
        id: Some(0),
        stamp: Some(8),
        is_deleted: None,
        whole: true,
        low: None,
        deletes: Deletes::Mark,
        nul: Nul::Replace,
    };
    let mut checkpoint = Checkpoint {
        job: "measured".into(),
        object: "Account".into(),
        org_id: "00D8d00000abCdEAAU".into(),
        epoch: 1,
        watermark: None,
        generation: 1,
        columns: columns(),
        reconciled_at: None,
        refreshed_at: None,
        verified_at: None,
        run: None,
    };
    let mut pages: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    pages.retain(|entry| entry.file_name().to_string_lossy().starts_with("page-"));
    pages.sort_by_key(std::fs::DirEntry::file_name);
    let mut destination = open(&place, &"measured".parse()?);
    let mut chunk = vec![0; CHUNK];
    let mut cutter = RowCutter::new(&landing.columns);
    let (mut rows, mut bytes) = (0, 0);
    let started = Instant::now();
    if kind != "count" {
        destination.begin(&landing)?;
    }
    for page in &pages {
        let mut page = File::open(page.path())?;
        cutter.reset();
        if kind != "count" {
            destination.begin_page()?;
        }
        loop {
            let read = page.read(&mut chunk)?;
            bytes += read as u64;
            if read == 0 {
                break;
            }
            for piece in cutter.push(&chunk[..read])? {
                rows += piece.count;
                if kind != "count" {
                    destination.rows(piece)?;
                }
            }
        }
        if kind != "count" {
            destination.commit_page(&mut checkpoint)?;
        }
    }
    let staged = started.elapsed().as_secs_f64();
    if kind != "count" {
        destination.publish(&checkpoint)?;
        drop(destination);
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let megabytes = bytes as f64 / 1e6;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim();
    writeln!(
        std::io::stderr(),
        "{kind}: {rows} rows, {megabytes:.0} MB, {seconds:.3} s ({staged:.3} s before publishing), {:.0} MB/s, {:.2} s of CPU, \
         peak {peak}",
        megabytes / seconds,
        cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
    )?;
    Ok(())
}

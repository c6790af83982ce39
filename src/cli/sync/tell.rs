use std::io::Write;

use serde::Serialize;

use crate::base::{Explain, Fault};
use crate::cli::report::in_words;
use crate::cli::{Exit, Global};
use crate::store::{RunOutcome, RunRow};
use crate::sync::{RunReport, Verified};

/// One run in `sync run --json`: a row of history, and what only the one who asked hears.
#[derive(Serialize)]
pub struct RunDocument<'a> {
    #[serde(flatten)]
    row: &'a RunRow,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<&'a Verified>,
}

impl<'a> From<&'a RunReport> for RunDocument<'a> {
    fn from(report: &'a RunReport) -> Self {
        Self { row: &report.row, notes: &report.notes, verified: report.verified.as_ref() }
    }
}

/// A run in one line: `accounts  complete  1,000 rows (988 written, 12 unchanged, 20 deleted)  bulk  2.1 s  watermark 2026-...`.
pub fn line(report: &RunReport) -> String {
    let RunRow { job, outcome, rows, transport, duration_ms, watermark, .. } = &report.row;
    let mut says = format!("{job}  {outcome}");
    match &report.verified {
        Some(verified) if report.plan.is_none() => says.push_str(&compared(verified)),
        _ if *outcome == RunOutcome::NothingDue => return says,
        _ => {
            says.push_str(&format!(
                "  {} rows ({} written, {} unchanged, {} deleted)",
                grouped(rows.received),
                grouped(rows.written),
                grouped(rows.unchanged),
                grouped(rows.deleted)
            ));
            if let Some(transport) = transport {
                says.push_str(&format!("  {transport}"));
            }
        }
    }
    says.push_str(&format!("  {}.{} s", duration_ms / 1000, duration_ms % 1000 / 100));
    if let Some(watermark) = watermark {
        says.push_str(&format!("  watermark {watermark}"));
    }
    says
}

fn compared(verified: &Verified) -> String {
    format!(
        "  {} rows in the org, {} here, {} changed since and set aside, {} differ",
        grouped(verified.org),
        grouped(verified.held),
        grouped(verified.set_aside),
        grouped(verified.differing)
    )
}

/// A number with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Says on stderr why a run did not end complete, with what to do, and which rows differ.
pub fn failure(report: &RunReport, global: &Global) {
    let mut stderr = std::io::stderr().lock();
    for row in report.verified.iter().flat_map(|verified| &verified.named).take(20) {
        let _ = writeln!(stderr, "  {} {}", row.what, row.id);
    }
    let Some(error) = &report.error else { return };
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        causes.push(crate::base::printable(&next.to_string(), 600));
        cause = next.source();
    }
    let says = format!("job `{}`: {error}", report.row.job);
    let _ = in_words(&mut stderr, &says, &causes, &error.hints(), global.colour(&std::io::stderr()));
}

/// How a command ends that ran several jobs: the worst of 70 > 78 > 77 > 74 > 65 > 75 > 0.
pub fn worst(reports: &[RunReport]) -> Exit {
    let rank = |fault: Fault| match fault {
        Fault::Bug => 6,
        Fault::Misuse => 5,
        Fault::Denied => 4,
        Fault::Disk => 3,
        Fault::Data => 2,
        Fault::Transient => 1,
    };
    let faults = reports.iter().filter_map(|report| report.error.as_ref()).map(|error| error.fault());
    faults.max_by_key(|fault| rank(*fault)).map_or(Exit::Done, Exit::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        for (number, says) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")] {
            assert_eq!(grouped(number), says);
        }
    }
}

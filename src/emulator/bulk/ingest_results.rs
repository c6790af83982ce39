use std::borrow::Cow;
use std::ops::Range;

use super::csv_reader::{CsvReader, Fields};
use super::dialect::{Dialect, LineEnding};
use super::ingest_job::IngestJob;
use super::query::wrong_state;
use crate::emulator::rest::Reply;

/// `successfulResults`, `failedResults` and `unprocessedrecords` (in whatever case) of a job that has ended.
pub(super) fn results(job: &IngestJob, which: &str, shuffled: bool) -> Reply {
    if !["successfulresults", "failedresults", "unprocessedrecords"].contains(&which) {
        return Reply::not_found();
    }
    if !job.state.is_terminal() {
        return wrong_state(job.state, "read results");
    }
    let data = job.data.clone().unwrap_or_default();
    let outcome = &job.outcome;
    let mut rows: Vec<(&Range<usize>, Vec<&str>)> = match which {
        "successfulresults" => outcome
            .written
            .iter()
            .map(|(span, id, created)| (span, vec![id.as_str(), if *created { "true" } else { "false" }]))
            .collect(),
        "failedresults" => {
            outcome.failed.iter().map(|(span, id, error)| (span, vec![id.as_str(), error.as_str()])).collect()
        }
        _ => outcome.unprocessed.iter().map(|span| (span, vec![])).collect(),
    };
    if shuffled && which != "unprocessedrecords" {
        // Batches end in any order: the later half comes first.
        let half = rows.len() / 2;
        rows.rotate_left(half);
    }
    let own: &[&str] = match which {
        "successfulresults" => &["sf__Id", "sf__Created"],
        "failedresults" => &["sf__Id", "sf__Error"],
        _ => &[],
    };
    let written = Dialect { delimiter: job.dialect.delimiter, ending: LineEnding::Lf };
    let mut fields: Fields<'_> = vec![];
    let mut out = vec![];
    let _ = CsvReader::new(&data, job.dialect).read(&mut fields);
    line(written, own, &fields, &mut out);
    for (span, before) in rows {
        let _ = CsvReader::new(&data[span.clone()], job.dialect).read(&mut fields);
        line(written, &before, &fields, &mut out);
    }
    Reply::new(200, "text/csv", out)
}

fn line(dialect: Dialect, before: &[&str], fields: &[Cow<'_, str>], out: &mut Vec<u8>) {
    let all = before.iter().copied().chain(fields.iter().map(AsRef::as_ref));
    dialect.line(all, out);
}

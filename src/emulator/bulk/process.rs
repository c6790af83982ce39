use super::csv_reader::{CsvMistake, CsvReader, Fields};
use super::dialect::LineEnding;
use super::ingest_job::{IngestJob, Operation, Outcome};
use super::state::JobState;
use crate::emulator::ids::record_id;
use crate::emulator::records::{Dml, Given, RowDeed, view};
use crate::emulator::state::{OrgState, Shared};
use crate::emulator::table::{Field, Table};

/// What sets a field to nothing. An empty value leaves it as it is.
const NULL: &str = "#N/A";

/// Where a column's values go.
enum Column {
    Field(usize),
    /// A reference, given by an external id of the record it points to: `Account.External_Id__c`.
    Parent {
        reference: usize,
        key: usize,
    },
}

/// Works through a job's rows, `most` of them at most, and ends it; with `error`, as Failed.
pub(in crate::emulator) fn process(
    org: &Shared,
    state: &mut OrgState,
    job: &mut IngestJob,
    most: usize,
    error: Option<String>,
) {
    let now = org.clock.now();
    match work(org, state, job, most) {
        Ok(outcome) => {
            job.outcome = outcome;
            let end = if error.is_some() { JobState::Failed } else { JobState::JobComplete };
            job.end(end, error, now);
        }
        Err((outcome, says)) => {
            job.outcome = outcome;
            job.end(JobState::Failed, Some(error.unwrap_or(says)), now);
        }
    }
}

type Worked = Result<Outcome, (Outcome, String)>;

fn work(org: &Shared, state: &mut OrgState, job: &IngestJob, most: usize) -> Worked {
    let data = job.data.clone().unwrap_or_default();
    let fail = |says: String| Err((Outcome::default(), says));
    let viewer = state.user(&job.owner);
    let owner = viewer.map(|user| user.id.clone()).unwrap_or_default();
    let Some(object) = view(org, state, viewer, job.object) else {
        return fail(format!("InvalidBatch : entity {} is gone", job.object));
    };
    let parents = view(org, state, viewer, "Account");
    let mut fields: Fields<'_> = vec![];
    // A text that cannot be read to its end is refused as a whole, before its first row is written.
    let mut whole = CsvReader::new(&data, job.dialect);
    loop {
        match whole.read(&mut fields) {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(mistake) => return fail(says(mistake, job)),
        }
    }
    let mut reader = CsvReader::new(&data, job.dialect);
    match reader.read(&mut fields) {
        Ok(Some(_)) => {}
        Ok(None) => return fail("InvalidBatch : The CSV has no header line".into()),
        Err(mistake) => return fail(says(mistake, job)),
    }
    let mut columns = vec![];
    for name in &fields {
        match column(object.fields(), parents.as_ref().map(|table| table.fields()), name) {
            Some(column) => columns.push(column),
            None => return fail(format!("InvalidBatch : Field name not found : {name}")),
        }
    }
    let discards = state.rules.bulk.discard_ingest;
    let by = job.external_id.as_deref().and_then(|name| at(object.fields(), name));
    let deed = match (job.operation, by) {
        (Operation::Insert, _) => RowDeed::Insert,
        (Operation::Update, _) => RowDeed::Update,
        (Operation::Upsert, by) => RowDeed::Upsert(by.unwrap_or_default()),
        (Operation::Delete, _) => RowDeed::Delete,
        (Operation::HardDelete, _) => RowDeed::HardDelete,
    };
    let mut dml = Dml::new(object, deed, &owner, org.clock.now().get());
    let overlay = state.records.overlay(job.object);
    let mut outcome = Outcome::default();
    loop {
        let span = match reader.read(&mut fields) {
            Ok(Some(span)) => span,
            Ok(None) => return Ok(outcome),
            Err(mistake) => return Err((outcome, says(mistake, job))),
        };
        let done = outcome.written.len() + outcome.failed.len();
        if done >= most {
            outcome.unprocessed.push(span);
            continue;
        }
        if discards {
            let made = job.operation == Operation::Insert;
            outcome.written.push((span, record_id("001", done as u64 + 1), made));
            continue;
        }
        if fields.len() != columns.len() {
            let says = format!("{} fields where the header line has {}", fields.len(), columns.len());
            outcome.failed.push((span, String::new(), format!("INVALID_FIELD:{says}:--")));
            continue;
        }
        let mut values = vec![];
        let mut unknown = None;
        for (column, text) in columns.iter().zip(&fields) {
            match column {
                Column::Field(at) => values.push((*at, given(text))),
                Column::Parent { .. } if text.is_empty() => {}
                Column::Parent { reference, key } => {
                    let parent = parents.as_ref().and_then(|table| {
                        (0..table.len()).filter(|row| table.exists(*row) && !table.is_deleted(*row)).find(
                            |row| {
                                table.cell(*row, *key) == crate::emulator::table::Cell::text(text.to_string())
                            },
                        )
                    });
                    match parent {
                        Some(row) => values.push((*reference, Given::Text(record_id("001", row + 1)))),
                        None => unknown = Some(text.to_string()),
                    }
                }
            }
        }
        if let Some(text) = unknown {
            let error = format!("INVALID_FIELD:Foreign key external ID: {text} not found for field:--");
            outcome.failed.push((span, String::new(), error));
            continue;
        }
        match dml.write(overlay, &values) {
            Ok(written) => outcome.written.push((span, dml.id(written.row), written.created)),
            Err(error) => {
                let line = error.line();
                outcome.failed.push((span, error.id.unwrap_or_default(), line));
            }
        }
    }
}

fn given(text: &str) -> Given {
    match text {
        "" => Given::Keep,
        NULL => Given::Null,
        text => Given::Text(text.into()),
    }
}

fn at(fields: &[Field], name: &str) -> Option<usize> {
    fields.iter().position(|field| field.name.eq_ignore_ascii_case(name))
}

fn column(fields: &[Field], parents: Option<&[Field]>, name: &str) -> Option<Column> {
    match name.split_once('.') {
        None => at(fields, name).map(Column::Field),
        Some((relation, key)) => {
            let reference = at(fields, &format!("{relation}Id"))?;
            let key = at(parents?, key).filter(|at| parents.is_some_and(|all| all[*at].external_id))?;
            Some(Column::Parent { reference, key })
        }
    }
}

fn says(mistake: CsvMistake, job: &IngestJob) -> String {
    let ending = if job.dialect.ending == LineEnding::Lf { "LF" } else { "CRLF" };
    match mistake {
        CsvMistake::LineEnding => {
            format!(
                "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {ending}"
            )
        }
        CsvMistake::Quote => "InvalidBatch : A quote in the CSV is not closed or not alone".into(),
        CsvMistake::NotUtf8 => "InvalidBatch : The CSV is not UTF-8".into(),
    }
}

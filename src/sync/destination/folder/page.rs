use super::Run;
use super::format::Format;
use super::stage::Stage;
use crate::base::job::Deletes;
use crate::sync::Rows;
use crate::sync::csv::{Cell, RowReader, Unclean};
use crate::sync::destination::{DestinationError, page_error};

/// Writes rows of the page that is open.
///
/// Rows of CSV that replace everything go through as they are, with one look for NUL characters; all others are read cell
/// by cell.
pub(super) fn write(
    run: &mut Run,
    stage: &mut Stage,
    format: Format,
    rows: Rows<'_>,
) -> Result<(), DestinationError> {
    let before = run.rows_in_page;
    let count = rows.count;
    run.rows_in_page += count;
    let landing = &run.landing;
    let rows = run.cleaner.clean(rows).map_err(|unclean| page_error(unclean, before))?;
    if format == Format::Csv && landing.whole && landing.is_deleted.is_none() {
        stage.write(rows.text)?;
        run.landed.written += count;
        return Ok(());
    }
    Unclean::utf8(&rows).map_err(|unclean| page_error(unclean, before))?;
    let width = landing.columns.len();
    let mut reader = RowReader::new(rows.text, width);
    let mut cells: Vec<Cell<'_>> = Vec::with_capacity(width);
    let mut line = Vec::new();
    let passes = format == Format::Csv && landing.whole && landing.deletes != Deletes::Ignore;
    let mut read = 0;
    while let Some(text) = reader.next_row(&mut cells).map_err(|misfit| page_error(misfit, before))? {
        read += 1;
        let deleted = landing.is_deleted.is_some_and(|at| cells[at].raw() == b"true");
        if deleted && landing.deletes == Deletes::Ignore {
            run.landed.unchanged += 1;
            continue;
        }
        let text = match format {
            Format::Csv => text,
            Format::Jsonl => {
                line.clear();
                run.json.render(&cells, &mut line);
                &line
            }
        };
        let id = landing.id.map_or(&b""[..], |at| cells[at].raw());
        if landing.id.is_some() && id.is_empty() {
            let why = "its Id is empty".to_string();
            return Err(DestinationError::Row { row: before + read, why });
        }
        if run.delivered.holds(id, text) {
            run.landed.unchanged += 1;
            continue;
        }
        if !passes {
            stage.write(text)?;
        }
        if let Some(stamp) = landing.stamp.and_then(|at| std::str::from_utf8(cells[at].raw()).ok()) {
            stage.note(stamp);
        }
        run.landed.written += 1;
        run.landed.deleted += u64::from(deleted);
    }
    if read != count {
        let why = format!("{count} rows were counted, and {read} read");
        return Err(DestinationError::Row { row: before + read, why });
    }
    match passes {
        true => stage.write(rows.text),
        false => Ok(()),
    }
}

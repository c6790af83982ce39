use rusqlite::{Connection, Statement};

use super::Run;
use super::names::quoted;
use super::trouble::Trouble;
use super::value::{Text, bind};
use crate::base::job::{Deletes, Nul};
use crate::sync::Rows;
use crate::sync::csv::{Cell, Cleaner, RowReader, Unclean};
use crate::sync::destination::{DestinationError, Landed, page_error};

/// A page on its way into a table: all of it is in one transaction.
#[derive(Debug)]
pub(super) struct Page {
    cleaner: Cleaner,
    rows: u64,
    landed: Landed,
}

impl Page {
    pub(super) fn new(nul: Nul) -> Self {
        Self { cleaner: Cleaner::new(nul), rows: 0, landed: Landed::default() }
    }

    pub(super) fn landed(&self) -> Landed {
        Landed { nuls: self.cleaner.nuls, ..self.landed }
    }

    /// Writes rows into the run's table.
    pub(super) fn write(&mut self, db: &Connection, run: &Run, rows: Rows<'_>) -> Result<(), Trouble> {
        let before = self.rows;
        let count = rows.count;
        let rows = self.cleaner.clean(rows).map_err(|unclean| page_error(unclean, before))?;
        Unclean::utf8(&rows).map_err(|unclean| page_error(unclean, before))?;
        let landing = &run.landing;
        let mut put = db.prepare_cached(&run.put_sql)?;
        let mut remove = match (landing.id, landing.is_deleted, landing.deletes) {
            (Some(id), Some(_), Deletes::Remove) => {
                Some(db.prepare_cached(&remove_sql(run.target(), &run.names[id]))?)
            }
            _ => None,
        };
        let width = landing.columns.len();
        put.raw_bind_parameter(width + 1, &landing.run_id)?;
        put.raw_bind_parameter(width + 2, landing.at.to_string())?;
        let mut reader = RowReader::new(rows.text, width);
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(width);
        let mut row = before;
        while reader.next_row(&mut cells).map_err(|misfit| page_error(misfit, before))?.is_some() {
            row += 1;
            let deleted = landing.is_deleted.is_some_and(|at| cells[at].raw() == b"true");
            let id = landing.id.map(|at| cells[at]);
            if id.is_some_and(|id| id.is_empty()) {
                return Err(DestinationError::Row { row, why: "its Id is empty".to_string() }.into());
            }
            let changed = match (deleted, landing.deletes, &mut remove, id) {
                (true, Deletes::Ignore, _, _) => false,
                (true, _, Some(remove), Some(id)) => step(remove, id)?,
                _ => {
                    for (at, (cell, column)) in cells.iter().zip(&landing.columns).enumerate() {
                        bind(&mut put, at + 1, *cell, column.kind)?;
                    }
                    put.raw_execute()? > 0
                }
            };
            self.landed.written += u64::from(changed);
            self.landed.unchanged += u64::from(!changed);
            self.landed.deleted += u64::from(changed && deleted);
        }
        self.rows += count;
        match row - before == count {
            true => Ok(()),
            false => Err(DestinationError::Row {
                row,
                why: format!("{} rows were counted, and {} read", count, row - before),
            }
            .into()),
        }
    }
}

fn step(remove: &mut Statement<'_>, id: Cell<'_>) -> Result<bool, Trouble> {
    remove.raw_bind_parameter(1, Text(&id.value()))?;
    Ok(remove.raw_execute()? > 0)
}

/// One row in; where its Id is held, only if anything differs.
///
/// A stamp has whole seconds, so a row that changes twice in one keeps its stamp the second time: what tells an unchanged
/// row is every column. Formula fields change without a stamp, and are taken along here.
pub(super) fn put_sql(target: &str, names: &[String], id: Option<usize>) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let columns = names.join(", ");
    let values: Vec<String> = (1..=names.len() + 2).map(|at| format!("?{at}")).collect();
    let insert = format!(
        "INSERT INTO {table} ({columns}, _sfmint_run_id, _sfmint_synced_at) VALUES ({})",
        values.join(", "),
        table = quoted(target),
    );
    let Some(id) = id else { return insert };
    let table = quoted(target);
    let others = || names.iter().enumerate().filter(|(at, _)| *at != id).map(|(_, name)| name);
    let ours: Vec<String> = others().map(|name| format!("{table}.{name}")).collect();
    let theirs: Vec<String> = others().map(|name| format!("excluded.{name}")).collect();
    let sets: Vec<String> = others().map(|name| format!("{name} = excluded.{name}, ")).collect();
    let differs = match ours.as_slice() {
        [] => String::new(),
        [one] => format!("{one} IS NOT {} OR ", theirs[0]),
        _ => format!("({}) IS NOT ({}) OR ", ours.join(", "), theirs.join(", ")),
    };
    format!(
        "{insert} ON CONFLICT ({id}) DO UPDATE SET {sets}_sfmint_run_id = excluded._sfmint_run_id,
         _sfmint_synced_at = excluded._sfmint_synced_at, _sfmint_deleted_at = NULL
         WHERE {differs}{table}._sfmint_deleted_at IS NOT NULL",
        id = names[id],
        sets = sets.concat(),
    )
}

fn remove_sql(target: &str, id: &str) -> String {
    format!("DELETE FROM {} WHERE {} = ?1", quoted(target), quoted(id))
}

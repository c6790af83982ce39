use std::collections::BTreeSet;

use rusqlite::Connection;

use super::ledger;
use super::names::quoted;
use super::trouble::Trouble;
use super::value::declared;
use crate::base::JobName;
use crate::sync::destination::{DestinationError, Landing};

/// Where a run's rows go.
#[derive(Debug)]
pub(super) struct Tables {
    /// The table that people read.
    pub table: String,
    /// The one that is written: the same, or the stage of a run that replaces everything.
    pub target: String,
}

fn stage_of(object: &str) -> String {
    format!("_sfmint_stage_{object}")
}

pub(super) fn exists(db: &Connection, table: &str) -> Result<bool, Trouble> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
    Ok(db.query_row(sql, [table], |row| row.get::<_, i64>(0))? > 0)
}

pub(super) fn stage_exists(db: &Connection, object: &str) -> Result<bool, Trouble> {
    exists(db, &stage_of(object))
}

/// Makes or widens the table, opens a stage or goes on with it.
pub(super) fn make_ready(
    db: &Connection,
    job: &JobName,
    landing: &Landing,
    names: &[String],
    place: &str,
) -> Result<Tables, Trouble> {
    let table = landing.object.to_string();
    let stage = stage_of(&table);
    if let Some(other) = ledger::other_owner(db, job, &table)? {
        let found = format!("the table `{table}`, which job `{other}` writes");
        return Err(DestinationError::Foreign { place: place.to_string(), found }.into());
    }
    if exists(db, &table)? && !ledger::has_written(db, job, &table)? && !has_our_columns(db, &table)? {
        let found = format!("a table `{table}` that no job wrote");
        return Err(DestinationError::Foreign { place: place.to_string(), found }.into());
    }
    let progress = ledger::read(db, job)?.and_then(|checkpoint| checkpoint.run);
    let goes_on = progress.as_ref().filter(|run| run.run_id == landing.run_id && run.whole && landing.whole);
    match goes_on {
        Some(run) if !exists(db, &stage)? && run.received > 0 => {
            let found = format!("the {} rows that run {} staged are gone", run.received, run.run_id);
            return Err(DestinationError::Damaged { place: place.to_string(), found }.into());
        }
        Some(_) => {}
        None => drop_stage(db, &table)?,
    }
    let target = if landing.whole { stage } else { table.clone() };
    match exists(db, &target)? {
        true => widen(db, &target, landing, names)?,
        false => db.execute_batch(&create_sql(&target, landing, names))?,
    }
    Ok(Tables { table, target })
}

/// A table that has our columns was ours before its checkpoint was lost.
fn has_our_columns(db: &Connection, table: &str) -> Result<bool, Trouble> {
    let names = columns_of(db, table)?;
    Ok(["_sfmint_run_id", "_sfmint_synced_at", "_sfmint_deleted_at"]
        .iter()
        .all(|ours| names.iter().any(|(name, _)| name == ours)))
}

/// Names and declared types of a table's columns.
fn columns_of(db: &Connection, table: &str) -> Result<Vec<(String, String)>, Trouble> {
    let mut statement = db.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
    let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn create_sql(table: &str, landing: &Landing, names: &[String]) -> String {
    let mut columns: Vec<String> = (names.iter().zip(&landing.columns).enumerate())
        .map(|(at, (name, column))| {
            let key = if landing.id == Some(at) { " PRIMARY KEY NOT NULL" } else { "" };
            format!("{} {}{key}", quoted(name), declared(column.kind)).trim_end().to_string()
        })
        .collect();
    for ours in ["_sfmint_run_id", "_sfmint_synced_at", "_sfmint_deleted_at"] {
        columns.push(format!("{ours} TEXT"));
    }
    format!("CREATE TABLE {} (\n  {}\n)", quoted(table), columns.join(",\n  "))
}

/// Adds the columns that the table lacks; drops none, ever.
fn widen(db: &Connection, table: &str, landing: &Landing, names: &[String]) -> Result<(), Trouble> {
    let there: BTreeSet<String> =
        columns_of(db, table)?.into_iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    for (name, column) in names.iter().zip(&landing.columns) {
        if !there.contains(&name.to_ascii_lowercase()) {
            let kind = declared(column.kind);
            db.execute_batch(&format!("ALTER TABLE {} ADD COLUMN {} {kind}", quoted(table), quoted(name)))?;
        }
    }
    Ok(())
}

pub(super) fn drop_stage(db: &Connection, object: &str) -> Result<(), Trouble> {
    Ok(db.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&stage_of(object))))?)
}

/// Puts the stage in the table's place. Columns that are no longer read stay, empty; indexes and triggers that people made
/// on the table are made again; views name it as before.
pub(super) fn swap(db: &Connection, tables: &Tables) -> Result<(), Trouble> {
    let (table, stage) = (quoted(&tables.table), quoted(&tables.target));
    let mut again = Vec::new();
    if exists(db, &tables.table)? {
        let there: BTreeSet<String> =
            columns_of(db, &tables.target)?.into_iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        for (name, kind) in columns_of(db, &tables.table)? {
            if !there.contains(&name.to_ascii_lowercase()) {
                db.execute_batch(&format!("ALTER TABLE {stage} ADD COLUMN {} {kind}", quoted(&name)))?;
            }
        }
        let mut statement = db.prepare(
            "SELECT sql FROM sqlite_schema
             WHERE type IN ('index', 'trigger') AND tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL",
        )?;
        let rows = statement.query_map([&tables.table], |row| row.get::<_, String>(0))?;
        again = rows.collect::<Result<_, _>>()?;
        drop(statement);
        db.execute_batch(&format!("DROP TABLE {table}"))?;
    }
    db.execute_batch(&format!("ALTER TABLE {stage} RENAME TO {table}"))?;
    for sql in again {
        db.execute_batch(&sql)?;
    }
    Ok(())
}

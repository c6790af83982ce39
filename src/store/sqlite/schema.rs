use rusqlite::{Connection, TransactionBehavior, params};

use super::trouble::Trouble;
use crate::base::UnixSeconds;

/// `sfmt` in ASCII: marks a database as ours (`PRAGMA application_id`).
pub(super) const APPLICATION_ID: i32 = 0x7366_6d74;

/// One step of the schema, forward only. Its number never changes once released, nor does its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    pub version: u32,
    pub name: &'static str,
    pub sql: &'static str,
}

/// All steps, oldest first. The version of a store is that of the last step it went through.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "mints and leases", sql: include_str!("schema/0001_mints_and_leases.sql") },
    Migration { version: 2, name: "runs, checkpoints, baselines", sql: include_str!("schema/0002_runs.sql") },
];

/// The version that a list of steps ends in.
pub(super) fn newest(migrations: &[Migration]) -> u32 {
    migrations.last().map_or(0, |step| step.version)
}

/// Takes the steps that are still to be taken, each in its own transaction.
pub(super) fn advance(
    db: &mut Connection,
    migrations: &[Migration],
    from: u32,
    now: UnixSeconds,
) -> Result<(), Trouble> {
    for step in migrations.iter().filter(|step| step.version > from) {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step.sql)?;
        transaction.execute(
            "INSERT INTO migrations (version, name, applied_at, sfmint_version) VALUES (?1, ?2, ?3, ?4)",
            params![step.version, step.name, now.get(), env!("CARGO_PKG_VERSION")],
        )?;
        transaction.pragma_update(None, "user_version", step.version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Whether the schema in the file is, word for word, what the steps make. Looked at only when a statement
/// was refused: then either we are wrong or the file is.
pub(super) fn is_as_made(db: &Connection, migrations: &[Migration]) -> bool {
    let made = || -> Result<Vec<String>, Trouble> {
        let mut fresh = Connection::open_in_memory()?;
        advance(&mut fresh, migrations, 0, UnixSeconds::new(0))?;
        texts(&fresh)
    };
    matches!((made(), texts(db)), (Ok(made), Ok(found)) if made == found)
}

fn texts(db: &Connection) -> Result<Vec<String>, Trouble> {
    let mut statement =
        db.prepare("SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

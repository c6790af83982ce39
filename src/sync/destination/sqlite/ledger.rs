use rusqlite::{Connection, OptionalExtension, params};

use super::trouble::Trouble;
use crate::base::JobName;
use crate::sync::Checkpoint;
use crate::sync::destination::{DestinationError, Landing};

/// What a job knows of itself; none where it never came to the end of a page or a run.
pub(super) fn read(db: &Connection, job: &JobName) -> Result<Option<Checkpoint>, Trouble> {
    if !super::table::exists(db, "_sfmint_checkpoint")? {
        return Ok(None);
    }
    let text: Option<Option<String>> = db
        .query_row("SELECT checkpoint FROM _sfmint_checkpoint WHERE job = ?1", [job.as_str()], |row| {
            row.get(0)
        })
        .optional()?;
    text.flatten()
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Trouble::Nonsense(format!("its checkpoint cannot be read: {error}")))
}

/// Keeps the checkpoint; part of the caller's transaction.
pub(super) fn write(db: &Connection, job: &JobName, checkpoint: &Checkpoint) -> Result<(), Trouble> {
    let text = serde_json::to_string(checkpoint).map_err(|error| Trouble::Nonsense(error.to_string()))?;
    db.execute(
        "INSERT INTO _sfmint_checkpoint (job, object, epoch, checkpoint) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (job) DO UPDATE SET object = ?2, epoch = ?3, checkpoint = ?4",
        params![job.as_str(), checkpoint.object, epoch(checkpoint.epoch), text],
    )?;
    Ok(())
}

/// Makes it known that the epoch's holder writes here now.
pub(super) fn claim(db: &Connection, job: &JobName, landing: &Landing) -> Result<(), Trouble> {
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS _sfmint_checkpoint (
             job TEXT PRIMARY KEY NOT NULL, object TEXT NOT NULL, epoch INTEGER NOT NULL, checkpoint TEXT)",
    )?;
    db.execute(
        "INSERT INTO _sfmint_checkpoint (job, object, epoch) VALUES (?1, ?2, ?3)
         ON CONFLICT (job) DO UPDATE SET epoch = ?3",
        params![job.as_str(), landing.object.as_str(), epoch(landing.epoch)],
    )?;
    Ok(())
}

/// Refuses a holder whose lease somebody else has had since.
pub(super) fn fence(db: &Connection, job: &JobName, ours: u64, place: &str) -> Result<(), Trouble> {
    if !super::table::exists(db, "_sfmint_checkpoint")? {
        return Ok(());
    }
    let newest: Option<i64> = db
        .query_row("SELECT epoch FROM _sfmint_checkpoint WHERE job = ?1", [job.as_str()], |row| row.get(0))
        .optional()?;
    match newest {
        Some(newest) if newest > epoch(ours) => {
            Err(DestinationError::Fenced { place: place.to_string(), ours, newest: newest.unsigned_abs() }
                .into())
        }
        _ => Ok(()),
    }
}

/// Another job that writes `object` into this file.
pub(super) fn other_owner(db: &Connection, job: &JobName, object: &str) -> Result<Option<String>, Trouble> {
    let sql = "SELECT job FROM _sfmint_checkpoint WHERE object = ?1 COLLATE NOCASE AND job <> ?2";
    Ok(db.query_row(sql, [object, job.as_str()], |row| row.get(0)).optional()?)
}

/// Whether this job has written `object` before.
pub(super) fn has_written(db: &Connection, job: &JobName, object: &str) -> Result<bool, Trouble> {
    let sql = "SELECT 1 FROM _sfmint_checkpoint WHERE object = ?1 COLLATE NOCASE AND job = ?2 AND checkpoint IS NOT NULL";
    Ok(db.query_row(sql, [object, job.as_str()], |_| Ok(())).optional()?.is_some())
}

fn epoch(epoch: u64) -> i64 {
    i64::try_from(epoch).unwrap_or(i64::MAX)
}

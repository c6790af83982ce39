use rusqlite::{Connection, OptionalExtension, params};

use super::trouble::Trouble;
use crate::base::{JobName, UnixSeconds};
use crate::store::{Baseline, CheckpointCopy};

/// Keeps the copy of a checkpoint in place of the one before.
pub(super) fn put_checkpoint(db: &Connection, copy: &CheckpointCopy) -> Result<(), Trouble> {
    db.execute(
        "INSERT INTO checkpoint (job, checkpoint, updated_at, epoch) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (job) DO UPDATE SET checkpoint = ?2, updated_at = ?3, epoch = ?4",
        params![
            copy.job.as_str(),
            copy.text,
            copy.updated_at.get(),
            i64::try_from(copy.epoch).unwrap_or(i64::MAX)
        ],
    )?;
    Ok(())
}

/// The copy of a job's checkpoint.
pub(super) fn checkpoint(db: &Connection, job: &JobName) -> Result<Option<CheckpointCopy>, Trouble> {
    let sql = "SELECT checkpoint, updated_at, epoch FROM checkpoint WHERE job = ?1";
    let found = db.query_row(sql, [job.as_str()], |row| {
        Ok(CheckpointCopy {
            job: job.clone(),
            text: row.get(0)?,
            updated_at: UnixSeconds::new(row.get(1)?),
            epoch: row.get::<_, i64>(2)?.unsigned_abs(),
        })
    });
    Ok(found.optional()?)
}

/// Keeps a baseline in place of the one before.
pub(super) fn put_baseline(db: &Connection, baseline: &Baseline) -> Result<(), Trouble> {
    let fields = serde_json::to_string(&baseline.fields);
    let fields = fields.map_err(|error| Trouble::Nonsense(error.to_string()))?;
    db.execute(
        "INSERT INTO baseline (job, fields, taken_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (job) DO UPDATE SET fields = ?2, taken_at = ?3",
        params![baseline.job.as_str(), fields, baseline.taken_at.get()],
    )?;
    Ok(())
}

/// A job's baseline.
pub(super) fn baseline(db: &Connection, job: &JobName) -> Result<Option<Baseline>, Trouble> {
    let sql = "SELECT fields, taken_at FROM baseline WHERE job = ?1";
    let found = db.query_row(sql, [job.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
    let Some((fields, taken_at)) = found.optional()? else { return Ok(None) };
    let fields = serde_json::from_str(&fields)
        .map_err(|_| Trouble::Nonsense(format!("the baseline of job `{job}` was never written so")))?;
    Ok(Some(Baseline { job: job.clone(), fields, taken_at: UnixSeconds::new(taken_at) }))
}

/// Forgets what was kept of a job, but for its runs.
pub(super) fn reset(db: &Connection, job: &JobName) -> Result<(), Trouble> {
    db.execute("DELETE FROM checkpoint WHERE job = ?1", [job.as_str()])?;
    db.execute("DELETE FROM baseline WHERE job = ?1", [job.as_str()])?;
    Ok(())
}

/// Reads every row and keeps none: whether each holds what may have been written.
pub(super) fn check(db: &Connection) -> Result<(), Trouble> {
    for (table, column) in [("checkpoint", "checkpoint"), ("baseline", "fields")] {
        let mut statement = db.prepare(&format!("SELECT job, {column} FROM {table}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (job, text): (String, String) = (row.get(0)?, row.get(1)?);
            let sound = job.parse::<JobName>().is_ok()
                && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            if !sound {
                let what = format!("a row of `{table}` holds what was never written");
                return Err(Trouble::Nonsense(what));
            }
        }
    }
    Ok(())
}

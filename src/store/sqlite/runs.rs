use std::str::FromStr;

use rusqlite::{Connection, Row, params};

use super::leases;
use super::trouble::Trouble;
use crate::base::{ConnectionName, JobName, UnixSeconds};
use crate::store::{
    Held, RunError, RunOutcome, RunQuery, RunRow, RunRows, RunWindow, SchemaReport, UserFacts,
};

/// Every column of a row, in the order of [`put`] and [`read`].
const COLUMNS: &str = "run_id, job, connection, object, kind, transport, outcome, scheduled_for, started_at, ended_at, \
     window_low, window_high, rows_expected, rows_received, rows_written, rows_unchanged, rows_deleted, nuls, watermark, \
     api_calls, mints, bytes, duration_ms, error_code, error_message, schema_report, user_id, user_profile, \
     user_permission_sets, user_views_all_data, user_views_all_records, epoch, host, pid, sfmint_version";

/// Adds a run, or puts its later row in place of the earlier. One that begins ends its job's unfinished ones: whoever has
/// the lease now proves that nobody else has.
pub(super) fn put(db: &Connection, row: &RunRow) -> Result<(), Trouble> {
    if row.outcome == RunOutcome::Running {
        db.execute(
            "UPDATE run SET outcome = 'abandoned' WHERE job = ?1 AND outcome = 'running' AND run_id <> ?2",
            [row.job.as_str(), &row.run_id],
        )?;
    }
    let names: Vec<&str> = COLUMNS.split(", ").collect();
    let marks: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
    let again: Vec<String> = names[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let sql = format!(
        "INSERT INTO run ({COLUMNS}) VALUES ({}) ON CONFLICT (run_id) DO UPDATE SET {}",
        marks.join(", "),
        again.join(", ")
    );
    let seconds = |at: Option<UnixSeconds>| at.map(UnixSeconds::get);
    let (error, user) = (row.error.as_ref(), row.user.as_ref());
    db.execute(
        &sql,
        params![
            row.run_id,
            row.job.as_str(),
            row.connection.as_str(),
            row.object.as_str(),
            row.kind.as_str(),
            row.transport.map(|transport| transport.as_str()),
            row.outcome.as_str(),
            seconds(row.scheduled_for),
            row.started_at.get(),
            seconds(row.ended_at),
            seconds(row.window.low),
            seconds(row.window.high),
            row.rows.expected.map(number),
            number(row.rows.received),
            number(row.rows.written),
            number(row.rows.unchanged),
            number(row.rows.deleted),
            number(row.rows.nuls),
            seconds(row.watermark),
            number(row.api_calls),
            number(row.mints),
            number(row.bytes),
            number(row.duration_ms),
            error.map(|error| &error.code),
            error.map(|error| &error.message),
            row.schema.as_ref().map(json).transpose()?,
            user.map(|user| &user.user_id),
            user.and_then(|user| user.profile.as_ref()),
            user.map(|user| json(&user.permission_sets)).transpose()?,
            user.and_then(|user| user.views_all_data),
            user.and_then(|user| user.views_all_records),
            number(row.epoch),
            row.host,
            row.pid,
            row.version,
        ],
    )?;
    Ok(())
}

/// Reads runs as they are to be seen at `now`, newest first.
pub(super) fn select(db: &Connection, query: &RunQuery, now: UnixSeconds) -> Result<Vec<RunRow>, Trouble> {
    let held = leases::held(db, now)?;
    let mut found = Vec::new();
    let most = query.limit as usize;
    each(db, query, &held, |row| {
        if found.len() < most {
            found.push(row);
        }
        found.len() < most
    })?;
    Ok(found)
}

/// Reads every row and keeps none: whether each holds what may have been written.
pub(super) fn check(db: &Connection) -> Result<(), Trouble> {
    each(db, &RunQuery::default(), &[], |_| true)
}

/// Gives each row to `take`, until it has enough.
fn each(
    db: &Connection,
    query: &RunQuery,
    held: &[Held],
    mut take: impl FnMut(RunRow) -> bool,
) -> Result<(), Trouble> {
    let sql = format!(
        "SELECT {COLUMNS}, id FROM run WHERE started_at >= ?1 AND (?2 IS NULL OR job = ?2) AND (?3 IS NULL OR connection = ?3)
         ORDER BY started_at DESC, id DESC"
    );
    let mut statement = db.prepare(&sql)?;
    let since = query.since.map_or(i64::MIN, UnixSeconds::get);
    let job = query.job.as_ref().map(JobName::as_str);
    let connection = query.connection.as_ref().map(ConnectionName::as_str);
    let mut rows = statement.query(params![since, job, connection])?;
    while let Some(row) = rows.next()? {
        let row = read(row)?.seen_beside(held);
        if query.outcome.is_none_or(|outcome| outcome == row.outcome) && !take(row) {
            break;
        }
    }
    Ok(())
}

/// Forgets runs that began before `before`, but for the newest complete one of each job.
pub(super) fn prune(db: &Connection, before: UnixSeconds) -> Result<u64, Trouble> {
    let forgotten = db.execute(
        "DELETE FROM run WHERE started_at < ?1 AND run_id NOT IN (
             SELECT run_id FROM (
                 SELECT run_id, row_number() OVER (PARTITION BY job ORDER BY started_at DESC, id DESC) AS place
                 FROM run WHERE outcome = 'complete')
             WHERE place = 1)",
        [before.get()],
    )?;
    Ok(forgotten as u64)
}

fn read(row: &Row<'_>) -> Result<RunRow, Trouble> {
    let code: Option<String> = row.get(23)?;
    let user_id: Option<String> = row.get(26)?;
    Ok(RunRow {
        run_id: row.get(0)?,
        job: word(row, 1)?,
        connection: word(row, 2)?,
        object: word(row, 3)?,
        kind: word(row, 4)?,
        transport: match row.get::<_, Option<String>>(5)? {
            None => None,
            Some(_) => Some(word(row, 5)?),
        },
        outcome: word(row, 6)?,
        scheduled_for: moment(row, 7)?,
        started_at: UnixSeconds::new(row.get(8)?),
        ended_at: moment(row, 9)?,
        window: RunWindow { low: moment(row, 10)?, high: moment(row, 11)? },
        rows: RunRows {
            expected: row.get::<_, Option<i64>>(12)?.map(i64::unsigned_abs),
            received: count(row, 13)?,
            written: count(row, 14)?,
            unchanged: count(row, 15)?,
            deleted: count(row, 16)?,
            nuls: count(row, 17)?,
        },
        watermark: moment(row, 18)?,
        api_calls: count(row, 19)?,
        mints: count(row, 20)?,
        bytes: count(row, 21)?,
        duration_ms: count(row, 22)?,
        error: match code {
            None => None,
            Some(code) => Some(RunError { code, message: row.get(24)? }),
        },
        schema: parsed::<SchemaReport>(row, 25)?,
        user: match user_id {
            None => None,
            Some(user_id) => Some(UserFacts {
                user_id,
                profile: row.get(27)?,
                permission_sets: parsed(row, 28)?.unwrap_or_default(),
                views_all_data: row.get(29)?,
                views_all_records: row.get(30)?,
            }),
        },
        epoch: count(row, 31)?,
        host: row.get(32)?,
        pid: row.get(33)?,
        version: row.get(34)?,
    })
}

/// What is too large for SQLite's signed integers is kept at their end.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(row: &Row<'_>, column: usize) -> Result<u64, Trouble> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}

fn moment(row: &Row<'_>, column: usize) -> Result<Option<UnixSeconds>, Trouble> {
    Ok(row.get::<_, Option<i64>>(column)?.map(UnixSeconds::new))
}

fn word<T: FromStr>(row: &Row<'_>, column: usize) -> Result<T, Trouble> {
    row.get::<_, String>(column)?.parse().map_err(|_| nonsense(row, column))
}

fn parsed<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<Option<T>, Trouble> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| nonsense(row, column))).transpose()
}

fn json(value: &impl serde::Serialize) -> Result<String, Trouble> {
    serde_json::to_string(value).map_err(|error| Trouble::Nonsense(error.to_string()))
}

fn nonsense(row: &Row<'_>, column: usize) -> Trouble {
    let name = row.as_ref().column_name(column).unwrap_or("?").to_string();
    let id: i64 = row.get(35).unwrap_or(-1);
    Trouble::Nonsense(format!("row {id} of `run` has a `{name}` that was never written"))
}

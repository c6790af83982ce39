use std::str::FromStr;

use rusqlite::{Connection, Row, params};

use super::trouble::Trouble;
use crate::base::{OAuthError, UnixSeconds};
use crate::store::{MintQuery, MintRow};

/// Adds one row. What is too large for SQLite's signed integers is kept at their end.
pub(super) fn insert(db: &Connection, row: &MintRow) -> Result<(), Trouble> {
    db.execute(
        "INSERT INTO mint (at, connection, credential, username, client_id, login_url, outcome, reason, code,
             salesforce_error, salesforce_description, duration_ms, attempts, key_id, token_id, org_id,
             skew_seconds, pid, sfmint_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
        params![
            row.at.get(),
            row.connection.as_str(),
            row.credential,
            row.username.as_str(),
            row.client_id.as_str(),
            row.login_url,
            row.outcome.as_str(),
            row.reason.as_str(),
            row.code,
            row.salesforce.as_ref().map(|pair| &pair.error),
            row.salesforce.as_ref().and_then(|pair| pair.description.as_ref()),
            i64::try_from(row.duration_ms).unwrap_or(i64::MAX),
            row.attempts,
            row.key_id.as_ref().map(|id| id.as_str()),
            row.token_id.as_ref().map(|id| id.as_str()),
            row.org_id.as_ref().map(|id| id.as_str()),
            row.skew_seconds,
            row.pid,
            row.version,
        ],
    )?;
    Ok(())
}

/// Reads rows, newest first.
pub(super) fn select(db: &Connection, query: &MintQuery) -> Result<Vec<MintRow>, Trouble> {
    let mut found = Vec::new();
    each(db, query, |row| found.push(row))?;
    Ok(found)
}

/// Reads every row and keeps none: whether each holds what may have been written.
pub(super) fn check(db: &Connection) -> Result<(), Trouble> {
    each(db, &MintQuery { limit: u32::MAX, ..MintQuery::default() }, drop)
}

fn each(db: &Connection, query: &MintQuery, mut take: impl FnMut(MintRow)) -> Result<(), Trouble> {
    let mut statement = db.prepare(
        "SELECT at, connection, credential, username, client_id, login_url, outcome, reason, code,
             salesforce_error, salesforce_description, duration_ms, attempts, key_id, token_id, org_id,
             skew_seconds, pid, sfmint_version, id
         FROM mint
         WHERE at >= ?1 AND (?2 IS NULL OR connection = ?2)
         ORDER BY at DESC, id DESC LIMIT ?3",
    )?;
    let since = query.since.map_or(i64::MIN, UnixSeconds::get);
    let connection = query.connection.as_ref().map(|name| name.as_str());
    let mut rows = statement.query(params![since, connection, query.limit])?;
    while let Some(row) = rows.next()? {
        take(read(row)?);
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<MintRow, Trouble> {
    let error: Option<String> = row.get(9)?;
    Ok(MintRow {
        at: UnixSeconds::new(row.get(0)?),
        connection: word(row, 1)?,
        credential: row.get(2)?,
        username: word(row, 3)?,
        client_id: word(row, 4)?,
        login_url: row.get(5)?,
        outcome: word(row, 6)?,
        reason: word(row, 7)?,
        code: row.get(8)?,
        salesforce: match error {
            None => None,
            Some(error) => Some(OAuthError { error, description: row.get(10)? }),
        },
        duration_ms: row.get::<_, i64>(11)?.unsigned_abs(),
        attempts: row.get(12)?,
        key_id: optional(row, 13)?,
        token_id: optional(row, 14)?,
        org_id: optional(row, 15)?,
        skew_seconds: row.get(16)?,
        pid: row.get(17)?,
        version: row.get(18)?,
    })
}

fn word<T: FromStr>(row: &Row<'_>, column: usize) -> Result<T, Trouble> {
    row.get::<_, String>(column)?.parse().map_err(|_| nonsense(row, column))
}

fn optional<T: FromStr>(row: &Row<'_>, column: usize) -> Result<Option<T>, Trouble> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|_| nonsense(row, column))).transpose()
}

fn nonsense(row: &Row<'_>, column: usize) -> Trouble {
    let name = row.as_ref().column_name(column).unwrap_or("?").to_string();
    let id: i64 = row.get(19).unwrap_or(-1);
    Trouble::Nonsense(format!("row {id} of `mint` has a `{name}` that was never written"))
}

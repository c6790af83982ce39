use rusqlite::{Connection, OptionalExtension, Row, params};

use super::trouble::Trouble;
use crate::base::UnixSeconds;
use crate::store::lease::{LeaseRecord, Tenure};
use crate::store::{Held, Holder};

/// What is known of a name.
pub(super) fn find(db: &Connection, name: &str) -> Result<Option<LeaseRecord>, Trouble> {
    let sql = "SELECT epoch, holder_id, holder_host, holder_pid, since, until FROM lease WHERE name = ?1";
    Ok(db.query_row(sql, [name], read).optional()?)
}

/// Who holds what at `now`, by name.
pub(super) fn held(db: &Connection, now: UnixSeconds) -> Result<Vec<Held>, Trouble> {
    let sql = "SELECT epoch, holder_id, holder_host, holder_pid, since, until, name FROM lease
         WHERE holder_id IS NOT NULL AND until > ?1 ORDER BY name";
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([now.get()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(6)?;
        found.extend(read(row)?.held(&name, now));
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> rusqlite::Result<LeaseRecord> {
    let id: Option<String> = row.get(1)?;
    let tenure = match id {
        None => None,
        Some(id) => Some(Tenure {
            holder: Holder { id, host: row.get(2)?, pid: row.get(3)? },
            since: UnixSeconds::new(row.get(4)?),
            until: UnixSeconds::new(row.get(5)?),
        }),
    };
    Ok(LeaseRecord { epoch: row.get::<_, i64>(0)?.unsigned_abs(), tenure })
}

/// Remembers what a name has come to.
pub(super) fn put(db: &Connection, name: &str, record: &LeaseRecord) -> Result<(), Trouble> {
    let tenure = record.tenure.as_ref();
    db.execute(
        "INSERT INTO lease (name, epoch, holder_id, holder_host, holder_pid, since, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (name) DO UPDATE SET epoch = ?2, holder_id = ?3, holder_host = ?4, holder_pid = ?5,
             since = ?6, until = ?7",
        params![
            name,
            i64::try_from(record.epoch).unwrap_or(i64::MAX),
            tenure.map(|tenure| &tenure.holder.id),
            tenure.map(|tenure| &tenure.holder.host),
            tenure.map(|tenure| tenure.holder.pid),
            tenure.map(|tenure| tenure.since.get()),
            tenure.map(|tenure| tenure.until.get()),
        ],
    )?;
    Ok(())
}

/// The least epoch this store gives: the second in which it was made.
pub(super) fn floor(db: &Connection) -> Result<u64, Trouble> {
    let made: i64 = db.query_row("SELECT min(applied_at) FROM migrations", [], |row| row.get(0))?;
    Ok(u64::try_from(made).unwrap_or(0).max(1))
}

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::SyncError;

/// Sets of Ids side by side, on disk: what the org shows and what the destination holds.
///
/// Ten million Ids are a few hundred megabytes and would not fit into the memory that a run may use. The file is nobody
/// else's, needs no durability and is gone with this value.
#[derive(Debug)]
pub(super) struct Scratch {
    db: Connection,
    path: PathBuf,
}

/// Whose Ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// What the org shows.
    Org,
    /// What the destination holds.
    Held,
    /// What the org shows of rows that changed, the job's filter aside.
    Changed,
}

impl Side {
    fn table(self) -> &'static str {
        match self {
            Self::Org => "org",
            Self::Held => "held",
            Self::Changed => "changed",
        }
    }
}

/// One Id in which the two sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Differing {
    pub id: String,
    /// The org's stamp, where it has one.
    pub org: Option<String>,
    /// The destination's stamp, where it has one.
    pub held: Option<String>,
}

impl Scratch {
    /// A new file in `folder`, which is the state directory.
    pub fn open(folder: &Path, run_id: &str) -> Result<Self, SyncError> {
        fs::create_dir_all(folder).map_err(|source| SyncError::scratch(folder, source))?;
        let path = folder.join(format!("scratch-{run_id}.db"));
        let _ = fs::remove_file(&path);
        let open = || -> rusqlite::Result<Connection> {
            let db = Connection::open(&path)?;
            db.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
                 PRAGMA cache_size = -16000; PRAGMA temp_store = FILE;",
            )?;
            for side in [Side::Org, Side::Held, Side::Changed] {
                db.execute_batch(&format!(
                    "CREATE TABLE {} (id TEXT PRIMARY KEY, stamp TEXT, deleted INTEGER NOT NULL) WITHOUT ROWID",
                    side.table()
                ))?;
            }
            db.execute_batch("BEGIN")?;
            Ok(db)
        };
        match open() {
            Ok(db) => Ok(Self { db, path }),
            Err(error) => {
                let _ = fs::remove_file(&path);
                Err(SyncError::Scratch { path, source: error.into() })
            }
        }
    }

    fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T, SyncError> {
        result.map_err(|error| SyncError::Scratch { path: self.path.clone(), source: error.into() })
    }

    /// Adds an Id to a side; one that is there already counts once.
    pub fn add(&self, side: Side, id: &str, stamp: Option<&str>, deleted: bool) -> Result<(), SyncError> {
        let add = || {
            self.db
                .prepare_cached(&format!("INSERT OR REPLACE INTO {} VALUES (?1, ?2, ?3)", side.table()))?
                .execute(params![id, stamp, deleted])
        };
        self.told(add()).map(drop)
    }

    /// How many Ids a side has; with `live`, without the deleted ones.
    pub fn count(&self, side: Side, live: bool) -> Result<u64, SyncError> {
        let sql = format!("SELECT count(*) FROM {} WHERE NOT (?1 AND deleted)", side.table());
        self.told(self.db.query_row(&sql, [live], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned))
    }

    /// Live rows that the destination holds and the org does not show.
    pub fn gone(&self) -> Result<Vec<String>, SyncError> {
        self.ids("SELECT id FROM held WHERE NOT deleted AND id NOT IN (SELECT id FROM org) ORDER BY id")
    }

    /// Rows that changed, do not match the job's filter, and are held as live ones.
    pub fn no_longer_matching(&self) -> Result<Vec<String>, SyncError> {
        self.ids(
            "SELECT id FROM held WHERE NOT deleted AND id IN (SELECT id FROM changed)
             AND id NOT IN (SELECT id FROM org) ORDER BY id",
        )
    }

    /// Rows that the org shows and the destination does not hold, deleted ones aside.
    pub fn missing(&self) -> Result<Vec<String>, SyncError> {
        self.ids("SELECT id FROM org WHERE NOT deleted AND id NOT IN (SELECT id FROM held) ORDER BY id")
    }

    /// The first `most` Ids in which the sides differ, and how many there are in all; rows that changed at `since` or
    /// later are set aside, for the next run brings them.
    pub fn differing(&self, since: &str, most: u64) -> Result<(u64, Vec<Differing>), SyncError> {
        const BOTH: &str = "
            SELECT o.id AS id, o.stamp AS org, h.stamp AS held FROM org o LEFT JOIN held h ON h.id = o.id
             WHERE (o.stamp IS NULL OR o.stamp < ?1)
               AND ((h.id IS NULL AND NOT o.deleted) OR (h.id IS NOT NULL AND (h.deleted <> o.deleted
                    OR (o.stamp IS NOT NULL AND h.stamp IS NOT NULL AND o.stamp <> h.stamp))))
            UNION ALL
            SELECT h.id, NULL, h.stamp FROM held h
             WHERE NOT h.deleted AND h.id NOT IN (SELECT id FROM org)";
        let count = self.told(
            self.db
                .query_row(&format!("SELECT count(*) FROM ({BOTH})"), [since], |row| row.get::<_, i64>(0))
                .map(i64::cast_unsigned),
        )?;
        let list = || -> rusqlite::Result<Vec<Differing>> {
            self.db
                .prepare(&format!("{BOTH} ORDER BY 1 LIMIT ?2"))?
                .query_map(params![since, most.cast_signed()], |row| {
                    Ok(Differing { id: row.get(0)?, org: row.get(1)?, held: row.get(2)? })
                })?
                .collect()
        };
        Ok((count, self.told(list())?))
    }

    /// How many of the org's rows changed at `since` or later.
    pub fn changed_since(&self, since: &str) -> Result<u64, SyncError> {
        self.told(
            self.db
                .query_row("SELECT count(*) FROM org WHERE stamp >= ?1", [since], |row| row.get::<_, i64>(0))
                .map(i64::cast_unsigned),
        )
    }

    fn ids(&self, sql: &str) -> Result<Vec<String>, SyncError> {
        let list = || -> rusqlite::Result<Vec<String>> {
            self.db.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
        };
        self.told(list())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(folder: &Path, org: &[(&str, &str, bool)], held: &[(&str, &str, bool)]) -> Scratch {
        let scratch = Scratch::open(folder, "r1").unwrap();
        for (side, rows) in [(Side::Org, org), (Side::Held, held)] {
            for (id, stamp, deleted) in rows {
                scratch.add(side, id, Some(stamp), *deleted).unwrap();
            }
        }
        scratch
    }

    #[test]
    fn what_differs_is_named_and_what_is_still_to_come_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let org = [
            ("same", "1", false),
            ("changed", "9", false),
            ("stale", "3", false),
            ("missing", "1", false),
            ("deleted-unseen", "1", true),
            ("deleted-held", "2", true),
        ];
        let held = [
            ("same", "1", false),
            ("changed", "1", false),
            ("stale", "2", false),
            ("deleted-held", "2", false),
            ("surplus", "1", false),
            ("surplus-deleted", "1", true),
        ];
        let scratch = scratch(folder.path(), &org, &held);
        let (count, named) = scratch.differing("5", 3).unwrap();
        assert_eq!(count, 4);
        let ids: Vec<&str> = named.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["deleted-held", "missing", "stale"]);
        assert_eq!(scratch.differing("5", 100).unwrap().1[3].id, "surplus");
        assert_eq!(scratch.gone().unwrap(), ["surplus"]);
        assert_eq!(scratch.missing().unwrap(), ["missing"]);
        assert_eq!(scratch.changed_since("5").unwrap(), 1);
        assert_eq!(
            (scratch.count(Side::Held, true).unwrap(), scratch.count(Side::Held, false).unwrap()),
            (5, 6)
        );
    }

    #[test]
    fn a_row_that_changed_and_no_longer_matches_is_found_only_if_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let scratch =
            scratch(folder.path(), &[("stays", "1", false)], &[("stays", "1", false), ("goes", "1", false)]);
        for id in ["stays", "goes", "never-held"] {
            scratch.add(Side::Changed, id, None, false).unwrap();
        }
        assert_eq!(scratch.no_longer_matching().unwrap(), ["goes"]);
    }

    #[test]
    fn the_file_is_gone_with_the_value() {
        let folder = tempfile::tempdir().unwrap();
        drop(scratch(folder.path(), &[("a", "1", false)], &[]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

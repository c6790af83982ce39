use std::path::Path;

use rusqlite::Connection;

use super::place::COMPANIONS;
use super::trouble::Trouble;
use super::{jobs, mints, runs};
use crate::base::UnixSeconds;
use crate::store::{Integrity, Pruned, StoreInfo, StoreKind, TableInfo};

/// Most findings of an integrity check that are kept.
const MOST_FINDINGS: u32 = 20;

/// Reads every page and says whether the file is sound; does not compare indexes with their tables.
pub(super) fn quick_check(db: &Connection) -> Result<(), Trouble> {
    match findings(db, "quick_check")?.first() {
        None => Ok(()),
        Some(first) => Err(Trouble::Nonsense(first.clone())),
    }
}

fn findings(db: &Connection, check: &str) -> Result<Vec<String>, Trouble> {
    let mut statement = db.prepare(&format!("PRAGMA {check}({MOST_FINDINGS})"))?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
    Ok(lines
        .into_iter()
        .flat_map(|line| line.lines().map(str::to_string).collect::<Vec<_>>())
        .filter(|line| line != "ok")
        .collect())
}

/// What is amiss, one finding a line; none where every page, index and row is as it was written.
pub(super) fn amiss(db: &Connection, path: &Path) -> Vec<String> {
    let said = |trouble: Trouble| trouble.about(path).to_string();
    let mut amiss = findings(db, "integrity_check").unwrap_or_else(|trouble| vec![said(trouble)]);
    if amiss.is_empty() {
        amiss.extend(
            [mints::check(db), runs::check(db), jobs::check(db)]
                .into_iter()
                .filter_map(Result::err)
                .map(said),
        );
    }
    amiss
}

/// What the store holds. Damage does not stop it: what cannot be read is said in `integrity`.
pub(super) fn info(db: &Connection, path: &Path) -> Result<StoreInfo, Trouble> {
    let mut amiss = amiss(db, path);
    let mut number = |sql: &str| -> Option<i64> {
        db.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| {
            amiss.push(format!("`{sql}`: {error}"));
            None
        })
    };
    let mut rows = |sql: &str| number(sql).and_then(|rows| u64::try_from(rows).ok()).unwrap_or(0);
    let tables = vec![
        TableInfo { name: "mint", rows: rows("SELECT count(*) FROM mint") },
        TableInfo { name: "run", rows: rows("SELECT count(*) FROM run") },
        TableInfo { name: "checkpoint", rows: rows("SELECT count(*) FROM checkpoint") },
        TableInfo { name: "baseline", rows: rows("SELECT count(*) FROM baseline") },
        TableInfo { name: "lease", rows: rows("SELECT count(*) FROM lease") },
        TableInfo { name: "migrations", rows: rows("SELECT count(*) FROM migrations") },
    ];
    let firsts = [number("SELECT min(at) FROM mint"), number("SELECT min(started_at) FROM run")];
    let lasts = [number("SELECT max(at) FROM mint"), number("SELECT max(started_at) FROM run")];
    let oldest = firsts.into_iter().flatten().min().map(UnixSeconds::new);
    let newest = lasts.into_iter().flatten().max().map(UnixSeconds::new);
    let schema_version = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let journal = db.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let sizes = COMPANIONS.iter().chain(&[""]).map(|companion| {
        let mut file = path.as_os_str().to_owned();
        file.push(companion);
        std::fs::metadata(file).map_or(0, |metadata| metadata.len())
    });
    Ok(StoreInfo {
        kind: StoreKind::Sqlite,
        path: Some(path.to_path_buf()),
        schema_version,
        journal: Some(journal),
        size_bytes: sizes.sum(),
        tables,
        oldest,
        newest,
        integrity: match amiss.is_empty() {
            true => Integrity::Sound,
            false => Integrity::Damaged(amiss),
        },
    })
}

/// Forgets old mints and runs and gives their room back to the file system.
pub(super) fn prune(db: &Connection, before: UnixSeconds) -> Result<Pruned, Trouble> {
    let mints = db.execute("DELETE FROM mint WHERE at < ?1", [before.get()])? as u64;
    let runs = runs::prune(db, before)?;
    let mut vacuum = db.prepare("PRAGMA incremental_vacuum")?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    Ok(Pruned { mints, runs })
}

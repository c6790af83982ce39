use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::connect::{Options, connect};
use super::creation::{create, private_file};
use super::damage::set_aside;
use super::ownership::FileId;
use super::place::Place;
use super::report::amiss;
use super::schema::{advance, newest};
use super::trouble::{Trouble, io};
use crate::base::UnixSeconds;
use crate::store::{Migrated, Rebuilt, StoreError};

/// How many times opening begins again because the file was made, migrated, set aside or replaced meanwhile.
const ROUNDS: usize = 6;

/// The smallest page of any SQLite database. A file that is no multiple of it ends in the middle of a page:
/// right while its log is not folded in, else cut short, which SQLite would take for zeros.
const SMALLEST_PAGE: u64 = 512;

/// What to do with a damaged store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDamage {
    SetAside,
    Stop,
}

/// A connection that is ready for work.
#[derive(Debug)]
pub(super) struct Ready {
    pub db: Connection,
    pub file: FileId,
    pub set_aside: Option<PathBuf>,
    pub migrated: Option<Migrated>,
}

/// Opens the store at `place`, whatever stands there: makes it, brings it up to date, or sets it aside.
pub(super) fn open(
    place: &Place,
    options: &Options,
    on_damage: OnDamage,
    now: UnixSeconds,
) -> Result<Ready, StoreError> {
    let newest = newest(options.migrations);
    let mut aside = None;
    let mut migrated = None;
    for _ in 0..ROUNDS {
        let shared = place.lock_shared()?;
        let Some(file) = place.look()? else {
            drop(shared);
            create(place, options, now)?;
            migrated.get_or_insert(Migrated { from: None, to: newest, backup: None });
            continue;
        };
        let answer = match file.length {
            0 => Err(Trouble::Nonsense("it has no content".to_string())),
            length if length % SMALLEST_PAGE != 0 && !place.has_log() => {
                Err(Trouble::Nonsense("it was cut short".to_string()))
            }
            _ => connect(place, options),
        };
        drop(shared);
        match answer.map_err(|trouble| trouble.about(&place.file)) {
            Ok((db, found)) if found == newest => {
                return Ok(Ready { db, file, set_aside: aside, migrated });
            }
            Ok((_, found)) if found > newest => {
                return Err(StoreError::Newer { path: place.file.clone(), found, known: newest });
            }
            Ok((db, _)) => {
                drop(db);
                migrated = Some(bring_up_to_date(place, options, now)?);
            }
            Err(error @ StoreError::Damaged { .. }) if on_damage == OnDamage::SetAside => {
                aside = set_aside(place, file, &error, now)?.or(aside);
            }
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Locked { path: place.file.clone(), waited: Duration::ZERO })
}

/// Copies the store, then takes the steps that are missing. Nobody else opens it meanwhile.
fn bring_up_to_date(place: &Place, options: &Options, now: UnixSeconds) -> Result<Migrated, StoreError> {
    let _alone = place.lock_alone()?;
    let about = |trouble: Trouble| trouble.about(&place.file);
    let (mut db, from) = connect(place, options).map_err(about)?;
    let to = newest(options.migrations);
    if from >= to {
        return Ok(Migrated { from: Some(from), to: from, backup: None });
    }
    let backup = place.beside(&format!(".v{from}.bak"));
    copy(&db, &backup)?;
    let steps = (db.pragma_update(None, "synchronous", "FULL").map_err(Trouble::from))
        .and_then(|()| advance(&mut db, options.migrations, from, now));
    steps.map_err(about)?;
    Ok(Migrated { from: Some(from), to, backup: Some(backup) })
}

/// A copy by SQLite's backup API: right while others read and write, which copying files is not.
fn copy(db: &Connection, target: &Path) -> Result<(), StoreError> {
    let draft = target.with_extension("bak.new");
    let _ = std::fs::remove_file(&draft);
    private_file(&draft)?;
    let copied = || -> Result<(), Trouble> {
        let mut to = Connection::open(&draft)?;
        to.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
        Backup::new(db, &mut to)?.run_to_completion(1024, Duration::from_millis(1), None)?;
        to.close().map_err(|(_, error)| error.into())
    };
    copied().map_err(|trouble| trouble.about(&draft))?;
    std::fs::rename(&draft, target).map_err(|error| io("make", target, error))
}

/// `sfmint store migrate`; see [`crate::store::migrate`].
pub(in crate::store) fn migrate(path: &Path, now: UnixSeconds) -> Result<Migrated, StoreError> {
    let options = Options::default();
    let ready = open(&Place::prepare(path)?, &options, OnDamage::Stop, now)?;
    let newest = newest(options.migrations);
    Ok(ready.migrated.unwrap_or(Migrated { from: Some(newest), to: newest, backup: None }))
}

/// `sfmint store rebuild`; see [`crate::store::rebuild`].
pub(in crate::store) fn rebuild(path: &Path, now: UnixSeconds) -> Result<Rebuilt, StoreError> {
    let place = Place::prepare(path)?;
    let options = Options::default();
    let missing = place.look()?.is_none();
    let Ready { db, file, set_aside: mut aside, .. } = open(&place, &options, OnDamage::SetAside, now)?;
    if let Some(what) = amiss(&db, &place.file).into_iter().next() {
        drop(db);
        let damage = StoreError::Damaged { path: place.file.clone(), what };
        aside = set_aside(&place, file, &damage, now)?.or(aside);
        let _made = open(&place, &options, OnDamage::SetAside, now)?;
    }
    Ok(match aside.is_some() || missing {
        true => Rebuilt::Made { set_aside: aside },
        false => Rebuilt::NotNeeded,
    })
}

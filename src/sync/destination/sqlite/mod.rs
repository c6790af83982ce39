//! Tables in an SQLite file: one for each job, and one row of `_sfmint_checkpoint` in the same transaction as its rows.
//!
//! Several jobs share a file and take turns by the page; a file that others made is refused. Start at [`Sqlite`]; what a
//! table looks like stands in `table`, which SQLite type a value gets in `value`.

mod connect;
mod folding;
mod ledger;
mod names;
mod page;
mod table;
#[cfg(test)]
mod tests;
mod trouble;
mod turn;
mod value;

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::{Destination, DestinationError, Held, Landed, Landing, stamp_column};
use crate::base::job::Deletes;
use crate::base::{JobName, UnixSeconds};
use crate::sync::{Checkpoint, Column, Rows};
use folding::Folding;
use names::{quoted, sql_names};
use page::Page;
use table::Tables;
use trouble::Trouble;
use turn::Turn;

/// How long a page waits for another job's page, or for somebody's `sqlite3` shell, to be done with the file.
const PATIENCE: Duration = Duration::from_secs(300);

/// A job's table in an SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    job: JobName,
    patience: Duration,
    /// Before the connection, because it must end before that closes.
    folding: Folding,
    db: Option<Connection>,
    run: Option<Run>,
    page: Option<Page>,
    /// A write or an fsync failed: nobody knows what is on the disk until the file is opened anew.
    broken: bool,
}

/// What a run writes into.
#[derive(Debug)]
struct Run {
    landing: Landing,
    /// SQL names of the columns, in order.
    names: Vec<String>,
    tables: Tables,
    /// Puts one row into the target.
    put_sql: String,
}

impl Run {
    /// The table that is written.
    fn target(&self) -> &str {
        &self.tables.target
    }
}

impl Sqlite {
    /// The table of `job` in the file at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>, job: JobName) -> Self {
        let path = path.into();
        let folding = Folding::new(&path);
        Self { path, job, patience: PATIENCE, folding, db: None, run: None, page: None, broken: false }
    }

    /// Does `work` on the open file, made where `make` says so; none where there is no file.
    fn with<T>(
        &mut self,
        make: bool,
        work: impl FnOnce(&mut Self, &Connection) -> Result<T, Trouble>,
    ) -> Result<Option<T>, DestinationError> {
        let place = self.place();
        if self.broken {
            return Err(trouble::broken(&self.path));
        }
        if self.db.is_none() {
            self.db = connect::open(&self.path, make, self.patience)
                .map_err(|trouble| trouble.about(&self.path, &place))?;
        }
        let Some(db) = self.db.take() else { return Ok(None) };
        let done = work(self, &db);
        if done.is_err() {
            self.page = None;
            if !db.is_autocommit() {
                // The reason it failed is worth more than whether it could be rolled back, which closing does as well.
                let _ = db.execute_batch("ROLLBACK");
            }
        }
        if matches!(&done, Err(trouble) if trouble.leaves_doubt()) {
            self.broken = true;
            connect::keep_from_writing(&db);
        } else {
            self.db = Some(db);
        }
        done.map(Some).map_err(|trouble| trouble.about(&self.path, &place))
    }

    fn place(&self) -> String {
        format!("sqlite {}", self.path.display())
    }

    /// Does `work` in one transaction of its own, fenced by `epoch`.
    fn alone<T>(
        &mut self,
        epoch: u64,
        work: impl FnOnce(&mut Self, &Connection) -> Result<T, Trouble>,
    ) -> Result<T, DestinationError> {
        let (path, patience) = (self.path.clone(), self.patience);
        let done = self.with(true, |this, db| {
            let turn = Turn::wait(&path, patience)?;
            db.execute_batch("PRAGMA synchronous = FULL; BEGIN IMMEDIATE")?;
            drop(turn);
            ledger::fence(db, &this.job, epoch, &this.place())?;
            let done = work(this, db)?;
            db.execute_batch("COMMIT")?;
            Ok(done)
        })?;
        done.ok_or_else(|| trouble::broken(&self.path))
    }

    fn run(&mut self) -> Result<Run, DestinationError> {
        self.run.take().ok_or_else(|| super::out_of_order(self.place(), "no run has begun"))
    }

    /// The job's table and columns, also where no run has begun.
    fn known(&self, db: &Connection) -> Result<Option<(String, Vec<Column>)>, Trouble> {
        if let Some(run) = &self.run {
            return Ok(Some((run.landing.object.to_string(), run.landing.columns.clone())));
        }
        Ok(ledger::read(db, &self.job)?.map(|checkpoint| (checkpoint.object, checkpoint.columns)))
    }
}

impl Destination for Sqlite {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>, DestinationError> {
        let found = self.with(false, |this, db| {
            let Some(mut checkpoint) = ledger::read(db, &this.job)? else { return Ok(None) };
            // Without its stage, a run that replaces everything has nothing to go on with.
            let staged = table::stage_exists(db, &checkpoint.object)?;
            checkpoint.run = checkpoint.run.filter(|run| !run.whole || staged);
            Ok(Some(checkpoint))
        })?;
        Ok(found.flatten())
    }

    fn begin(&mut self, landing: &Landing) -> Result<(), DestinationError> {
        self.run = None;
        self.page = None;
        if landing.id.is_none() && !landing.whole {
            return Err(super::out_of_order(self.place(), "rows without Id are only ever replaced whole"));
        }
        let run = self.alone(landing.epoch, |this, db| {
            let names = sql_names(&landing.columns);
            ledger::claim(db, &this.job, landing)?;
            let tables = table::make_ready(db, &this.job, landing, &names, &this.place())?;
            let put_sql = page::put_sql(&tables.target, &names, landing.id);
            Ok(Run { landing: landing.clone(), names, tables, put_sql })
        })?;
        self.run = Some(run);
        Ok(())
    }

    fn begin_page(&mut self) -> Result<(), DestinationError> {
        let run = self.run()?;
        let epoch = run.landing.epoch;
        let (path, patience) = (self.path.clone(), self.patience);
        let begun = self.with(true, |this, db| {
            this.folding.before_page()?;
            let turn = Turn::wait(&path, patience)?;
            // A loss of power may take pages back, each with its checkpoint; what publishes them is synced, and they with it.
            // Without a log, a commit that is not synced could cost the file.
            let sync = if this.folding.has_log() { "NORMAL" } else { "FULL" };
            db.execute_batch(&format!("PRAGMA synchronous = {sync}; BEGIN IMMEDIATE"))?;
            drop(turn);
            ledger::fence(db, &this.job, epoch, &this.place())
        });
        self.page = begun.is_ok().then(|| Page::new(run.landing.nul));
        self.run = Some(run);
        begun.map(drop)
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), DestinationError> {
        let Some(mut page) = self.page.take() else {
            return Err(super::out_of_order(self.place(), "no page has begun"));
        };
        let run = self.run()?;
        let written = self.with(true, |this, db| {
            page.write(db, &run, rows)?;
            this.page = Some(page);
            Ok(())
        });
        self.run = Some(run);
        written.map(drop)
    }

    fn commit_page(&mut self, checkpoint: &mut Checkpoint) -> Result<Landed, DestinationError> {
        let landed = match self.page.take() {
            Some(page) => page.landed(),
            None => return Err(super::out_of_order(self.place(), "no page has begun")),
        };
        let mut grown = checkpoint.clone();
        grown.count(landed);
        let path = self.path.clone();
        self.with(true, |this, db| {
            ledger::write(db, &this.job, &grown)?;
            db.execute_batch("COMMIT")?;
            Ok(this.folding.after_commit(&path)?)
        })?;
        *checkpoint = grown;
        Ok(landed)
    }

    fn discard_page(&mut self) -> Result<(), DestinationError> {
        self.page = None;
        let rolled_back = self.with(false, |_, db| match db.is_autocommit() {
            true => Ok(()),
            false => Ok(db.execute_batch("ROLLBACK")?),
        });
        rolled_back.map(drop)
    }

    fn held(
        &mut self,
        visit: &mut dyn FnMut(Held<'_>) -> Result<(), DestinationError>,
    ) -> Result<(), DestinationError> {
        let mut refused = Ok(());
        self.with(false, |this, db| {
            let Some((table, columns)) = this.known(db)? else { return Ok(()) };
            let Some(id) = columns.iter().position(|column| column.name.eq_ignore_ascii_case("Id")) else {
                return Ok(());
            };
            if !table::exists(db, &table)? {
                return Ok(());
            }
            let names = sql_names(&columns);
            let stamp = stamp_column(&columns).map_or("NULL".to_string(), |at| quoted(&names[at]));
            let deleted = columns.iter().position(|column| column.name.eq_ignore_ascii_case("IsDeleted"));
            let deleted = deleted.map_or("0".to_string(), |at| format!("ifnull({}, 0)", quoted(&names[at])));
            let sql = format!(
                "SELECT {id}, {stamp}, {deleted} OR _sfmint_deleted_at IS NOT NULL FROM {}",
                quoted(&table),
                id = quoted(&names[id]),
            );
            let mut statement = db.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let id = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                let stamp = row.get_ref(1)?.as_str_or_null().map_err(rusqlite::Error::from)?;
                refused = visit(Held { id, stamp, is_deleted: row.get(2)? });
                if refused.is_err() {
                    break;
                }
            }
            Ok(())
        })?;
        refused
    }

    fn gone(
        &mut self,
        ids: &mut dyn Iterator<Item = String>,
        at: UnixSeconds,
        checkpoint: &Checkpoint,
    ) -> Result<u64, DestinationError> {
        let deletes = self.run.as_ref().map_or(Deletes::Mark, |run| run.landing.deletes);
        self.alone(checkpoint.epoch, |this, db| {
            let mut count = 0;
            let Some((table, columns)) = this.known(db)? else { return Ok(0) };
            let key = columns.iter().position(|column| column.name.eq_ignore_ascii_case("Id"));
            if let (Some(key), true) = (key, deletes != Deletes::Ignore && table::exists(db, &table)?) {
                let (table, id) = (quoted(&table), quoted(&sql_names(&columns)[key]));
                let sql = match deletes {
                    Deletes::Remove => format!("DELETE FROM {table} WHERE {id} = ?1 AND ?2 IS NOT NULL"),
                    _ => format!(
                        "UPDATE {table} SET _sfmint_deleted_at = ?2 WHERE {id} = ?1 AND _sfmint_deleted_at IS NULL"
                    ),
                };
                let mut statement = db.prepare(&sql)?;
                for id in ids {
                    count += statement.execute(params![id, at.to_string()])? as u64;
                }
            }
            ledger::write(db, &this.job, checkpoint)?;
            Ok(count)
        })
    }

    fn publish(&mut self, checkpoint: &Checkpoint) -> Result<(), DestinationError> {
        let run = self.run()?;
        self.alone(checkpoint.epoch, |this, db| {
            this.folding.finish()?;
            if run.landing.whole {
                table::swap(db, &run.tables)?;
            }
            ledger::write(db, &this.job, checkpoint)
        })?;
        let patience = self.patience;
        self.with(false, |_, db| connect::use_log(db, patience)).map(drop)
    }

    fn abandon(&mut self, checkpoint: &Checkpoint) -> Result<(), DestinationError> {
        self.run = None;
        self.discard_page()?;
        self.alone(checkpoint.epoch, |this, db| {
            table::drop_stage(db, &checkpoint.object)?;
            ledger::write(db, &this.job, checkpoint)
        })
    }
}

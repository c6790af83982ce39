use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::connect::Options;
use super::damage::set_aside;
use super::file_system::Journal;
use super::opening::{OnDamage, Ready, open};
use super::ownership::FileId;
use super::place::Place;
use super::schema::is_as_made;
use super::trouble::Trouble;
use crate::base::UnixSeconds;
use crate::store::StoreError;

/// A log longer than this is folded into the file. Bytes. About 40 mints; read again at every cold start,
/// at roughly a gigabyte a second.
const LONGEST_LOG: u64 = 512 * 1024;

/// The one connection of a process, and what is needed to make it again.
#[derive(Debug)]
pub(super) struct Link {
    pub place: Place,
    options: Options,
    on_damage: OnDamage,
    latest: AtomicI64,
    set_aside: Mutex<Option<PathBuf>>,
    disk_failed: AtomicBool,
    slot: Mutex<Slot>,
}

/// The connection; none once its file turned out damaged.
type Slot = Option<(Connection, FileId)>;

/// Work on a connection. May run twice, so it must be able to.
pub(super) type Work<T> = Arc<dyn Fn(&mut Connection) -> Result<T, Trouble> + Send + Sync>;

impl Link {
    pub(super) fn new(
        place: Place,
        options: Options,
        on_damage: OnDamage,
        ready: Ready,
        now: UnixSeconds,
    ) -> Self {
        Self {
            place,
            options,
            on_damage,
            latest: AtomicI64::new(now.get()),
            set_aside: Mutex::new(ready.set_aside),
            disk_failed: AtomicBool::new(false),
            slot: Mutex::new(Some((ready.db, ready.file))),
        }
    }

    /// The damaged store that this process last set aside.
    pub(super) fn set_aside(&self) -> Option<PathBuf> {
        self.set_aside.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Learns the time from whoever told it last: it names what is set aside.
    pub(super) fn told(&self, now: UnixSeconds) {
        self.latest.fetch_max(now.get(), Ordering::Relaxed);
    }

    /// Does the work here and now, if nobody has to be waited for. `None` where somebody has.
    pub(super) fn at_once<T>(&self, work: &Work<T>) -> Option<Result<T, StoreError>> {
        let mut slot = match self.slot.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        match self.attempt(&mut slot, Duration::ZERO, work) {
            Err(trouble) if trouble.is_busy() => None,
            answer => Some(answer.map_err(|trouble| trouble.about(&self.place.file))),
        }
    }

    /// Does the work, waiting for others as long as our patience lasts. For threads that may block.
    pub(super) fn patiently<T>(&self, work: &Work<T>) -> Result<T, StoreError> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = self.attempt(&mut slot, self.options.patience, work);
        answer.map_err(|trouble| trouble.about(&self.place.file))
    }

    /// Does work whose commit must be on the disk. After one failure of the disk there is no second try in this
    /// process: the kernel calls a page clean once it has reported its loss, so a later fsync that succeeds
    /// proves nothing about what was written before.
    pub(super) fn durably<T>(&self, work: &Work<T>) -> Result<T, StoreError> {
        let path = &self.place.file;
        if self.disk_failed.load(Ordering::Acquire) {
            let source =
                std::io::Error::other("the disk failed earlier in this process; restart once it is well");
            return Err(StoreError::Io { path: path.clone(), doing: "write", source: source.into() });
        }
        self.noting_failure(self.patiently(work))
    }

    fn noting_failure<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(done, Err(StoreError::Io { .. })) {
            self.disk_failed.store(true, Ordering::Release);
        }
        done
    }

    /// Folds the log into the file, as far as nobody is in the way: whoever reads for an hour, such as a
    /// person with a shell, must not make every write wait.
    pub(super) fn fold_log(&self) -> Result<(), StoreError> {
        let work: Work<()> =
            Arc::new(|db| Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?));
        self.noting_failure(self.at_once(&work).unwrap_or(Ok(())))
    }

    /// Whether the log has grown enough to be folded into the file.
    pub(super) fn log_is_long(&self) -> bool {
        std::fs::metadata(self.place.beside("-wal")).is_ok_and(|log| log.len() > LONGEST_LOG)
    }

    fn attempt<T>(&self, slot: &mut Slot, patience: Duration, work: &Work<T>) -> Result<T, Trouble> {
        let (trouble, file) = match self.once(slot, patience, work) {
            Ok(done) => return Ok(done),
            Err(failed) => failed,
        };
        let Some(file) = file.filter(|_| self.on_damage == OnDamage::SetAside) else { return Err(trouble) };
        if !trouble.is_damage(&self.place.file) {
            return Err(trouble);
        }
        let damage = trouble.about(&self.place.file);
        self.remember(set_aside(&self.place, file, &damage, self.now())?);
        self.once(slot, patience, work).map_err(|(trouble, _)| trouble)
    }

    /// One try. The connection to a damaged file is closed; whatever failed, the file it was on is told.
    fn once<T>(
        &self,
        slot: &mut Slot,
        patience: Duration,
        work: &Work<T>,
    ) -> Result<T, (Trouble, Option<FileId>)> {
        let (db, file) = self.connection(slot).map_err(|error| (error.into(), None))?;
        let file = *file;
        let answer = db.busy_timeout(patience).map_err(Trouble::from).and_then(|()| work(db));
        let trouble = match answer {
            Ok(done) => return Ok(done),
            Err(trouble) if trouble.doubts_schema() && !is_as_made(db, self.options.migrations) => {
                Trouble::Nonsense("its schema is not the one that was made".to_string())
            }
            Err(trouble) => trouble,
        };
        if trouble.is_damage(&self.place.file) {
            *slot = None;
        }
        Err((trouble, Some(file)))
    }

    /// The connection; made anew where there is none or where another file stands in the place by now.
    /// Whoever must stop at damage stops at that, too: the new file knows nothing of what was said before.
    fn connection<'a>(&self, slot: &'a mut Slot) -> Result<&'a mut (Connection, FileId), StoreError> {
        let stands = self.place.look()?;
        let is_current = |ours: FileId| stands.is_some_and(|stands| stands.same_file(ours));
        let kept = slot.take().filter(|(_, ours)| is_current(*ours));
        match (kept, self.on_damage) {
            (Some(kept), _) => Ok(slot.insert(kept)),
            (None, OnDamage::Stop) => {
                let what = "it was damaged or replaced while in use".to_string();
                Err(StoreError::Damaged { path: self.place.file.clone(), what })
            }
            (None, OnDamage::SetAside) => {
                let ready = open(&self.place, &self.options, self.on_damage, self.now())?;
                self.remember(ready.set_aside);
                Ok(slot.insert((ready.db, ready.file)))
            }
        }
    }

    fn remember(&self, aside: Option<PathBuf>) {
        if aside.is_some() {
            *self.set_aside.lock().unwrap_or_else(PoisonError::into_inner) = aside;
        }
    }

    fn now(&self) -> UnixSeconds {
        UnixSeconds::new(self.latest.load(Ordering::Relaxed))
    }

    /// Runs `work` in one transaction whose commit is on the disk when it returns.
    pub(super) fn in_durable_transaction<T>(
        &self,
        work: impl Fn(&Connection) -> Result<T, Trouble> + Send + Sync + 'static,
    ) -> Work<T> {
        let usual = match self.options.journal.unwrap_or(self.place.journal) {
            Journal::Wal => "NORMAL",
            Journal::Delete => "FULL",
        };
        Arc::new(move |db| {
            db.pragma_update(None, "synchronous", "FULL")?;
            let done = in_transaction(db, &work);
            db.pragma_update(None, "synchronous", usual)?;
            done
        })
    }
}

fn in_transaction<T>(
    db: &mut Connection,
    work: &dyn Fn(&Connection) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::warn;

use crate::base::{Clock, Connection, Explain, TokenType};
use crate::store::{MintReason, Store};

use super::cache::{FileCache, Guard, Kept, MintCounter, Record, lock_pause};
use super::freshness::{Freshness, Stamp};
use super::gate::{counted, gate, may_renew, rejected};
use super::governor::Verdict;
use super::mint::Minted;
use super::need::{Handed, Need, Origin, standing};
use super::useless::Useless;
use super::{MintError, Minter, ledger};

/// How long another process may mint before we stop waiting for it: its tries, and some more. Seconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(75);

/// The same where the token in hand still serves: a renewal is worth no more. Seconds.
const LOCK_PATIENCE_WHILE_GOOD: Duration = Duration::from_secs(2);

/// The file holds all that this process knows.
pub(super) const NOT_AHEAD: i64 = i64::MIN;

/// What the clones of one source share: what is known, and the right to change it.
#[derive(Debug)]
pub(super) struct Keeper {
    pub minter: Minter,
    pub clock: Arc<dyn Clock>,
    pub store: Option<Arc<dyn Store>>,
    pub file: Option<FileCache>,
    pub counter: MintCounter,
    pub record: RwLock<Record>,
    pub flight: Mutex<Option<Flight>>,
    pub complaints: tokio::sync::Mutex<()>,
    pub turn: Arc<tokio::sync::Mutex<()>>,
    /// Since when the file could not be written, so that this process knows more than it; [`NOT_AHEAD`] else.
    pub ahead_since: AtomicI64,
}

/// The right to change what is known: one holder in this process and, where there is a file, among all of this user's.
#[derive(Debug)]
pub(super) struct Turn {
    _here: tokio::sync::OwnedMutexGuard<()>,
    file: Option<Guard>,
}

/// A mint under way; all who wait for it see its one outcome.
pub(super) type Flight = watch::Receiver<Option<Result<Handed, MintError>>>;

impl Keeper {
    pub fn connection(&self) -> &Connection {
        self.minter.connection()
    }

    pub fn read(&self) -> RwLockReadGuard<'_, Record> {
        self.record.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn publish(&self, record: Record) {
        *self.record.write().unwrap_or_else(PoisonError::into_inner) = record;
    }

    pub fn handed(&self, origin: Origin) -> Option<Handed> {
        self.read().hand(origin, self.connection(), &*self.clock)
    }

    /// What all processes know: the file's record, unless it could not be written and this process has the newer token.
    pub fn reload(&self) -> Record {
        let ours = self.read().clone();
        let Some(file) = &self.file else { return ours };
        let mut theirs = file.read(self.connection(), &*self.clock);
        let since = self.ahead_since.load(Ordering::SeqCst);
        if since != NOT_AHEAD && theirs.kept.as_ref().is_none_or(|kept| kept.minted.wall.get() <= since) {
            return ours;
        }
        // What we saw accepted is written only when nobody else is writing.
        if let (Some(theirs), Some(ours)) = (&mut theirs.kept, &ours.kept)
            && theirs.token.expose() == ours.token.expose()
        {
            theirs.accepted_at = theirs.accepted_at.max(ours.accepted_at);
        }
        theirs
    }

    pub fn save(&self, record: &Record, turn: &Turn) {
        let Some(file) = &self.file else { return };
        let written = turn.file.as_ref().map(|guard| file.write(record, guard));
        if let Some(Err(error)) = &written {
            warn!(connection.name = %self.connection().name, "the token is kept in this process only: {error}");
        }
        let since = if matches!(written, Some(Ok(()))) { NOT_AHEAD } else { self.clock.now().get() };
        self.ahead_since.store(since, Ordering::SeqCst);
    }

    pub fn may_renew(&self) -> bool {
        may_renew(&self.read(), &*self.clock)
    }

    /// Waits for the turn to change what is known. Where the file cannot be locked, it is the turn in this process.
    pub async fn turn(&self) -> Result<Turn, MintError> {
        let here = self.turn.clone().lock_owned().await;
        let (file, _) = self.lock_unless(LOCK_PATIENCE, || None).await?;
        Ok(Turn { _here: here, file })
    }

    /// Waits for the lock on the file, or until `enough` says that it is not needed any more.
    async fn lock_unless(
        &self,
        patience: Duration,
        enough: impl Fn() -> Option<Handed>,
    ) -> Result<(Option<Guard>, Option<Handed>), MintError> {
        let Some(file) = &self.file else { return Ok((None, None)) };
        let started = Instant::now();
        for turn in 0.. {
            match file.try_lock() {
                Ok(Some(guard)) => return Ok((Some(guard), None)),
                Ok(None) => {}
                Err(error) => {
                    warn!(connection.name = %self.connection().name, "the token is not shared with other processes: {error}");
                    return Ok((None, None));
                }
            }
            if started.elapsed() > patience {
                break;
            }
            tokio::time::sleep(lock_pause(turn)).await;
            if let Some(handed) = enough() {
                return Ok((None, Some(handed)));
            }
        }
        Err(MintError::LockHeld { waited: started.elapsed() })
    }

    /// Takes what another process has minted meanwhile, if it serves.
    fn adopt(&self, need: &Need, record: &Record) -> Option<Handed> {
        let serves = match standing(record, need, self.connection(), &*self.clock) {
            Some(Freshness::Fresh) => true,
            Some(Freshness::Due) => !may_renew(record, &*self.clock),
            _ => false,
        };
        if need.fresh || !serves {
            return None;
        }
        self.publish(record.clone());
        record.hand(Origin::Cache, self.connection(), &*self.clock)
    }

    /// Adopts or mints. Runs as a task of its own, one at a time in this process.
    pub async fn refresh(&self, need: Need, reason: Option<MintReason>) -> Result<Handed, MintError> {
        let here = self.turn.clone().lock_owned().await;
        let good = self.still_good(&self.reload(), &need);
        let patience = if good.is_some() { LOCK_PATIENCE_WHILE_GOOD } else { LOCK_PATIENCE };
        let file = match self.lock_unless(patience, || self.adopt(&need, &self.reload())).await {
            Ok((_, Some(handed))) => return Ok(handed),
            Ok((file, None)) => file,
            Err(error) => return self.unless_good(error, good),
        };
        let turn = Turn { _here: here, file };
        let mut record = self.reload();
        if let Some(handed) = self.adopt(&need, &record) {
            return Ok(handed);
        }
        let good = self.still_good(&record, &need);
        let result = self.mint_into(&mut record, &need, reason).await;
        if result.is_err() {
            record.renewal_failed_at = Some(self.clock.now());
        }
        self.save(&record, &turn);
        self.publish(record.clone());
        if let Err(error) = result {
            return self.unless_good(error, good);
        }
        let handed =
            record.hand(Origin::Minted, self.connection(), &*self.clock).ok_or(MintError::Abandoned)?;
        ledger::tell(&handed, self.connection(), "minted", &*self.clock);
        Ok(handed)
    }

    /// The token of a record that is due and still serves.
    fn still_good(&self, record: &Record, need: &Need) -> Option<Handed> {
        let due = standing(record, need, self.connection(), &*self.clock) == Some(Freshness::Due);
        record.hand(Origin::Cache, self.connection(), &*self.clock).filter(|_| due && !need.fresh)
    }

    /// A renewal that failed is nobody's trouble while the token in hand serves.
    fn unless_good(&self, error: MintError, good: Option<Handed>) -> Result<Handed, MintError> {
        let handed = good.ok_or_else(|| error.clone())?;
        warn!(
            connection.name = %self.connection().name,
            error.code = error.code(),
            token.age_s = handed.age.as_secs(),
            "the token could not be renewed ({error}); the one in hand still serves"
        );
        Ok(handed)
    }

    /// Mints, if nothing speaks against it, and writes into `record` what came of it.
    async fn mint_into(
        &self,
        record: &mut Record,
        need: &Need,
        reason: Option<MintReason>,
    ) -> Result<(), MintError> {
        let now = self.clock.now();
        if !need.fresh {
            gate(record, now)?;
        }
        let limit = self.connection().policy.mint_budget_per_hour;
        match self.counter.claim(now, limit, need.claimant) {
            Verdict::Spent { used, wait } => return Err(MintError::Budget { used, limit, wait }),
            Verdict::AllowedAndWarned { used } => warn!(
                connection.name = %self.connection().name,
                mint.used = used,
                mint.budget = limit,
                "{used} of {limit} mints of this hour are used"
            ),
            Verdict::Allowed => {}
        }
        let reason = reason.unwrap_or_else(|| record.reason(need, self.connection(), &*self.clock));
        let mut attempted = self.minter.mint(record.skew.unwrap_or(0)).await;
        attempted.result = attempted.result.and_then(|minted| same_org(record, minted));
        self.counter.settle(now, attempted.posts);
        ledger::record(self.store.as_ref(), self.connection(), &attempted, reason, &*self.clock).await;

        record.skew = attempted.skew.or(record.skew);
        let minted = match attempted.result {
            Ok(minted) => minted,
            Err(error) => {
                // A passing fault between two denials makes neither undone.
                if let MintError::Refused { reason } = &error {
                    record.refused = Some(counted(record.refused.take(), reason, self.clock.now()));
                } else if let Some(useless) = Useless::of(&error) {
                    record.refused = None;
                    record.rejected = Some(rejected(record.rejected.take(), useless, self.clock.now()));
                }
                return Err(error);
            }
        };
        let told = match minted.token.token_type {
            TokenType::Jwt => minted.token.expires_at.map(|end| end.seconds_since(minted.token.minted_at)),
            TokenType::Opaque => None,
        };
        record.org_id = Some(minted.token.org_id.as_str().to_string());
        record.certificate_not_after = minted.certificate.map(|certificate| certificate.not_after);
        record.refused = None;
        record.rejected = None;
        record.session_refused = None;
        record.renewal_failed_at = None;
        record.kept = Some(Kept {
            token: minted.token,
            minted: Stamp::now(&*self.clock),
            told: told.and_then(|told| u64::try_from(told).ok()).map(Duration::from_secs),
            credential: attempted.credential.name,
            key_id: attempted.key_id,
            accepted_at: None,
            api_version: None,
        });
        Ok(())
    }
}

/// A token of another org than the tokens before it is none of ours.
fn same_org(record: &Record, minted: Minted) -> Result<Minted, MintError> {
    let is = minted.token.org_id.clone();
    let was = record.org_id.as_ref().filter(|was| *was != is.as_str());
    match was.and_then(|was| was.parse().ok()) {
        Some(was) => Err(MintError::OrgChanged { was, is }),
        None => Ok(minted),
    }
}

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::base::{AccessToken, Clock, Connection, Explain, OAuthError, TokenCacheKind, TokenId, TokenType};
use crate::store::{MintReason, Store};

use super::cache::{FileCache, Guard, Kept, MintCounter, Record, Refused, lock_pause, token_folder};
use super::freshness::{Freshness, SHORTEST_SESSION, Stamp, learned_lifetime};
use super::governor::{REMINTS_PER_MINUTE, RENEWAL_FLOOR, Verdict, pause_after_refusals};
use super::need::{Handed, Need, Origin, standing};
use super::{CacheError, MintError, Minter, Revoked, SystemClock, ledger};

/// How long another process may mint before we stop waiting for it: its tries, and some more. Seconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(75);

/// How long a connection whose fresh sessions are refused is left alone. Seconds.
const SESSION_REFUSED_PAUSE: i64 = 300;

/// The file holds all that this process knows.
const NOT_AHEAD: i64 = i64::MIN;

/// How often the time of the last accepted call is written down. Seconds.
const ACCEPTED_STEP: i64 = 60;

/// Access tokens of one connection: minted when needed, once for all who wait, renewed before they end.
///
/// Cheap to clone; all clones share one token, and with `token_cache = "file"` all processes of one user do.
/// Every future may be dropped at any time: a mint that has begun goes on for whoever asks next.
/// Needs a tokio runtime to mint in; what is kept is handed out without one.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = sfmint::TokenSource::new(sfmint::Connection::from_env()?)?;
/// let token = tokens.token().await?;
/// println!("{} until {:?}", token.instance_url, token.expires_at);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenSource(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    minter: Minter,
    clock: Arc<dyn Clock>,
    store: Option<Arc<dyn Store>>,
    file: Option<FileCache>,
    counter: MintCounter,
    record: RwLock<Record>,
    flight: Mutex<Option<Flight>>,
    complaints: tokio::sync::Mutex<()>,
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Since when the file could not be written, so that this process knows more than it; [`NOT_AHEAD`] else.
    ahead_since: AtomicI64,
}

/// The right to change what is known: one holder in this process and, where there is a file, among all of this user's.
#[derive(Debug)]
struct Turn {
    _here: tokio::sync::OwnedMutexGuard<()>,
    file: Option<Guard>,
}

/// A mint under way; all who wait for it see its one outcome.
type Flight = watch::Receiver<Option<Result<Handed, MintError>>>;

impl TokenSource {
    /// A source for `connection`, by the machine's clocks and without a history.
    ///
    /// # Errors
    ///
    /// [`CacheError::Unsafe`]: the state directory is open to other users. *Denied*.
    pub fn new(connection: Connection) -> Result<Self, CacheError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Self::over(Minter::new(Arc::new(connection), clock.clone()), clock, None)
    }

    /// A source over a minter of yours: with your HTTP client, signer or clock; `store` keeps the history.
    ///
    /// # Errors
    ///
    /// [`CacheError::Unsafe`], as for [`new`](Self::new). A state directory that cannot be written is no error: the token is
    /// kept in memory then, which is said once.
    pub fn over(
        minter: Minter,
        clock: Arc<dyn Clock>,
        store: Option<Arc<dyn Store>>,
    ) -> Result<Self, CacheError> {
        let connection = minter.connection();
        let shared = connection.policy.cache == TokenCacheKind::File;
        let folder = match connection.state_dir.as_deref().filter(|_| shared).map(token_folder).transpose() {
            Ok(folder) => folder,
            Err(error @ CacheError::Unsafe { .. }) => return Err(error),
            Err(error) => {
                warn!(connection.name = %connection.name, "tokens are kept in memory only: {error}");
                None
            }
        };
        let file = folder.as_deref().map(|folder| FileCache::new(folder, connection));
        let record = file.as_ref().map_or_else(Record::default, |file| file.read(connection, &*clock));
        let counter = MintCounter::new(folder.as_deref(), connection);
        Ok(Self(Arc::new(Inner {
            minter,
            clock,
            store,
            file,
            counter,
            record: RwLock::new(record),
            flight: Mutex::default(),
            complaints: tokio::sync::Mutex::default(),
            turn: Arc::default(),
            ahead_since: AtomicI64::new(NOT_AHEAD),
        })))
    }

    /// What tokens are minted for.
    pub fn connection(&self) -> &Connection {
        self.0.minter.connection()
    }

    /// What mints. For who wants to ask past the cache: `doctor`, and the proofs of a rotation.
    pub fn minter(&self) -> &Minter {
        &self.0.minter
    }

    /// A valid access token.
    ///
    /// Handed to other code, a token of unknown life counts as good for 15 minutes, the shortest session an
    /// org can set.
    ///
    /// # Errors
    ///
    /// Every [`MintError`]; none while the token in hand is still good.
    pub async fn token(&self) -> Result<AccessToken, MintError> {
        Ok(self.hand(Need::default()).await?.token)
    }

    /// The token in hand, if it serves `need` as it is. Sends nothing, waits for nothing, opens nothing.
    pub fn kept(&self, need: &Need) -> Option<Handed> {
        let inner = &*self.0;
        let record = inner.read();
        let fresh = standing(&record, need, self.connection(), &*inner.clock) == Some(Freshness::Fresh);
        let handed =
            record.hand(Origin::Cache, self.connection(), &*inner.clock).filter(|_| fresh && !need.fresh)?;
        Some(handed)
    }

    /// A token that serves `need`, and what there is to say of it.
    ///
    /// # Shape
    ///
    /// | the token in hand | answer                                                                            |
    /// |-------------------|-----------------------------------------------------------------------------------|
    /// | fresh             | it                                                                                |
    /// | due               | it, and a renewal in the background; or the renewed one (`wait_for_renewal`), or it where that fails |
    /// | expired, none     | a new one: one mint for all who ask                                               |
    ///
    /// # Errors
    ///
    /// Every [`MintError`]; with a token that is still good only for `fresh` and `min_valid`.
    pub async fn hand(&self, need: Need) -> Result<Handed, MintError> {
        if let Some(handed) = self.kept(&need) {
            return Ok(handed);
        }
        let due = !need.fresh && !need.wait_for_renewal && {
            let record = self.0.read();
            standing(&record, &need, self.connection(), &*self.0.clock) == Some(Freshness::Due)
        };
        if due {
            if self.0.may_renew() {
                self.join(need, None);
            }
            if let Some(handed) = self.0.handed(Origin::Cache) {
                return Ok(handed);
            }
        }
        landed(self.join(need, None)).await
    }

    /// Keeps the token renewed until `shutdown`, for processes that live long. The caller spawns it.
    pub async fn keep_fresh(&self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        loop {
            let need = Need { wait_for_renewal: true, ..Need::default() };
            let pause = match self.hand(need).await {
                Ok(Handed { due_in, .. }) => {
                    due_in.unwrap_or(SHORTEST_SESSION / 3 * 2).max(Duration::from_secs(1))
                }
                Err(error) => {
                    warn!(connection.name = %self.connection().name, code = error.code(), "no access token: {error}");
                    RENEWAL_FLOOR
                }
            };
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Salesforce accepted this token: what a later 401 means rests on it.
    pub fn accepted(&self, token: &AccessToken) {
        let inner = &*self.0;
        let now = inner.clock.now();
        let mut record = inner.record.write().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = record.kept.as_mut().filter(|kept| kept.token.expose() == token.expose()) else {
            return;
        };
        if kept.accepted_at.is_some_and(|at| now.seconds_since(at) < ACCEPTED_STEP && now >= at) {
            return;
        }
        kept.accepted_at = Some(now);
        // Others may be writing; then this is written with the next call.
        if let Some(file) = &inner.file
            && let Ok(Some(guard)) = file.try_lock()
        {
            let mut shared = file.read(self.connection(), &*inner.clock);
            if let Some(kept) = shared.kept.as_mut().filter(|kept| kept.token.expose() == token.expose()) {
                kept.accepted_at = Some(now);
                let _ = file.write(&shared, &guard);
            }
        }
    }

    /// Salesforce refused this token with a 401: hands out the one to go on with.
    ///
    /// # Shape
    ///
    /// | the refused token                                     | answer                                  |
    /// |-------------------------------------------------------|-----------------------------------------|
    /// | is not the one in hand any more                       | the one in hand; nothing is minted      |
    /// | has worked, or is older than the shortest session     | a new one, at most 3 a minute           |
    /// | is new and never worked, or `hopeless`                | [`MintError::SessionRefused`]           |
    ///
    /// `hopeless` says that the refusal is one that no new token changes. What the idle time of a
    /// session that ended teaches about the org's timeout is kept.
    ///
    /// # Errors
    ///
    /// [`MintError::SessionRefused`] also where a mint brings the same token again; [`MintError::SessionStorm`]; and those of [`hand`](Self::hand).
    pub async fn replace(
        &self,
        refused: &AccessToken,
        reason: OAuthError,
        hopeless: bool,
    ) -> Result<AccessToken, MintError> {
        let inner = &*self.0;
        let need = Need { until_refused: true, wait_for_renewal: true, ..Need::default() };
        let complaint = inner.complaints.lock().await;
        let turn = inner.turn().await?;
        let mut record = inner.reload();
        let Some(kept) = record.invalidate(&refused.id()) else {
            drop(turn);
            inner.publish(record);
            drop(complaint);
            return Ok(landed(self.join(need, None)).await?.token);
        };
        let now = inner.clock.now();
        let age = kept.minted.age(&*inner.clock).unwrap_or(SHORTEST_SESSION);
        let verdict = if hopeless || (kept.accepted_at.is_none() && age < SHORTEST_SESSION) {
            record.session_refused = Some(counted(record.session_refused.take(), &reason, now));
            Err(MintError::SessionRefused { reason: reason.clone() })
        } else {
            learn(&mut record, &kept, now);
            record.reminted.retain(|at| (0..60).contains(&now.seconds_since(*at)));
            record.reminted.push(now);
            match record.reminted.len() {
                times if times > REMINTS_PER_MINUTE => Err(MintError::SessionStorm { times: times as u32 }),
                _ => Ok(()),
            }
        };
        inner.save(&record, &turn);
        inner.publish(record);
        drop(turn);
        verdict?;
        info!(connection.name = %self.connection().name, token.id = %refused.id(), token.age_s = age.as_secs(), "the session has ended ({reason}): minting another");
        let handed = landed(self.join(need, Some(MintReason::DeadSession))).await?;
        if handed.token.expose() == refused.expose() {
            let turn = inner.turn().await?;
            let mut record = inner.reload();
            record.invalidate(&refused.id());
            record.session_refused = Some(counted(record.session_refused.take(), &reason, now));
            inner.save(&record, &turn);
            inner.publish(record);
            return Err(MintError::SessionRefused { reason });
        }
        drop(complaint);
        Ok(handed.token)
    }

    /// Ends the token's session at Salesforce, then forgets it and all that was learned, for all processes of this user.
    ///
    /// `None` where no token was kept. Where Salesforce cannot be asked, the token stays, so that it can be asked again.
    ///
    /// # Errors
    ///
    /// [`MintError::LockHeld`]: another process is minting and does not end; and those of [`Minter::revoke`].
    pub async fn revoke(&self) -> Result<Option<(TokenId, Revoked)>, MintError> {
        let inner = &*self.0;
        let turn = inner.turn().await?;
        let revoked = match inner.reload().kept {
            Some(kept) => Some((kept.token.id(), inner.minter.revoke(&kept.token).await?)),
            None => None,
        };
        inner.save(&Record::default(), &turn);
        inner.publish(Record::default());
        Ok(revoked)
    }

    /// What is known of the connection right now.
    pub fn record(&self) -> Record {
        self.0.read().clone()
    }

    /// Mints of this user in the last hour.
    pub fn mints_used(&self) -> u32 {
        self.0.counter.used(self.0.clock.now())
    }

    /// Joins the mint under way, or begins one.
    fn join(&self, need: Need, reason: Option<MintReason>) -> Flight {
        let mut flight = lock(&self.0.flight);
        // A mint that has landed is history; one under way serves everybody but who wants one begun after now.
        if let Some(under_way) = flight.as_ref().filter(|under_way| {
            !need.fresh && under_way.borrow().is_none() && under_way.has_changed().is_ok()
        }) {
            return under_way.clone();
        }
        let (land, wait) = watch::channel(None);
        *flight = Some(wait.clone());
        let inner = self.0.clone();
        tokio::spawn(async move {
            let outcome = inner.refresh(need, reason).await;
            land.send_replace(Some(outcome));
        });
        wait
    }
}

/// Waits for a mint to land.
async fn landed(mut flight: Flight) -> Result<Handed, MintError> {
    match flight.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or(Err(MintError::Abandoned)),
        Err(_) => Err(MintError::Abandoned),
    }
}

impl Inner {
    fn connection(&self) -> &Connection {
        self.minter.connection()
    }

    fn read(&self) -> RwLockReadGuard<'_, Record> {
        self.record.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, record: Record) {
        *self.record.write().unwrap_or_else(PoisonError::into_inner) = record;
    }

    fn handed(&self, origin: Origin) -> Option<Handed> {
        self.read().hand(origin, self.connection(), &*self.clock)
    }

    /// What all processes know: the file's record, unless it could not be written and this process has the newer token.
    fn reload(&self) -> Record {
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

    fn save(&self, record: &Record, turn: &Turn) {
        let Some(file) = &self.file else { return };
        let written = turn.file.as_ref().map(|guard| file.write(record, guard));
        if let Some(Err(error)) = &written {
            warn!(connection.name = %self.connection().name, "the token is kept in this process only: {error}");
        }
        let since = if matches!(written, Some(Ok(()))) { NOT_AHEAD } else { self.clock.now().get() };
        self.ahead_since.store(since, Ordering::SeqCst);
    }

    fn may_renew(&self) -> bool {
        renewal_is_not_too_soon(&self.read(), &*self.clock)
    }

    /// Waits for the turn to change what is known. Where the file cannot be locked, it is the turn in this process.
    async fn turn(&self) -> Result<Turn, MintError> {
        let here = self.turn.clone().lock_owned().await;
        let (file, _) = self.lock_unless(|| None).await?;
        Ok(Turn { _here: here, file })
    }

    /// Waits for the lock on the file, or until `enough` says that it is not needed any more.
    async fn lock_unless(
        &self,
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
            if started.elapsed() > LOCK_PATIENCE {
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
            Some(Freshness::Due) => !renewal_is_not_too_soon(record, &*self.clock),
            _ => false,
        };
        if need.fresh || !serves {
            return None;
        }
        self.publish(record.clone());
        record.hand(Origin::Cache, self.connection(), &*self.clock)
    }

    /// Adopts or mints. Runs as a task of its own, one at a time in this process.
    async fn refresh(&self, need: Need, reason: Option<MintReason>) -> Result<Handed, MintError> {
        let here = self.turn.clone().lock_owned().await;
        let (file, adopted) = self.lock_unless(|| self.adopt(&need, &self.reload())).await?;
        if let Some(handed) = adopted {
            return Ok(handed);
        }
        let turn = Turn { _here: here, file };
        let mut record = self.reload();
        if let Some(handed) = self.adopt(&need, &record) {
            return Ok(handed);
        }
        let still_good = (!need.fresh
            && standing(&record, &need, self.connection(), &*self.clock) == Some(Freshness::Due))
        .then(|| record.hand(Origin::Cache, self.connection(), &*self.clock))
        .flatten();

        let result = self.mint_into(&mut record, &need, reason).await;
        if result.is_err() {
            record.renewal_failed_at = Some(self.clock.now());
        }
        self.save(&record, &turn);
        self.publish(record.clone());
        match (result, still_good) {
            (Ok(()), _) => {
                let handed = record
                    .hand(Origin::Minted, self.connection(), &*self.clock)
                    .ok_or(MintError::Abandoned)?;
                ledger::tell(&handed, self.connection(), "minted", &*self.clock);
                Ok(handed)
            }
            (Err(error), Some(handed)) => {
                warn!(
                    connection.name = %self.connection().name,
                    code = error.code(),
                    token.age_s = handed.age.as_secs(),
                    "the token could not be renewed ({error}); the one in hand still serves"
                );
                Ok(handed)
            }
            (Err(error), None) => Err(error),
        }
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
        let attempted = self.minter.mint(record.skew.unwrap_or(0)).await;
        self.counter.settle(now, attempted.posts);
        ledger::record(self.store.as_ref(), self.connection(), &attempted, reason, &*self.clock).await;

        record.skew = attempted.skew.or(record.skew);
        let minted = match attempted.result {
            Ok(minted) => minted,
            Err(error) => {
                match &error {
                    MintError::Refused { reason } => {
                        record.refused = Some(counted(record.refused.take(), reason, self.clock.now()));
                    }
                    _ => record.refused = None,
                }
                return Err(error);
            }
        };
        let is = minted.token.org_id.clone();
        if let Some(was) =
            record.org_id.as_ref().filter(|was| *was != is.as_str()).and_then(|was| was.parse().ok())
        {
            return Err(MintError::OrgChanged { was, is });
        }
        let told = match minted.token.token_type {
            TokenType::Jwt => minted.token.expires_at.map(|end| end.seconds_since(minted.token.minted_at)),
            TokenType::Opaque => None,
        };
        record.org_id = Some(is.as_str().to_string());
        record.certificate_not_after = minted.certificate.map(|certificate| certificate.not_after);
        record.refused = None;
        record.session_refused = None;
        record.renewal_failed_at = None;
        record.kept = Some(Kept {
            token: minted.token,
            minted: Stamp::now(&*self.clock),
            told: told.and_then(|told| u64::try_from(told).ok()).map(Duration::from_secs),
            credential: attempted.credential.name,
            key_id: attempted.key_id,
            accepted_at: None,
        });
        Ok(())
    }
}

/// What speaks against asking Salesforce right now.
fn gate(record: &Record, now: crate::base::UnixSeconds) -> Result<(), MintError> {
    let times = record.reminted.iter().filter(|at| (0..60).contains(&now.seconds_since(**at))).count();
    if times > REMINTS_PER_MINUTE {
        return Err(MintError::SessionStorm { times: times as u32 });
    }
    if let Some(refused) = &record.session_refused {
        let since = now.seconds_since(refused.at);
        if (0..SESSION_REFUSED_PAUSE).contains(&since) {
            return Err(MintError::SessionRefused { reason: refused.reason() });
        }
    }
    if let Some(refused) = &record.refused {
        let pause = i64::try_from(pause_after_refusals(refused.times).as_secs()).unwrap_or(i64::MAX);
        let since = now.seconds_since(refused.at);
        if (0..pause).contains(&since) {
            let wait = Duration::from_secs(u64::try_from(pause - since).unwrap_or(0));
            return Err(MintError::RefusedLately { reason: refused.reason(), times: refused.times, wait });
        }
    }
    Ok(())
}

/// Whether enough time has passed since a renewal failed. A token that still works is no reason to ask often.
fn renewal_is_not_too_soon(record: &Record, clock: &dyn Clock) -> bool {
    let floor = i64::try_from(RENEWAL_FLOOR.as_secs()).unwrap_or(i64::MAX);
    record.renewal_failed_at.is_none_or(|at| !(0..floor).contains(&clock.now().seconds_since(at)))
}

/// One more refusal in a row.
fn counted(before: Option<Refused>, reason: &OAuthError, at: crate::base::UnixSeconds) -> Refused {
    let times = before.map_or(0, |before| before.times).saturating_add(1);
    Refused { error: reason.error.clone(), description: reason.description.clone(), times, at }
}

/// Keeps what a session's end teaches about the org's timeout.
fn learn(record: &mut Record, kept: &Kept, now: crate::base::UnixSeconds) {
    if kept.token.token_type == TokenType::Jwt {
        return;
    }
    let last = kept.accepted_at.unwrap_or(kept.minted.wall).max(kept.minted.wall);
    let idle = u64::try_from(now.seconds_since(last)).map(Duration::from_secs).unwrap_or_default();
    if let Some(timeout) = learned_lifetime(idle) {
        record.learned = Some(record.learned.map_or(timeout, |known| known.min(timeout)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

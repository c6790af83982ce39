use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use crate::base::{AccessToken, ApiVersion, Clock, Connection, Explain, OAuthError, TokenCacheKind, TokenId};
use crate::store::{MintReason, Store};

use super::cache::{FileCache, MintCounter, Record, token_folder};
use super::freshness::{Freshness, SHORTEST_SESSION};
use super::gate::{accept, counted, learn};
use super::governor::{Claimant, REMINTS_PER_MINUTE, RENEWAL_FLOOR};
use super::keeper::{Flight, Keeper, NOT_AHEAD};
use super::need::{Handed, Need, Origin, standing};
use super::{CacheError, MintError, Minter, Revoked, SystemClock};

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
pub struct TokenSource(Arc<Keeper>);

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
        Ok(Self(Arc::new(Keeper {
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
                drop(self.join(need, None));
            }
            if let Some(handed) = self.0.handed(Origin::Cache) {
                return Ok(handed);
            }
        }
        self.land(need, None).await
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
                    warn!(connection.name = %self.connection().name, error.code = error.code(), "no access token: {error}");
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
        let Some(kept) = record.kept.as_ref().filter(|kept| kept.token.expose() == token.expose()) else {
            return;
        };
        if kept.accepted_at.is_some_and(|at| now.seconds_since(at) < ACCEPTED_STEP && now >= at) {
            return;
        }
        accept(&mut record, token, now);
        // Others may be writing; then this is written with the next call.
        if let Some(file) = &inner.file
            && let Ok(Some(guard)) = file.try_lock()
        {
            let mut shared = file.read(self.connection(), &*inner.clock);
            if shared.kept.as_ref().is_some_and(|kept| kept.token.expose() == token.expose()) {
                accept(&mut shared, token, now);
                let _ = file.write(&shared, &guard);
            }
        }
    }

    /// The newest API version that the org of the token in hand and this release both know, where it was asked for.
    pub fn api_version(&self) -> Option<ApiVersion> {
        self.0.read().kept.as_ref().and_then(|kept| kept.api_version)
    }

    /// Keeps the answer to that question beside the token, for all processes, until the next mint.
    pub fn speaks(&self, version: ApiVersion) {
        let inner = &*self.0;
        let mut record = inner.record.write().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = record.kept.as_mut().filter(|kept| kept.api_version != Some(version)) else {
            return;
        };
        kept.api_version = Some(version);
        let token = kept.token.clone();
        // Others may be writing; then the next process asks again.
        if let Some(file) = &inner.file
            && let Ok(Some(guard)) = file.try_lock()
        {
            let mut shared = file.read(self.connection(), &*inner.clock);
            if let Some(kept) = shared.kept.as_mut().filter(|kept| kept.token.expose() == token.expose()) {
                kept.api_version = Some(version);
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
            return Ok(self.land(need, None).await?.token);
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
        let handed = self.land(need, Some(MintReason::DeadSession)).await?;
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

    /// Waits for a mint that serves `need`: the one under way, or where that was for a smaller need, another.
    async fn land(&self, need: Need, reason: Option<MintReason>) -> Result<Handed, MintError> {
        for _ in 0..2 {
            let (flight, joined) = self.join(need, reason);
            let outcome = landed(flight).await;
            if !joined {
                return outcome;
            }
            let stands = standing(&self.0.read(), &need, self.connection(), &*self.0.clock);
            match (outcome, stands) {
                (Ok(handed), Some(Freshness::Fresh | Freshness::Due)) => return Ok(handed),
                // What was refused to everyday work may be allowed to a proof.
                (Err(MintError::Budget { .. }), _) if need.claimant != Claimant::Work => {}
                (Err(error), Some(Freshness::Fresh | Freshness::Due)) => {
                    return self.0.handed(Origin::Cache).ok_or(error);
                }
                (Err(error), _) => return Err(error),
                (Ok(_), _) => {}
            }
        }
        landed(self.join(need, reason).0).await
    }

    /// Joins the mint under way, or begins one; says whether it joined.
    fn join(&self, need: Need, reason: Option<MintReason>) -> (Flight, bool) {
        let mut flight = lock(&self.0.flight);
        // A mint that has landed is history; one under way serves everybody but who wants one begun after now.
        if let Some(under_way) = flight.as_ref().filter(|under_way| {
            !need.fresh && under_way.borrow().is_none() && under_way.has_changed().is_ok()
        }) {
            return (under_way.clone(), true);
        }
        let (land, wait) = watch::channel(None);
        *flight = Some(wait.clone());
        let inner = self.0.clone();
        tokio::spawn(async move {
            let outcome = inner.refresh(need, reason).await;
            land.send_replace(Some(outcome));
        });
        (wait, false)
    }
}

/// Waits for a mint to land.
async fn landed(mut flight: Flight) -> Result<Handed, MintError> {
    match flight.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or(Err(MintError::Abandoned)),
        Err(_) => Err(MintError::Abandoned),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

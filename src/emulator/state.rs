use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::access_jwt::AccessJwtSigner;
use super::app::{App, AppConfig};
use super::bulk::{IngestJob, Lie, Prerendered, QueryJob};
use super::clock::OrgClock;
use super::config::OrgConfig;
use super::ids::{mix, record_id};
use super::injection::Injection;
use super::log::{AuditRow, Counters, LogEntry, LoginRow};
use super::permission::Grants;
use super::records::{Records, RecordsConfig};
use super::rest::locator::Locator;
use super::rules::Rules;
use super::session::Session;
use super::user::{User, UserConfig};
use super::verify::CertificateMistake;
use crate::base::{OrgId, UnixSeconds};

/// How many entries the request log and the login history keep; older ones are dropped, counters are not.
const KEPT_ENTRIES: usize = 100_000;

/// When the objects first got their shape: 2026-01-01T00:00:00Z.
const SHAPED_AT: UnixSeconds = UnixSeconds::new(1_767_225_600);

/// The org, shared by its connections and its administrators.
pub(super) struct Shared {
    state: Mutex<OrgState>,
    pub clock: OrgClock,
    pub own_url: String,
    pub org_id: OrgId,
    pub records: RecordsConfig,
    pub prerendered: Prerendered,
    /// What the clock's `elapsed` showed when the org began.
    pub began: Duration,
    pub stopping: watch::Sender<bool>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("url", &self.own_url)
            .field("org_id", &self.org_id)
            .finish_non_exhaustive()
    }
}

/// What the org knows. Live tokens are in here, so it is never shown.
pub(super) struct OrgState {
    pub name: String,
    pub rules: Rules,
    pub apps: BTreeMap<String, App>,
    pub users: Vec<User>,
    pub permission_sets: Vec<Grants>,
    pub profiles: Vec<Grants>,
    pub sessions: HashMap<String, Session>,
    pub logins: HashMap<String, VecDeque<Duration>>,
    pub used_assertions: HashSet<String>,
    pub injections: Vec<Injection>,
    pub locators: VecDeque<Locator>,
    pub query_jobs: BTreeMap<String, QueryJob>,
    pub ingest_jobs: BTreeMap<String, IngestJob>,
    pub query_jobs_made: VecDeque<Duration>,
    pub lies: Vec<Lie>,
    pub records: Records,
    /// When the objects last changed their shape.
    pub shaped_at: UnixSeconds,
    pub api_calls: VecDeque<(Duration, u32)>,
    pub log: VecDeque<LogEntry>,
    pub counters: Counters,
    pub login_history: VecDeque<LoginRow>,
    pub audit: Vec<AuditRow>,
    pub jwt: AccessJwtSigner,
    nonce: u64,
    serial: u64,
}

/// A change that an org does not take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminMistake {
    /// A certificate that no app takes.
    #[error("the certificate of app `{0}` is refused")]
    Certificate(String, #[source] CertificateMistake),
    /// A description without its name.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Nothing here has that name.
    #[error("there is no {0} `{1}`")]
    Unknown(&'static str, String),
    /// A value that does not fit its field.
    #[error("the value for field `{0}` does not fit its type")]
    Value(String),
    /// A condition that is no SOQL.
    #[error("the condition is refused: {0}")]
    Condition(String),
    /// JSON that does not describe what it should.
    #[error("the description cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// `records.since` that is no time.
    #[error("`records.since` is refused")]
    Since(#[source] crate::base::ParseTimeError),
    /// An org id that is none.
    #[error("the org's id is refused")]
    OrgId(#[source] crate::base::IdMistake),
}

impl Shared {
    pub fn new(config: OrgConfig, clock: OrgClock, own_url: String) -> Result<Arc<Self>, AdminMistake> {
        let org_id = config.org_id.parse().map_err(AdminMistake::OrgId)?;
        config.records.since.parse::<UnixSeconds>().map_err(AdminMistake::Since)?;
        let mut state = OrgState {
            name: config.name,
            rules: config.rules,
            apps: BTreeMap::new(),
            users: vec![],
            permission_sets: config.permission_sets,
            profiles: config.profiles,
            sessions: HashMap::new(),
            logins: HashMap::new(),
            used_assertions: HashSet::new(),
            injections: config.faults,
            locators: VecDeque::new(),
            query_jobs: BTreeMap::new(),
            ingest_jobs: BTreeMap::new(),
            query_jobs_made: VecDeque::new(),
            lies: vec![],
            records: Records::default(),
            shaped_at: SHAPED_AT,
            api_calls: VecDeque::new(),
            log: VecDeque::new(),
            counters: Counters::default(),
            login_history: VecDeque::new(),
            audit: vec![],
            jwt: AccessJwtSigner::default(),
            nonce: RandomState::new().build_hasher().finish(),
            serial: 0,
        };
        let now = clock.now();
        for app in config.apps {
            state.put_app(app, now)?;
        }
        for user in config.users {
            state.put_user(user, now)?;
        }
        let (stopping, _) = watch::channel(false);
        Ok(Arc::new(Self {
            state: Mutex::new(state),
            began: clock.elapsed(),
            clock,
            own_url,
            org_id,
            records: config.records,
            prerendered: Prerendered::default(),
            stopping,
        }))
    }

    /// The state, for as long as one decision takes; never held over an await.
    pub fn state(&self) -> MutexGuard<'_, OrgState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OrgState {
    /// Counts up: names for sessions, locators and rows.
    pub fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Objects or fields have changed; told apart from the time before even within one second.
    pub fn reshaped(&mut self, now: UnixSeconds) {
        self.shaped_at = now.max(self.shaped_at.moved(1));
    }

    /// Text of `length` characters out of `A-Za-z0-9._`, different at each call and in each org.
    pub fn token_text(&mut self, length: usize) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
        let mut seed = mix(self.nonce ^ mix(self.next_serial()));
        (0..length)
            .map(|_| {
                seed = mix(seed);
                char::from(DIGITS[(seed & 63) as usize])
            })
            .collect()
    }

    pub fn put_app(&mut self, config: AppConfig, now: UnixSeconds) -> Result<(), AdminMistake> {
        if config.consumer_key.is_empty() {
            return Err(AdminMistake::Missing("consumer_key"));
        }
        let key = config.consumer_key.clone();
        let known = self.apps.get(&key).map(|app| app.serial);
        let serial = known.unwrap_or_else(|| self.apps.len() as u64 + 1);
        let name = config.name.clone();
        let app = App::new(config, serial).map_err(|why| AdminMistake::Certificate(key.clone(), why))?;
        self.apps.insert(key, app);
        let verb = if known.is_some() { "Changed" } else { "Created" };
        self.audited(now, "changedConnectedApplication", format!("{verb} app {name}"));
        Ok(())
    }

    pub fn put_user(&mut self, config: UserConfig, now: UnixSeconds) -> Result<(), AdminMistake> {
        if config.username.is_empty() {
            return Err(AdminMistake::Missing("username"));
        }
        let mut reshaped = false;
        let verb = match self.users.iter_mut().find(|user| user.is_called(&config.username)) {
            Some(user) => {
                reshaped = user.config.hidden_fields != config.hidden_fields;
                user.config = config.clone();
                "Changed"
            }
            None => {
                let serial = self.users.len() as u64 + 1;
                self.users.push(User { config: config.clone(), serial, id: record_id("005", serial) });
                "Created"
            }
        };
        if !config.active {
            self.sessions
                .values_mut()
                .filter(|session| session.username.eq_ignore_ascii_case(&config.username))
                .for_each(|session| session.killed = true);
        }
        if reshaped {
            self.reshaped(now);
        }
        self.audited(now, "changedUser", format!("{verb} user {}", config.username));
        Ok(())
    }

    pub fn user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.is_called(username))
    }

    pub fn audited(&mut self, at: UnixSeconds, action: &str, display: String) {
        self.audit.push(AuditRow { at, action: action.into(), display, section: "Manage Apps".into() });
    }

    pub fn logged(&mut self, entry: LogEntry) {
        keep(&mut self.log, entry);
    }

    pub fn logged_in(&mut self, row: LoginRow) {
        keep(&mut self.login_history, row);
    }
}

fn keep<T>(list: &mut VecDeque<T>, entry: T) {
    if list.len() == KEPT_ENTRIES {
        list.pop_front();
    }
    list.push_back(entry);
}

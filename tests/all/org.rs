//! An org for a test, and connections to it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sfmint::base::{
    Clock, Connection, Credential, Credentials, InstanceHosts, KeySource, ManualClock, Network, SecretSource,
    TokenCacheKind, TokenPolicy,
};
use sfmint::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME, Org, OrgConfig};
use sfmint::store::{MemoryStore, MintQuery, MintRow, Store};
use sfmint::token::{Minter, TokenSource};

use crate::log;
use crate::secrets::Secrets;

/// Where the keys of the tests lie.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name)
}

/// A copy of a fixture that only its owner may read.
pub fn key_in(folder: &Path, fixture_name: &str, name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::copy(fixture(fixture_name), &path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// An org, a folder for the state, and one clock for both sides unless a test parts them.
pub struct World {
    pub org: Org,
    pub clock: Arc<ManualClock>,
    pub store: Arc<MemoryStore>,
    pub folder: Swept,
}

/// The folder of a world. Whatever is in it, in the history and in the log is swept for secrets when the world ends: no
/// test can forget it.
pub struct Swept {
    folder: tempfile::TempDir,
    store: Arc<MemoryStore>,
    /// Where the log of this world begins.
    log: usize,
    secrets: Mutex<Vec<String>>,
}

impl Swept {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Another secret of this world.
    pub fn secret(&self, text: &str) {
        self.secrets.lock().unwrap().push(text.into());
    }

    fn sweep(&self) {
        let mut secrets = Secrets::default();
        secrets.add_beginnings();
        let fixtures = ["pkcs8.pem", "other.pem"];
        fixtures.iter().for_each(|name| secrets.add_key(&fixture(name)));
        self.secrets.lock().unwrap().iter().for_each(|text| secrets.add("a secret", text, false));
        secrets.sweep_folder(self.path(), self.path());
        let rows = self.store.mints(MintQuery { limit: 1000, ..MintQuery::default() });
        let rows = futures_now(rows).unwrap();
        secrets.sweep("the history", format!("{rows:?}").as_bytes(), true);
        log::sweep(&secrets, self.log);
    }
}

impl Drop for Swept {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.sweep();
        }
    }
}

/// What a future that waits for nothing brings; there may be no runtime any more.
fn futures_now<T>(mut future: sfmint::base::BoxFuture<'_, T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("the store in memory waits for something"),
    }
}

impl World {
    /// The ready org, with the test key's certificate on its app.
    pub async fn new() -> Self {
        Self::of(OrgConfig::default()).await
    }

    pub async fn of(config: OrgConfig) -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-22T21:00:00Z".parse().unwrap()));
        let org = Org::start(config, clock.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let certificate = std::fs::read_to_string(fixture("certificate.pem")).unwrap();
        org.admin().set_certificate(DEMO_CONSUMER_KEY, Some(&certificate), 0).unwrap();
        let folder = tempfile::tempdir().unwrap();
        key_in(folder.path(), "pkcs8.pem", "current.key");
        let store = Arc::new(MemoryStore::new());
        let swept = Swept { folder, store: store.clone(), log: log::listen(), secrets: Mutex::default() };
        Self { org, clock, folder: swept, store }
    }

    pub fn credential(&self) -> Credential {
        Credential {
            name: "main".into(),
            client_id: DEMO_CONSUMER_KEY.parse().unwrap(),
            key: KeySource {
                pem: SecretSource::File(self.folder.path().join("current.key")),
                passphrase: None,
            },
            certificate: Some(fixture("certificate.pem")),
        }
    }

    /// A connection with a shared cache in the world's folder.
    pub fn connection(&self) -> Connection {
        let login: sfmint::base::LoginUrl = self.org.url().parse().unwrap();
        Connection {
            name: "prod".parse().unwrap(),
            audience: (&login).into(),
            login_url: login,
            username: DEMO_USERNAME.parse().unwrap(),
            credentials: Credentials::one(self.credential()),
            policy: TokenPolicy {
                session_timeout: Some(Duration::from_secs(7200)),
                ..TokenPolicy::default()
            },
            instance_hosts: InstanceHosts::default(),
            network: Network::default(),
            api_version: None,
            state_dir: Some(self.folder.path().join("state")),
        }
    }

    /// The same connection, whose tokens live in this process alone.
    pub fn in_memory(&self) -> Connection {
        let mut connection = self.connection();
        connection.policy.cache = TokenCacheKind::Memory;
        connection
    }

    pub fn source(&self, connection: Connection) -> TokenSource {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let minter = Minter::new(Arc::new(connection), clock.clone());
        TokenSource::over(minter, clock, Some(self.store.clone())).unwrap()
    }

    pub fn clock_now(&self) -> sfmint::base::UnixSeconds {
        self.clock.now()
    }

    pub fn minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }

    pub fn seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Requests that arrived at the token endpoint.
    pub fn posts(&self) -> u64 {
        self.org.admin().counters().token_posts
    }

    /// Tokens that were given out.
    pub fn minted(&self) -> u64 {
        self.org.admin().counters().minted()
    }

    /// The history, oldest first.
    pub async fn rows(&self) -> Vec<MintRow> {
        let mut rows = self.store.mints(MintQuery { limit: 1000, ..MintQuery::default() }).await.unwrap();
        rows.reverse();
        rows
    }
}

/// Lets tasks that were spawned run to their next wait, until `done` or for five seconds.
pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(5);
    while !done() {
        assert!(tokio::time::Instant::now() < patience, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

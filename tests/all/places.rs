//! A folder with a config file, a key and a state directory, and an org that the config names: what a person has.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use sfmint::emulator::{Admin, DEMO_CONSUMER_KEY, DEMO_USERNAME, Org, OrgConfig};
use sfmint::token::SystemClock;

use crate::child::{self, Ran};
use crate::org::{fixture, key_in};
use crate::relay::Relay;
use crate::secrets::Secrets;

/// A desk: org, relay and folder. The runtime serves them while the test waits for programs.
pub struct Desk {
    runtime: tokio::runtime::Runtime,
    org: Option<Org>,
    admin: Admin,
    relay: Relay,
    folder: tempfile::TempDir,
    pub variables: BTreeMap<String, OsString>,
    secrets: Vec<(String, String)>,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self::with(OrgConfig::default());
        desk.write("sfmint.toml", &desk.config(""));
        desk
    }

    /// A desk without a config file yet. Apps without a certificate get the test key's.
    pub fn with(mut config: OrgConfig) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let certificate = std::fs::read_to_string(fixture("certificate.pem")).unwrap();
        for app in config.apps.iter_mut().filter(|app| app.certificate.is_none()) {
            app.certificate = Some(certificate.clone());
        }
        let clock = Arc::new(SystemClock::new());
        let (org, relay) = runtime.block_on(async {
            let org = Org::start(config, clock, "127.0.0.1:0".parse().unwrap()).await.unwrap();
            let relay = Relay::before(&org.url()).await;
            (org, relay)
        });
        let admin = org.admin();
        let folder = tempfile::tempdir().unwrap();
        key_in(folder.path(), "pkcs8.pem", "current.key");
        std::fs::copy(fixture("certificate.pem"), folder.path().join("current.crt")).unwrap();
        let mut variables = BTreeMap::new();
        variables.insert("SFMINT_CONFIG".into(), folder.path().join("sfmint.toml").into());
        variables.insert("SFMINT_STATE_DIR".into(), folder.path().join("state").into());
        Self { runtime, org: Some(org), admin, relay, folder, variables, secrets: vec![] }
    }

    /// A connection as a user writes it, with further lines of its own.
    pub fn config(&self, more: &str) -> String {
        let url = self.url();
        format!(
            "[connections.prod]\nlogin_url = \"{url}\"\nclient_id = \"{DEMO_CONSUMER_KEY}\"\n\
             username = \"{DEMO_USERNAME}\"\nkey = {{ file = \"current.key\" }}\n{more}\n"
        )
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Where the config sends its requests.
    pub fn url(&self) -> String {
        self.relay.url()
    }

    pub fn admin(&self) -> Admin {
        self.admin.clone()
    }

    pub fn org_url(&self) -> String {
        self.org.as_ref().unwrap().url()
    }

    /// Does a deed of the admin API as an administrator's script would.
    pub fn administer(&self, path: &str, body: &str) {
        let url = format!("{}/_emulator/{path}", self.org_url());
        let body = body.to_string();
        self.runtime.block_on(async {
            let answer = reqwest::Client::new().post(url).body(body).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}: {}", answer.text().await.unwrap());
        });
    }

    /// Waits for a future on the desk's own runtime.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Nobody answers any more.
    pub fn stop_org(&mut self) {
        self.relay.stop();
        if let Some(org) = self.org.take() {
            self.runtime.block_on(org.stop());
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = child::sfmint(self.path(), &self.variables);
        command.args(arguments);
        command
    }

    pub fn sfmint(&self, arguments: &[&str]) -> Ran {
        child::run(self.command(arguments))
    }

    /// Another secret that this run uses.
    pub fn secret(&mut self, kind: &str, text: &str) {
        self.secrets.push((kind.into(), text.into()));
    }

    /// The cache files, without locks and counts.
    pub fn cache_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.path().join("state/tokens"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        files.sort();
        files
    }

    /// The kept token is so many seconds older, in the file that holds it.
    pub fn age(&self, seconds: i64) {
        for path in self.cache_files() {
            let mut record: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let token = record.get_mut("token").filter(|token| token.is_object());
            if let Some(token) = token {
                token["minted_at"] = (token["minted_at"].as_i64().unwrap() - seconds).into();
            }
            for refusal in ["refused", "session_refused"] {
                if let Some(at) = record.get_mut(refusal).and_then(|refused| refused.get_mut("at")) {
                    *at = (at.as_i64().unwrap() - seconds).into();
                }
            }
            if let Some(at) = record["renewal_failed_at"].as_i64() {
                record["renewal_failed_at"] = (at - seconds).into();
            }
            std::fs::write(&path, serde_json::to_vec(&record).unwrap()).unwrap();
        }
    }

    /// All secrets that this desk has seen.
    pub fn all_secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        for name in ["current.key", "other.key"] {
            if self.path().join(name).exists() {
                secrets.add_key(&self.path().join(name));
            }
        }
        secrets.add_key(&fixture("pkcs8.pem"));
        let (assertions, tokens) = self.relay.secrets();
        assertions.iter().for_each(|assertion| secrets.add("an assertion", assertion, false));
        tokens.iter().for_each(|token| secrets.add("an access token", token, true));
        self.secrets.iter().for_each(|(kind, text)| secrets.add(kind, text, false));
        secrets
    }

    /// The tokens that went over the wire.
    pub fn tokens(&self) -> Vec<String> {
        self.relay.secrets().1
    }

    /// Sweeps all that a run said and left behind.
    pub fn sweep(&self, what: &str, ran: &Ran, prints_token: bool) {
        let secrets = self.all_secrets();
        secrets.sweep(&format!("stdout of {what}"), &ran.stdout, !prints_token);
        secrets.sweep(&format!("stderr of {what}"), &ran.stderr, true);
        secrets.sweep(&format!("an argument list of {what}"), &ran.command_lines, true);
        self.sweep_files(&secrets);
    }

    fn sweep_files(&self, secrets: &Secrets) {
        for folder in ["state", "tmp"] {
            secrets.sweep_folder(&self.path().join(folder));
        }
    }
}

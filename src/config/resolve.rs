use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::{
    Audience, Connection, ConnectionName, Credential, Credentials, LoginUrl, Network, Secret, SecretSource,
    TokenPolicy, Username,
};

use super::document::Section;
use super::draft::{App, Draft};
use super::mistake::Weight;
use super::{ConfigError, Mistake, Origin, later};

/// A connection with everything it needs, and still with the origin of each value.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub name: ConnectionName,
    pub draft: Draft,
    login_url: LoginUrl,
    username: Username,
    apps: Apps,
}

#[derive(Clone, Debug)]
enum Apps {
    One(Box<App>),
    Two(Box<[App; 2]>),
}

/// Lays a connection's table over the defaults.
///
/// # Errors
///
/// What is missing, and what contradicts itself.
pub(super) fn resolve(
    name: ConnectionName,
    section: Section,
    defaults: &Section,
) -> Result<Resolved, Vec<Mistake>> {
    let header = section.header.clone();
    let single = ["client_id", "key", "certificate"];
    let both: Vec<&str> =
        single.into_iter().filter(|key| section.says("apps") && section.says(key)).collect();
    if !both.is_empty() {
        let keys = both.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and ");
        let says = format!("connection `{name}` has `apps` and {keys}; with `apps`, each app has its own");
        return Err(vec![Mistake::new(header, says)]);
    }
    // The nearer layer decides whether there are one or two; the other kind in the defaults is then not meant.
    let mut below = defaults.draft.clone();
    if section.says("apps") {
        (below.client_id, below.key, below.certificate) = (None, None, None);
    } else if single.iter().any(|key| section.says(key)) {
        below.apps = None;
    }
    let says = |key: &str| section.says(key) || defaults.says(key);
    let two = says("apps") && !single.iter().any(|key| section.says(key));
    let required: &[&str] =
        if two { &["login_url", "username"] } else { &["login_url", "client_id", "username", "key"] };
    let not_ours = later::CONNECTION.iter().any(|key| section.says(key));
    let missing = required.iter().filter(|key| !says(key) && !not_ours).map(|key| {
        let says = format!("connection `{name}` lacks `{key}`");
        Mistake::new(header.clone(), says).with_weight(Weight::Missing)
    });
    let missing: Vec<Mistake> = missing.collect();
    let draft = section.draft.or(&below);
    match (&draft.login_url, &draft.username, apps(&draft)) {
        (Some(login_url), Some(username), Some(apps)) => {
            let (login_url, username) = (login_url.value.clone(), username.value.clone());
            Ok(Resolved { name, login_url, username, apps, draft })
        }
        // A value that was refused is not missing; its own mistake is already told.
        _ => Err(missing),
    }
}

fn apps(draft: &Draft) -> Option<Apps> {
    if let Some(apps) = &draft.apps {
        let [a, b] = <[App; 2]>::try_from(apps.value.clone()).ok()?;
        return Some(Apps::Two(Box::new([a, b])));
    }
    Some(Apps::One(Box::new(App {
        name: "main".into(),
        client_id: draft.client_id.as_ref()?.value.clone(),
        key: draft.key.as_ref()?.value.clone(),
        certificate: draft.certificate.as_ref().map(|path| path.value.clone()),
    })))
}

impl Resolved {
    /// The first `command` this connection would run to get at a secret.
    pub fn command(&self) -> Option<&Origin> {
        let runs = |key: &crate::base::KeySource| {
            let sources = std::iter::once(&key.pem).chain(&key.passphrase);
            sources.into_iter().any(|source| matches!(source, SecretSource::Command(_)))
        };
        if let Some(apps) = &self.draft.apps {
            return apps.value.iter().any(|app| runs(&app.key)).then_some(&apps.origin);
        }
        self.draft.key.as_ref().filter(|key| runs(&key.value)).map(|key| &key.origin)
    }

    /// Every credential, as written.
    pub fn apps(&self) -> &[App] {
        match &self.apps {
            Apps::One(app) => std::slice::from_ref(app),
            Apps::Two(apps) => apps.as_slice(),
        }
    }

    /// The connection as the rest of the house knows it.
    ///
    /// # Errors
    ///
    /// With two apps: the file that says which one is active cannot be read or names neither.
    pub fn connection(
        &self,
        config_dir: Option<&Path>,
        state_dir: Option<PathBuf>,
        proxy_hosts: &[String],
    ) -> Result<Connection, ConfigError> {
        let draft = &self.draft;
        let usual = TokenPolicy::default();
        let seconds = |value: &Option<super::origin::Sourced<u64>>| {
            value.as_ref().map(|s| Duration::from_secs(s.value))
        };
        let count = |value: &Option<super::origin::Sourced<u64>>, usual: u32| {
            value.as_ref().and_then(|sourced| u32::try_from(sourced.value).ok()).unwrap_or(usual)
        };
        Ok(Connection {
            name: self.name.clone(),
            login_url: self.login_url.clone(),
            audience: draft
                .audience
                .as_ref()
                .map_or_else(|| Audience::from(&self.login_url), |said| said.value.clone()),
            username: self.username.clone(),
            credentials: self.credentials(config_dir)?,
            policy: TokenPolicy {
                session_timeout: seconds(&draft.session_timeout),
                refresh_buffer: seconds(&draft.refresh_buffer).unwrap_or(usual.refresh_buffer),
                mint_attempts: count(&draft.mint_attempts, usual.mint_attempts),
                mint_budget_per_hour: count(&draft.mint_budget, usual.mint_budget_per_hour),
                cache: draft.token_cache.as_ref().map_or(usual.cache, |said| said.value),
            },
            instance_hosts: draft.instance_hosts.as_ref().map(|said| said.value.clone()).unwrap_or_default(),
            network: Network {
                ca_file: draft.ca_file.as_ref().map(|said| said.value.clone()),
                proxy: draft
                    .proxy
                    .as_ref()
                    .map(|said| Secret::new("proxy address", said.value.url.expose().clone())),
                proxy_hosts: proxy_hosts.to_vec(),
            },
            api_version: draft.api_version.as_ref().map(|said| said.value),
            state_dir,
        })
    }

    fn credentials(&self, config_dir: Option<&Path>) -> Result<Credentials, ConfigError> {
        let credential = |app: &App| Credential {
            name: app.name.clone(),
            client_id: app.client_id.clone(),
            key: app.key.clone(),
            certificate: app.certificate.clone(),
        };
        let [a, b] = match &self.apps {
            Apps::One(app) => return Ok(Credentials::one(credential(app))),
            Apps::Two(apps) => &**apps,
        };
        match self.active(config_dir, [&a.name, &b.name])? {
            0 => Ok(Credentials::two(credential(a), credential(b))),
            _ => Ok(Credentials::two(credential(b), credential(a))),
        }
    }

    /// Which of two apps mints: what `certs/NAME/active` beside the config says, or the first.
    fn active(&self, config_dir: Option<&Path>, names: [&String; 2]) -> Result<usize, ConfigError> {
        let Some(path) = config_dir.map(|dir| dir.join("certs").join(self.name.as_str()).join("active"))
        else {
            return Ok(0);
        };
        let Some(file) = super::file::read(&path, super::file::MustBe::Safe)? else { return Ok(0) };
        names.iter().position(|name| name.as_str() == file.text.trim()).ok_or_else(|| {
            ConfigError::ActiveApp { path, connection: self.name.clone(), apps: names.map(String::clone) }
        })
    }
}

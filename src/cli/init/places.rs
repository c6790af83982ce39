use std::path::{Path, PathBuf};

use crate::base::{Connection, ConnectionName, Fault};
use crate::config::{ConfigError, Environment, Flags, Settings};

use super::super::Global;
use super::super::report::{Complaint, told};
use super::Verb;

/// Where a connection's files are, or go.
#[derive(Debug)]
pub struct Places {
    /// The config file.
    pub config: PathBuf,
    /// Whether it is there.
    pub config_is_there: bool,
    /// `certs/NAME` beside it.
    pub certs: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// Its certificate.
    pub certificate: PathBuf,
    /// What an earlier run was told.
    pub answers: PathBuf,
    /// The file the connection gets.
    pub connection: PathBuf,
    /// What is handed over, where nobody says otherwise.
    pub handover: PathBuf,
    settings: Option<Settings>,
}

impl Places {
    /// Looks where the configuration is. Nothing is made.
    ///
    /// # Errors
    ///
    /// Those of [`Settings::from_layers`], but for a named config file that is not there yet.
    pub fn find(name: &ConnectionName, global: &Global) -> anyhow::Result<Self> {
        let flags = Flags { config: global.config.clone(), state_dir: global.state_dir.clone() };
        let settings = match Settings::from_layers(flags, &Environment::from_process()) {
            Ok(settings) => Some(settings),
            Err(ConfigError::NotFound { path, .. }) => return Ok(Self::around(path, false, name, None)),
            Err(error) => return Err(told(error)),
        };
        let there = settings.as_ref().and_then(Settings::config_file).map(Path::to_path_buf);
        Ok(match there {
            Some(config) => Self::around(config, true, name, settings),
            None => Self::around(PathBuf::from("config/sfmint.toml"), false, name, settings),
        })
    }

    /// The places around a config file.
    pub fn around(
        config: PathBuf,
        config_is_there: bool,
        name: &ConnectionName,
        settings: Option<Settings>,
    ) -> Self {
        let folder = config.parent().unwrap_or(Path::new("")).to_path_buf();
        let certs = folder.join("certs").join(name.as_str());
        Self {
            key: certs.join("current.key"),
            certificate: certs.join("current.crt"),
            answers: certs.join("init.toml"),
            certs,
            connection: folder.join("connections.d").join(format!("{name}.toml")),
            handover: folder.join("handover").join(name.as_str()),
            config,
            config_is_there,
            settings,
        }
    }

    /// The connection, where it is configured already; flags that say otherwise are refused.
    ///
    /// # Errors
    ///
    /// `init.configured`: it is there and differs. *Misuse*.
    pub fn configured(&self, verb: &Verb) -> anyhow::Result<Option<Connection>> {
        let Some(settings) = &self.settings else { return Ok(None) };
        if !settings.connection_names().any(|known| *known == verb.name) {
            return Ok(None);
        }
        let known = settings.connection(Some(verb.name.as_str())).map_err(told)?;
        let is = known.credentials.active();
        let timeout = known.policy.session_timeout.map(|timeout| (timeout.as_secs() / 60).to_string());
        let pairs = [
            ("--client-id", verb.client_id.as_ref().map(ToString::to_string), is.client_id.to_string()),
            ("--login-url", verb.login_url.as_ref().map(ToString::to_string), known.login_url.to_string()),
            ("--username", verb.username.as_ref().map(|name| name.folded()), known.username.folded()),
            (
                "--session-timeout-minutes",
                verb.session_timeout_minutes.map(|minutes| minutes.to_string()),
                timeout.unwrap_or_else(|| "not set".into()),
            ),
        ];
        let differs: Vec<String> = pairs
            .into_iter()
            .filter_map(|(flag, said, there)| {
                said.filter(|said| *said != there).map(|_| format!("{flag} (there: {there})"))
            })
            .collect();
        if differs.is_empty() {
            return Ok(Some(known));
        }
        let says = format!(
            "connection `{}` is configured already, and differs in {}",
            verb.name,
            differs.join(", ")
        );
        let place = if self.connection.exists() { &self.connection } else { &self.config };
        Err(told(Complaint::new("init.configured", Fault::Misuse, says).hint(format!(
            "edit {}, or choose another name; `sfmint init` changes no connection that is there",
            place.display()
        ))))
    }
}

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use crate::base::{Connection, KeySource, Secret, SecretSource};

use super::document::Section;
use super::draft::Draft;
use super::locations::FoundBy;
use super::looks_secret::looks_secret;
use super::nearest::nearest;
use super::origin::Sourced;
use super::understand::understand;
use super::variables::CONNECTION;
use super::{ConfigError, Environment, Flags, Mistake, Origin, state_dir};

/// Reads the connection `default` from the environment; `None` where no variable of it is set.
///
/// A variable that the config file refers to (`{ env = "SFMINT_PRIVATE_KEY" }`) does not ask for a connection by itself.
///
/// # Errors
///
/// Each required variable that is missing once one is set, each value that is refused, each pair that says a thing twice.
pub(super) fn read(
    environment: &Environment,
    referenced: &BTreeSet<String>,
) -> Result<Option<Section>, Vec<Mistake>> {
    let asks = |name: &&str| environment.is_set(name) && !referenced.contains(*name);
    let Some(first) = CONNECTION.iter().map(|variable| variable.name).find(|name| asks(name)) else {
        return Ok(None);
    };
    let mut taken = Taken { environment, mistakes: Vec::new() };
    let key = taken.secret("SFMINT_PRIVATE_KEY", "SFMINT_PRIVATE_KEY_FILE", "private key");
    let passphrase =
        taken.secret("SFMINT_PRIVATE_KEY_PASSPHRASE", "SFMINT_PRIVATE_KEY_PASSPHRASE_FILE", "passphrase");
    let draft = Draft {
        login_url: taken.parsed("SFMINT_LOGIN_URL"),
        audience: taken.parsed("SFMINT_AUDIENCE"),
        client_id: taken.parsed("SFMINT_CLIENT_ID"),
        username: taken.parsed("SFMINT_USERNAME"),
        key: key.map(|pem| Sourced {
            value: KeySource { pem: pem.value, passphrase: passphrase.map(|passphrase| passphrase.value) },
            origin: pem.origin,
        }),
        ..Draft::default()
    };
    for name in ["SFMINT_LOGIN_URL", "SFMINT_CLIENT_ID", "SFMINT_USERNAME"] {
        if !environment.is_set(name) {
            taken.missing(name, first);
        }
    }
    if !environment.is_set("SFMINT_PRIVATE_KEY") && !environment.is_set("SFMINT_PRIVATE_KEY_FILE") {
        taken.missing("SFMINT_PRIVATE_KEY", first);
    }
    if !taken.mistakes.is_empty() {
        return Err(taken.mistakes);
    }
    let said = ["login_url", "client_id", "username", "key"].map(String::from).to_vec();
    Ok(Some(Section { header: Origin::Environment(first.to_string()), draft, said }))
}

struct Taken<'a> {
    environment: &'a Environment,
    mistakes: Vec<Mistake>,
}

impl Taken<'_> {
    fn mistake(&mut self, name: &str, says: impl Into<String>) {
        self.mistakes.push(Mistake::new(Origin::Environment(name.to_string()), says));
    }

    fn missing(&mut self, name: &str, set: &str) {
        let state = match self.environment.is_empty_text(name) {
            true => "is set, and empty",
            false => "is not set",
        };
        let known = |name: &str| CONNECTION.iter().any(|variable| variable.name == name);
        let strays = self.environment.names().filter(|stray| stray.starts_with("SFMINT_") && !known(stray));
        let near = nearest(name, strays)
            .map(|stray| format!("; {stray} is, did you mean that one?"))
            .unwrap_or_default();
        let or = match name {
            "SFMINT_PRIVATE_KEY" => " (nor is SFMINT_PRIVATE_KEY_FILE)",
            _ => "",
        };
        self.mistake(
            name,
            format!("{state}{or}, while {set} is; a connection from the environment needs it{near}"),
        );
    }

    fn text(&mut self, name: &str) -> Option<String> {
        if self.environment.is_not_text(name) {
            self.mistake(name, "is not UTF-8 text");
        }
        self.environment.get(name).map(String::from)
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<Sourced<T>> {
        let text = self.text(name)?;
        match text.trim().parse() {
            Ok(value) => Some(Sourced { value, origin: Origin::Environment(name.to_string()) }),
            Err(_) if looks_secret(&text).is_some() || text.contains("://") && text.contains('@') => {
                self.mistake(name, "holds what looks like a secret (not shown)");
                None
            }
            Err(error) => {
                self.mistake(name, format!("is refused: {error}"));
                None
            }
        }
    }

    fn secret(
        &mut self,
        name: &'static str,
        file: &'static str,
        kind: &'static str,
    ) -> Option<Sourced<SecretSource>> {
        if self.environment.is_set(name) && self.environment.is_set(file) {
            self.mistake(name, format!("is set, and {file} is too; set one of them"));
            return None;
        }
        if let Some(path) = self.environment.path(file) {
            let path = std::path::absolute(&path).unwrap_or(path);
            return Some(Sourced {
                value: SecretSource::File(path),
                origin: Origin::Environment(file.to_string()),
            });
        }
        let value = Secret::new(kind, self.text(name)?);
        let value = SecretSource::Env { name: name.to_string(), value: Some(value) };
        Some(Sourced { value, origin: Origin::Environment(name.to_string()) })
    }
}

impl Connection {
    /// The connection of the environment: `SFMINT_LOGIN_URL`, `SFMINT_CLIENT_ID`, `SFMINT_USERNAME`, and the key.
    ///
    /// No file is read but, later, those that hold the secrets. It is called `default`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] with each variable that is missing or refused, or
    /// [`ConfigError::NoConnection`] where none is set. *Misuse*.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_environment(&Environment::from_process())
    }

    /// The same, from an environment that was read before.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let understood = understand(&[], FoundBy::Convention, environment)?;
        let Some(connection) = understood.connections.first() else {
            return Err(ConfigError::NoConnection { searched: vec![PathBuf::from("the environment")] });
        };
        let state_dir = state_dir::choose(&Flags::default(), environment, &mut Vec::new());
        connection.connection(None, state_dir.map(|dir| dir.value), &environment.proxy_hosts())
    }
}

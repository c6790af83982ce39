use std::path::PathBuf;

use serde::Serialize;

use crate::base::{
    ApiVersion, Audience, ConsumerKey, InstanceHosts, KeySource, LoginUrl, SecretSource, TokenCacheKind,
    Username,
};

use super::draft::{App, Proxy};
use super::keys;
use super::origin::shown;
use super::{Origin, Settings, StoreLocation};

/// One line of `sfmint config show`: a key, what it holds, and who said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// `defaults`, `connections.NAME` or `jobs.NAME`.
    pub section: String,
    /// The key.
    pub key: &'static str,
    /// What it holds, for people; a secret is shown as the place it comes from.
    pub value: String,
    /// Who said so.
    pub origin: Origin,
}

impl Settings {
    /// Every value in force, with its origin; secrets are never in it.
    ///
    /// Keys for which nobody said anything are there as well, with their default.
    pub fn show(&self) -> Vec<Shown> {
        let state = self.state_dir.as_ref();
        let section = || "defaults".to_string();
        let store = match self.store() {
            StoreLocation::Sqlite(path) => shown(&path),
            StoreLocation::Memory => "memory".into(),
        };
        let mut lines = vec![Shown {
            section: section(),
            key: "state_dir",
            value: state.map_or("none".into(), |dir| shown(&dir.value)),
            origin: state.map_or(Origin::Default, |dir| dir.origin.clone()),
        }];
        lines.extend(keys::GENERAL.iter().map(|key| {
            let said = (key.show)(&self.general);
            let (value, origin) = said.unwrap_or((key.default.replace('`', ""), Origin::Default));
            let value = if key.name == "store" { store.clone() } else { value };
            Shown { section: section(), key: key.name, value, origin }
        }));
        for resolved in &self.connections {
            let section = format!("connections.{}", resolved.name);
            for key in keys::CONNECTION {
                let said = (key.show)(&resolved.draft);
                let silent = said.is_none() && (key.default.is_empty() || key.default == "none");
                if silent {
                    continue;
                }
                let (value, origin) = said.unwrap_or_else(|| (self.usual(resolved, key), Origin::Default));
                lines.push(Shown { section: section.clone(), key: key.name, value, origin });
            }
        }
        #[cfg(feature = "sync")]
        for resolved in &self.jobs {
            let section = format!("jobs.{}", resolved.job.name);
            for key in super::jobs::JOB {
                let said = (key.show)(&resolved.draft);
                let silent = said.is_none() && (key.default.is_empty() || key.default == "none");
                if silent {
                    continue;
                }
                let usual = || match key.name {
                    "connection" => resolved.job.connection.to_string(),
                    _ => key.default.replace('"', ""),
                };
                let (value, origin) = said.unwrap_or_else(|| (usual(), Origin::Default));
                lines.push(Shown { section: section.clone(), key: key.name, value, origin });
            }
        }
        lines
    }

    fn usual(&self, resolved: &super::resolve::Resolved, key: &keys::Key<super::draft::Draft>) -> String {
        match (key.name, &resolved.draft.login_url) {
            ("audience", Some(login_url)) => login_url.value.to_string(),
            ("instance_hosts", _) => InstanceHosts::default().printed(),
            _ => key.default.replace(['`', '"'], ""),
        }
    }
}

/// How a value is shown to people. Never a secret.
pub(super) trait Printed {
    fn printed(&self) -> String;
}

macro_rules! printed_as_is {
    ($($type:ty),*) => {$(
        impl $crate::config::show::Printed for $type {
            fn printed(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
#[cfg(feature = "sync")]
pub(super) use printed_as_is;

printed_as_is!(LoginUrl, Audience, ConsumerKey, Username, ApiVersion, u64, String);

impl Printed for PathBuf {
    fn printed(&self) -> String {
        shown(self)
    }
}

impl Printed for TokenCacheKind {
    fn printed(&self) -> String {
        match self {
            TokenCacheKind::File => "file",
            TokenCacheKind::Memory => "memory",
        }
        .into()
    }
}

impl Printed for InstanceHosts {
    fn printed(&self) -> String {
        self.entries().join(", ")
    }
}

impl Printed for SecretSource {
    fn printed(&self) -> String {
        match self {
            SecretSource::Env { name, .. } => format!("<secret from environment variable {name}>"),
            SecretSource::File(path) => format!("<secret from file {}>", shown(path)),
            // Arguments may hold what should not be shown.
            SecretSource::Command(argv) => {
                format!("<secret from command {}>", argv.first().map_or("", String::as_str))
            }
        }
    }
}

impl Printed for KeySource {
    fn printed(&self) -> String {
        match &self.passphrase {
            Some(passphrase) => format!("{}, passphrase {}", self.pem.printed(), passphrase.printed()),
            None => self.pem.printed(),
        }
    }
}

impl Printed for Vec<App> {
    fn printed(&self) -> String {
        let one = |app: &App| format!("{}: {}, {}", app.name, app.client_id, app.key.printed());
        self.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

impl Printed for Proxy {
    fn printed(&self) -> String {
        match &self.variable {
            Some(name) => format!("<secret from environment variable {name}>"),
            None => self.url.expose().clone(),
        }
    }
}

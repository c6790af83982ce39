use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[cfg(feature = "sync")]
use crate::base::Job;
use crate::base::{Connection, ConnectionName, Finding};

use super::draft::General;
use super::file::SourceFile;
use super::locations::{self, Flags, FoundBy, Roots};
use super::origin::Sourced;
use super::resolve::Resolved;
use super::search::{beside, find};
use super::understand::{Understood, understand};
use super::{ConfigError, Environment, StoreLocation, found_here, state_dir, variables};

/// Everything that is configured: connections, and where things are. Parsed and checked; no secret is in it
/// but those that came by the environment.
#[derive(Debug)]
pub struct Settings {
    pub(super) files: Vec<SourceFile>,
    pub(super) searched: Vec<PathBuf>,
    pub(super) found_by: FoundBy,
    pub(super) general: General,
    pub(super) connections: Vec<Resolved>,
    #[cfg(feature = "sync")]
    pub(super) jobs: Vec<super::jobs::ResolvedJob>,
    pub(super) state_dir: Option<Sourced<PathBuf>>,
    pub(super) strangers: Vec<String>,
    /// Variables that a file refers to for a secret.
    referenced: BTreeSet<String>,
    proxy_hosts: Vec<String>,
    warnings: Vec<Finding>,
}

impl Settings {
    /// Reads the config file at `path`, the files beside it, and the environment of this process.
    ///
    /// # Errors
    ///
    /// See [`from_layers`](Self::from_layers).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sfmint::config::Settings;
    ///
    /// let connection = Settings::load("/etc/sfmint/sfmint.toml")?.connection("prod")?;
    /// # Ok::<(), sfmint::config::ConfigError>(())
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let flags = Flags { config: Some(path.as_ref().into()), ..Flags::default() };
        Self::from_layers(flags, &Environment::from_process())
    }

    /// Reads all layers: defaults, then files, then environment, then flags; the later one wins.
    ///
    /// The config file is the first that is there of `--config`, `SFMINT_CONFIG`, `config/sfmint.toml` in the
    /// current directory, `sfmint/sfmint.toml` in `XDG_CONFIG_HOME`, and `/etc/sfmint/sfmint.toml`;
    /// `connections.d/*.toml` and `jobs.d/*.toml` beside it are read too. None at all is no mistake: ask [`connection`](Self::connection).
    /// The state directory is created (0700) where it is missing.
    ///
    /// # Limits
    ///
    /// 1 MiB a file. No secret is resolved: files and commands that hold one are not touched.
    ///
    /// # Errors
    ///
    /// All *misuse*:
    /// - [`ConfigError::Invalid`]: every mistake at once, each with its line.
    /// - [`ConfigError::NotFound`], [`ConfigError::DanglingLink`], [`ConfigError::Unreadable`],
    ///   [`ConfigError::NotAFile`], [`ConfigError::TooLarge`], [`ConfigError::NotText`]: the file cannot be read.
    /// - [`ConfigError::WritableByOthers`], [`ConfigError::NotYours`]: the file is not trusted.
    pub fn from_layers(flags: Flags, environment: &Environment) -> Result<Self, ConfigError> {
        Self::from_roots(flags, environment, &Roots::default())
    }

    pub(super) fn from_roots(
        flags: Flags,
        environment: &Environment,
        roots: &Roots,
    ) -> Result<Self, ConfigError> {
        let mut warnings = Vec::new();
        let candidates = locations::config_files(&flags, environment, roots);
        let found = find(&flags, &candidates, &mut warnings)?;
        let found_by = found.as_ref().map_or(FoundBy::Convention, |(_, found_by)| *found_by);
        let searched = match &found {
            Some((file, _)) => vec![file.path.to_path_buf()],
            None => candidates.into_iter().map(|candidate| candidate.path).collect(),
        };
        let mut files = Vec::new();
        if let Some((main, found_by)) = found {
            let beside = beside(&main.path, found_by)?;
            files.push(main);
            files.extend(beside);
        }
        let Understood {
            mut general,
            connections,
            #[cfg(feature = "sync")]
            jobs,
            referenced,
        } = understand(&files, found_by, environment)?;
        if found_by == FoundBy::CurrentDirectory {
            warnings.extend(found_here::without_foreign_store(&mut general));
        }
        let state_dir = state_dir::choose(&flags, environment, &mut warnings);
        let strangers = variables::strangers(environment);
        let proxy_hosts = environment.proxy_hosts();
        let settings = Self {
            files,
            searched,
            found_by,
            general,
            connections,
            #[cfg(feature = "sync")]
            jobs,
            state_dir,
            strangers,
            referenced,
            proxy_hosts,
            warnings,
        };
        #[cfg(feature = "sync")]
        if let StoreLocation::Sqlite(store) = settings.store() {
            let mistakes = super::jobs::into_the_store(&settings.jobs, &store);
            if !mistakes.is_empty() {
                return Err(ConfigError::Invalid { mistakes });
            }
        }
        Ok(settings)
    }

    /// Whether `text` would be a config file without mistakes at `path`; nothing is read or written there.
    ///
    /// For whoever writes a config file, before it is written.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`]: every mistake at once. *Misuse*.
    ///
    /// # Examples
    ///
    /// ```
    /// use sfmint::config::{Environment, Settings};
    ///
    /// let none = Environment::default();
    /// let error = Settings::check_text("sfmint.toml", "[default]\n", &none).unwrap_err();
    /// assert_eq!(error.to_string(), "sfmint.toml:1:2: unknown key `default`; did you mean `defaults`?");
    /// ```
    pub fn check_text(
        path: impl AsRef<Path>,
        text: &str,
        environment: &Environment,
    ) -> Result<(), ConfigError> {
        let path = path.as_ref();
        let base = path.parent().unwrap_or(Path::new("")).to_path_buf();
        understand(&[SourceFile::new(path, base, text.to_string())], FoundBy::Name, environment).map(drop)
    }

    /// A connection, by name; with `None` the only one, or the one called `default`.
    ///
    /// # Errors
    ///
    /// All *misuse*:
    /// - [`ConfigError::NoConnection`], [`ConfigError::UnknownConnection`], [`ConfigError::WhichConnection`]:
    ///   there is none, or it is not clear which one is meant.
    /// - [`ConfigError::CommandRefused`]: the config file was merely found in the current directory, and the
    ///   connection would run a program that is named there.
    /// - [`ConfigError::SettingRefused`]: the same for a setting that says where assertions and tokens go, or that
    ///   names a key which did not come with the file.
    /// - [`ConfigError::ActiveApp`]: `certs/NAME/active` names neither of two apps.
    pub fn connection<'a>(&self, name: impl Into<Option<&'a str>>) -> Result<Connection, ConfigError> {
        let resolved = self.find(name.into())?;
        if let Some(refusal) = self.refusal(resolved) {
            return Err(refusal);
        }
        let state_dir = self.state_dir.as_ref().map(|dir| dir.value.clone());
        let config_dir = self.files.first().map(|main| main.base.as_path());
        resolved.connection(config_dir, state_dir, &self.proxy_hosts)
    }

    /// What a connection says that is not taken from a config file which merely lay in the current directory.
    pub(super) fn refusal(&self, resolved: &Resolved) -> Option<ConfigError> {
        let (FoundBy::CurrentDirectory, Some(main)) = (self.found_by, self.files.first()) else {
            return None;
        };
        let config = main.path.to_path_buf();
        if let Some(origin) = resolved.command() {
            return Some(ConfigError::CommandRefused { origin: origin.clone(), config });
        }
        let refused = found_here::refused(resolved, &main.base)?;
        Some(ConfigError::SettingRefused { origin: refused.origin.clone(), setting: refused.setting, config })
    }

    /// The names of all variables that hold a secret of any connection: keys, passphrases, proxies' passwords.
    ///
    /// For whoever starts another program, which must not have them.
    pub fn secret_variables(&self) -> impl Iterator<Item = &str> {
        let own = ["SFMINT_PRIVATE_KEY", "SFMINT_PRIVATE_KEY_PASSPHRASE"];
        own.into_iter().chain(self.referenced.iter().map(String::as_str))
    }

    fn find(&self, name: Option<&str>) -> Result<&Resolved, ConfigError> {
        let wanted = name.unwrap_or("default");
        if let Some(found) = self.connections.iter().find(|resolved| resolved.name.as_str() == wanted) {
            return Ok(found);
        }
        let known: Vec<ConnectionName> = self.connection_names().cloned().collect();
        match (name, self.connections.as_slice()) {
            (_, []) => Err(ConfigError::NoConnection { searched: self.searched.clone() }),
            (Some(asked), _) => Err(ConfigError::UnknownConnection { asked: asked.to_string(), known }),
            (None, [only]) => Ok(only),
            (None, _) => Err(ConfigError::WhichConnection { known }),
        }
    }

    /// The names of all connections, in order.
    pub fn connection_names(&self) -> impl Iterator<Item = &ConnectionName> {
        self.connections.iter().map(|resolved| &resolved.name)
    }

    /// Every job, by name.
    #[cfg(feature = "sync")]
    pub fn jobs(&self) -> Vec<Job> {
        self.jobs.iter().map(|resolved| resolved.job.clone()).collect()
    }

    /// A job that is to run, by name.
    ///
    /// # Errors
    ///
    /// All *misuse*:
    /// - [`ConfigError::NoJob`], [`ConfigError::UnknownJob`]: there is none, or none of that name.
    /// - [`ConfigError::SettingRefused`]: the config file was merely found in the current directory, and the job would
    ///   write outside its folder.
    #[cfg(feature = "sync")]
    pub fn job(&self, name: &str) -> Result<Job, ConfigError> {
        let Some(resolved) = self.jobs.iter().find(|resolved| resolved.job.name.as_str() == name) else {
            let known: Vec<_> = self.jobs.iter().map(|known| known.job.name.clone()).collect();
            return Err(match known.is_empty() {
                true => ConfigError::NoJob { searched: self.searched.clone() },
                false => ConfigError::UnknownJob { asked: name.to_string(), known },
            });
        };
        match self.job_refusal(resolved) {
            Some(refusal) => Err(refusal),
            None => Ok(resolved.job.clone()),
        }
    }

    /// What a job says that is not taken from a config file which merely lay in the current directory.
    #[cfg(feature = "sync")]
    pub(super) fn job_refusal(&self, resolved: &super::jobs::ResolvedJob) -> Option<ConfigError> {
        let (FoundBy::CurrentDirectory, Some(main)) = (self.found_by, self.files.first()) else {
            return None;
        };
        let refused = found_here::refused_job(resolved, &main.base)?;
        let config = main.path.to_path_buf();
        Some(ConfigError::SettingRefused { origin: refused.origin.clone(), setting: refused.setting, config })
    }

    /// The config file, where there is one, as it was named or found.
    pub fn config_file(&self) -> Option<&Path> {
        self.files.first().map(|main| &*main.path)
    }

    /// Where cache, store and journals live; `None` where no place can be written, which is among the
    /// [`warnings`](Self::warnings).
    pub fn state_dir(&self) -> Option<&Path> {
        self.state_dir.as_ref().map(|dir| dir.value.as_path())
    }

    /// Where facts are kept: `store` of `[defaults]`, below the state directory unless it is absolute.
    pub fn store(&self) -> StoreLocation {
        let said = self.general.store.as_ref().map_or(Path::new("state.db"), |store| store.value.as_path());
        match self.state_dir() {
            _ if said.is_absolute() => StoreLocation::Sqlite(said.to_path_buf()),
            Some(dir) => StoreLocation::Sqlite(dir.join(said)),
            None => StoreLocation::Memory,
        }
    }

    /// How long rows of history are kept. Days.
    pub fn keep_history_days(&self) -> u32 {
        let said = self.general.keep_history_days.as_ref().and_then(|days| u32::try_from(days.value).ok());
        said.unwrap_or(400)
    }

    /// What works, and not as one might think. To be said once, by whoever talks to people.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }
}

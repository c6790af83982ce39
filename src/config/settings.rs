use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::{Connection, ConnectionName, Finding, Hint, Level};

use super::at::Reader;
use super::document::{self, Document, Role, Section};
use super::draft::General;
use super::file::{self, MustBe, SourceFile};
use super::locations::{self, Candidate, Flags, FoundBy, Roots};
use super::mistake::Weight;
use super::origin::Sourced;
use super::resolve::{Resolved, resolve};
use super::{
    ConfigError, Environment, Mistake, Origin, StoreLocation, connection_environment, state_dir, variables,
};

/// Everything that is configured: connections, and where things are. Parsed and checked; no secret is in it
/// but those that came by the environment.
#[derive(Debug)]
pub struct Settings {
    pub(super) files: Vec<SourceFile>,
    pub(super) searched: Vec<PathBuf>,
    pub(super) found_by: FoundBy,
    pub(super) general: General,
    pub(super) connections: Vec<Resolved>,
    pub(super) state_dir: Option<Sourced<PathBuf>>,
    pub(super) strangers: Vec<String>,
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
    /// `connections.d/*.toml` beside it are read too. None at all is no mistake: ask [`connection`](Self::connection).
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
            let beside = beside(&main.path, found_by, &mut warnings)?;
            files.push(main);
            files.extend(beside);
        }
        let (general, connections) = understand(&files, environment)?;
        let state_dir = prepare_state(&flags, environment, &mut warnings);
        let strangers = variables::strangers(environment);
        Ok(Self { files, searched, found_by, general, connections, state_dir, strangers, warnings })
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
    /// - [`ConfigError::ActiveApp`]: `certs/NAME/active` names neither of two apps.
    pub fn connection<'a>(&self, name: impl Into<Option<&'a str>>) -> Result<Connection, ConfigError> {
        let resolved = self.find(name.into())?;
        if let (FoundBy::CurrentDirectory, Some(origin), Some(main)) =
            (self.found_by, resolved.command(), self.files.first())
        {
            return Err(ConfigError::CommandRefused {
                origin: origin.clone(),
                config: main.path.to_path_buf(),
            });
        }
        let state_dir = self.state_dir.as_ref().map(|dir| dir.value.clone());
        resolved.connection(self.files.first().map(|main| main.base.as_path()), state_dir)
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

/// The first config file that is there.
fn find(
    flags: &Flags,
    candidates: &[Candidate],
    warnings: &mut Vec<Finding>,
) -> Result<Option<(SourceFile, FoundBy)>, ConfigError> {
    for Candidate { path, found_by } in candidates {
        let must_be = match found_by {
            FoundBy::CurrentDirectory => MustBe::Mine,
            FoundBy::Name | FoundBy::Convention => MustBe::Safe,
        };
        match file::read(path, must_be) {
            Ok(Some(file)) => return Ok(Some((file, *found_by))),
            Ok(None) if *found_by == FoundBy::Name => {
                let named_by = match flags.config {
                    Some(_) => Origin::Flag("--config"),
                    None => Origin::Environment("SFMINT_CONFIG".into()),
                };
                return Err(ConfigError::NotFound { path: path.clone(), named_by });
            }
            Ok(None) => {}
            // A home that is not ours (a container's HOME=/root) hides whether there is a file; go on, and say so.
            Err(ConfigError::Unreadable { source, .. })
                if *found_by != FoundBy::Name
                    && source.kind() == io::ErrorKind::PermissionDenied
                    && std::fs::symlink_metadata(path).is_err() =>
            {
                let says = format!("cannot look for {}: {source}", path.display());
                warnings.push(Finding::new("config.not_looked_at", Level::Info, says));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The files of connections.d beside the config file, in order of their names.
fn beside(
    main: &Path,
    found_by: FoundBy,
    warnings: &mut Vec<Finding>,
) -> Result<Vec<SourceFile>, ConfigError> {
    let folder = main.parent().unwrap_or(Path::new(""));
    if !toml_files(&folder.join("jobs.d"))?.is_empty() {
        let says = format!("{} is not read: jobs come in a later version", folder.join("jobs.d").display());
        warnings.push(Finding::new("config.jobs_later", Level::Warn, says));
    }
    let folder = folder.join("connections.d");
    let must_be = match found_by {
        FoundBy::CurrentDirectory => MustBe::Mine,
        _ if file::folder_is_shared(&folder) => MustBe::MineOrRoots,
        _ => MustBe::Safe,
    };
    let mut files = Vec::new();
    for path in toml_files(&folder)? {
        files.extend(file::read(&path, must_be)?);
    }
    Ok(files)
}

/// `*.toml` in a folder, sorted; none where there is no folder. Hidden files are an editor's or Kubernetes' own.
fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: folder.into(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        if !name.as_encoded_bytes().starts_with(b".")
            && Path::new(&name).extension().is_some_and(|end| end == "toml")
        {
            paths.push(folder.join(name));
        }
    }
    paths.sort();
    Ok(paths)
}

/// Text to words: every file, then the environment, then one laid over the other. Every mistake at once.
fn understand(
    files: &[SourceFile],
    environment: &Environment,
) -> Result<(General, Vec<Resolved>), ConfigError> {
    let mut mistakes = Vec::new();
    let mut referenced = BTreeSet::new();
    let mut whole = Document::default();
    for (at, file) in files.iter().enumerate() {
        let mut reader = Reader { file, environment, mistakes: Vec::new(), referenced: BTreeSet::new() };
        let document = document::read(&mut reader, if at == 0 { Role::Main } else { Role::Connections });
        mistakes.extend(in_order(reader.mistakes));
        referenced.append(&mut reader.referenced);
        if at == 0 {
            (whole.general, whole.defaults) = (document.general, document.defaults);
        }
        for (name, section) in document.connections {
            match whole.connections.iter().find(|(known, _)| *known == name) {
                Some((_, first)) => {
                    let says = format!("connection `{name}` stands at {} already", first.header);
                    mistakes.push(Mistake::new(section.header, says));
                }
                None => whole.connections.push((name, section)),
            }
        }
    }
    if let Some(section) = from_environment(environment, &referenced, &whole.connections, &mut mistakes) {
        whole.connections.push(section);
    }
    let broken = mistakes.iter().any(|mistake| mistake.weight == Weight::Syntax);
    let mut connections = Vec::new();
    for (name, section) in whole.connections {
        match resolve(name, section, &whole.defaults) {
            Ok(resolved) => connections.push(resolved),
            Err(missing) => {
                mistakes.extend(missing.into_iter().filter(|one| !(broken && one.weight == Weight::Missing)))
            }
        }
    }
    if !mistakes.is_empty() {
        return Err(ConfigError::Invalid { mistakes });
    }
    connections.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((whole.general, connections))
}

fn from_environment(
    environment: &Environment,
    referenced: &BTreeSet<String>,
    others: &[(ConnectionName, Section)],
    mistakes: &mut Vec<Mistake>,
) -> Option<(ConnectionName, Section)> {
    let section = match connection_environment::read(environment, referenced) {
        Ok(section) => section?,
        Err(wrong) => {
            mistakes.extend(wrong);
            return None;
        }
    };
    let name: ConnectionName = "default".parse().ok()?;
    if let Some((_, file)) = others.iter().find(|(other, _)| *other == name) {
        let says = format!(
            "makes a connection called `default`, and there is one at {}; keep one of them",
            file.header
        );
        mistakes.push(Mistake::new(section.header, says));
        return None;
    }
    Some((name, section))
}

/// Mistakes by line; what stands on a line that is not TOML says nothing more.
fn in_order(mistakes: Vec<Mistake>) -> Vec<Mistake> {
    let at = |mistake: &Mistake| match mistake.origin() {
        Origin::File { line, column, .. } => (*line, *column),
        _ => (0, 0),
    };
    let mut broken = BTreeSet::new();
    let (syntax, meaning): (Vec<_>, Vec<_>) =
        mistakes.into_iter().partition(|mistake| mistake.weight == Weight::Syntax);
    let mut kept: Vec<Mistake> = syntax.into_iter().filter(|mistake| broken.insert(at(mistake).0)).collect();
    kept.extend(meaning.into_iter().filter(|mistake| !broken.contains(&at(mistake).0)));
    kept.sort_by_key(at);
    kept
}

fn prepare_state(
    flags: &Flags,
    environment: &Environment,
    warnings: &mut Vec<Finding>,
) -> Option<Sourced<PathBuf>> {
    let no_state = |says: String| {
        Finding::new(
            "state.memory_only",
            Level::Warn,
            format!("{says}; tokens and history are kept in memory only"),
        )
        .hint(Hint::new("name a folder that can be written with --state-dir or SFMINT_STATE_DIR"))
    };
    let Some((dir, origin)) = locations::state_dir(flags, environment) else {
        warnings.push(no_state("there is no state directory: HOME is not set".into()));
        return None;
    };
    match state_dir::prepare(&dir) {
        Ok(value) => Some(Sourced { value, origin }),
        Err(why) => {
            warnings.push(no_state(format!("state directory {} {why}", dir.display())));
            None
        }
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
        let (general, connections) = understand(&[], environment)?;
        let mut warnings = Vec::new();
        let state_dir = prepare_state(&Flags::default(), environment, &mut warnings);
        Settings {
            files: Vec::new(),
            searched: vec![PathBuf::from("the environment")],
            found_by: FoundBy::Convention,
            general,
            connections,
            state_dir,
            strangers: Vec::new(),
            warnings,
        }
        .connection(None)
    }
}

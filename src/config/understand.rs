use std::collections::BTreeSet;

use crate::base::ConnectionName;

use super::document::{self, Document, Section};
use super::draft::General;
use super::file::SourceFile;
use super::locations::FoundBy;
use super::mistake::Weight;
use super::reader::Reader;
use super::resolve::{Resolved, resolve};
use super::{ConfigError, Environment, Mistake, Origin, connection_environment};

/// What files and environment say together.
pub(super) struct Understood {
    pub general: General,
    pub connections: Vec<Resolved>,
    #[cfg(feature = "sync")]
    pub jobs: Vec<super::jobs::ResolvedJob>,
    /// The variables that files refer to for a secret.
    pub referenced: BTreeSet<String>,
}

/// Text to words: every file, then the environment, then one laid over the other. Every mistake at once.
///
/// A main file that was merely found in the current directory lays nothing under the connection of the environment.
pub(super) fn understand(
    files: &[SourceFile],
    found_by: FoundBy,
    environment: &Environment,
) -> Result<Understood, ConfigError> {
    let mut mistakes = Vec::new();
    let mut referenced = BTreeSet::new();
    let mut whole = Document::default();
    for (at, file) in files.iter().enumerate() {
        let mut reader = Reader { file, environment, mistakes: Vec::new(), referenced: BTreeSet::new() };
        let document = document::read(&mut reader);
        mistakes.extend(in_order(reader.mistakes));
        referenced.append(&mut reader.referenced);
        if at == 0 {
            (whole.general, whole.defaults) = (document.general, document.defaults);
            #[cfg(feature = "sync")]
            {
                whole.job_defaults = document.job_defaults;
            }
        }
        #[cfg(feature = "sync")]
        for (name, section) in document.jobs {
            match whole.jobs.iter().find(|(known, _)| *known == name) {
                Some((_, first)) => {
                    let says = format!("job `{name}` stands at {} already", first.header);
                    mistakes.push(Mistake::new(section.header, says));
                }
                None => whole.jobs.push((name, section)),
            }
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
    both_kinds_of_app(&whole.defaults, &mut mistakes);
    #[cfg(feature = "sync")]
    let known: Vec<ConnectionName> = whole.connections.iter().map(|(name, _)| name.clone()).collect();
    let broken = mistakes.iter().any(|mistake| mistake.weight == Weight::Syntax);
    let mut connections = Vec::new();
    for (name, section) in whole.connections {
        let below = match (&section.header, found_by) {
            (Origin::Environment(_), FoundBy::CurrentDirectory) => &Section::default(),
            _ => &whole.defaults,
        };
        match resolve(name, section, below) {
            Ok(resolved) => connections.push(resolved),
            Err(missing) => {
                mistakes.extend(missing.into_iter().filter(|one| !(broken && one.weight == Weight::Missing)))
            }
        }
    }
    #[cfg(feature = "sync")]
    let jobs = {
        let mut jobs = Vec::new();
        for (name, section) in whole.jobs {
            match super::jobs::resolve(name, section, &whole.job_defaults, &known) {
                Ok(job) => jobs.push(job),
                Err(wrong) => mistakes
                    .extend(wrong.into_iter().filter(|one| !(broken && one.weight == Weight::Missing))),
            }
        }
        mistakes.extend(super::jobs::clashes(&jobs));
        jobs.sort_by(|a, b| a.job.name.cmp(&b.job.name));
        jobs
    };
    if !mistakes.is_empty() {
        return Err(ConfigError::Invalid { mistakes });
    }
    connections.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Understood {
        general: whole.general,
        connections,
        #[cfg(feature = "sync")]
        jobs,
        referenced,
    })
}

/// Defaults for one app and for two at once say nothing that can be meant.
fn both_kinds_of_app(defaults: &Section, mistakes: &mut Vec<Mistake>) {
    let single = ["client_id", "key", "certificate"].into_iter().find(|key| defaults.says(key));
    if let (true, Some(key)) = (defaults.says("apps"), single) {
        let says = format!("`[defaults]` has `apps` and `{key}`; with `apps`, each app has its own");
        mistakes.push(Mistake::new(defaults.header.clone(), says));
    }
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

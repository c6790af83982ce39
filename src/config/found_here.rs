use std::path::{Component, Path, PathBuf};

use crate::base::{Finding, Hint, InstanceHosts, Level, SecretSource, is_loopback};

use super::Origin;
use super::draft::General;
use super::resolve::Resolved;

/// A setting that is not taken from a config file which merely lay in the current directory.
#[derive(Debug)]
pub(super) struct Refused<'a> {
    pub origin: &'a Origin,
    /// The setting, and what of it: `login_url` outside Salesforce's own hosts.
    pub setting: &'static str,
}

/// The first setting of a connection that would send its assertions or tokens elsewhere, or that would use a key
/// which did not come with the file. `folder` is the config file's own.
///
/// Judges what files say; what the environment says was said by the user.
pub(super) fn refused<'a>(resolved: &'a Resolved, folder: &Path) -> Option<Refused<'a>> {
    let draft = &resolved.draft;
    let ours = InstanceHosts::default();
    let elsewhere = |url: &url::Url| !is_loopback(url) && !ours.allows(url);
    let keys = match (&draft.apps, &draft.key) {
        (Some(apps), _) => Some(&apps.origin),
        (None, key) => key.as_ref().map(|key| &key.origin),
    };
    let login_url = draft.login_url.as_ref().filter(|said| elsewhere(said.value.url()));
    let audience = draft.audience.as_ref().filter(|said| elsewhere(said.value.url()));
    let foreign_key = keys.filter(|_| {
        let keys = resolved.apps().iter().map(|app| &app.key);
        let mut sources = keys.flat_map(|key| std::iter::once(&key.pem).chain(&key.passphrase));
        sources.any(|source| is_foreign(source, folder))
    });
    let said = [
        (draft.proxy.as_ref().map(|said| &said.origin), "`proxy`"),
        (draft.ca_file.as_ref().map(|said| &said.origin), "`ca_file`"),
        (draft.instance_hosts.as_ref().map(|said| &said.origin), "`instance_hosts`"),
        (login_url.map(|said| &said.origin), "`login_url` outside Salesforce's own hosts"),
        (audience.map(|said| &said.origin), "`audience` outside Salesforce's own hosts"),
        (foreign_key, "a key or passphrase from outside the config file's folder"),
    ];
    said.into_iter().find_map(|(origin, setting)| match origin {
        Some(origin @ Origin::File { .. }) => Some(Refused { origin, setting }),
        _ => None,
    })
}

/// A destination that a file in a stranger's folder would have written elsewhere.
#[cfg(feature = "sync")]
pub(super) fn refused_job<'a>(resolved: &'a super::jobs::ResolvedJob, folder: &Path) -> Option<Refused<'a>> {
    let said = resolved.draft.destination.as_ref()?;
    let path = super::jobs::file_or_folder(&said.value)?;
    // What is not there yet lies where its nearest folder that is there leads.
    let there = path.ancestors().find(|part| part.symlink_metadata().is_ok()).unwrap_or(path);
    let is_foreign = is_outside(path, folder) || (there != folder && is_outside(there, folder));
    is_foreign.then_some(Refused {
        origin: &said.origin,
        setting: "a `destination` outside the config file's folder",
    })
}

/// Takes away a store that is not below the state directory: a store that is none is set aside, whatever file it is.
pub(super) fn without_foreign_store(general: &mut General) -> Option<Finding> {
    let is_below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let store = general.store.take_if(|store| !store.value.components().all(is_below))?;
    let says = format!(
        "{}: `store` outside the state directory is not taken from a config file that was found in the current directory",
        store.origin
    );
    let hint = "name the file with --config or SFMINT_CONFIG";
    Some(Finding::new("config.setting_refused", Level::Warn, says).hint(Hint::new(hint)))
}

/// Whether a secret did not come with the config file: a variable, or a file that is not below its folder.
fn is_foreign(source: &SecretSource, folder: &Path) -> bool {
    match source {
        SecretSource::Env { .. } => true,
        SecretSource::File(path) => is_outside(path, folder),
        // Has a refusal of its own.
        SecretSource::Command(_) => false,
    }
}

/// Whether `path` leads out of `folder`, by `..` or by a link. A file that is not there is judged by its name.
fn is_outside(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => !path.starts_with(folder),
        _ => !lexical(path).starts_with(lexical(folder)),
    }
}

/// A path without `.` and `..`, by its letters alone.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

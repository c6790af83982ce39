use std::path::Path;

use crate::base::{Finding, Hint, KeySource, Level, SecretSource};

use super::looks_secret::suspicious_lines;
use super::nearest::did_you_mean;
use super::origin::shown;
use super::variables::{CONNECTION, PLACES};
use super::{ConfigError, Settings};

impl Settings {
    /// What `sfmint config check` says about a configuration without mistakes: what looks like a secret, what
    /// is referred to and is not there, and what will not work as one might think.
    ///
    /// Looks whether files are there; opens none, runs nothing. Empty where all is well.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = self.warnings().to_vec();
        self.check_texts(&mut findings);
        for resolved in &self.connections {
            let name = &resolved.name;
            for app in resolved.apps() {
                check_key(&format!("connection `{name}`"), &app.key, &mut findings);
                if let Some(path) = &app.certificate {
                    check_file(&format!("connection `{name}`: certificate"), path, &mut findings);
                }
            }
            if let Some(path) = &resolved.draft.ca_file {
                check_file(&format!("connection `{name}`: ca_file"), &path.value, &mut findings);
            }
            let refused = match self.refusal(resolved) {
                Some(ConfigError::CommandRefused { origin, .. }) => Some((
                    "config.command_refused",
                    format!(
                        "{origin}: connection `{name}` runs a command, which works only when the config file is named"
                    ),
                )),
                Some(ConfigError::SettingRefused { origin, setting, .. }) => Some((
                    "config.setting_refused",
                    format!(
                        "{origin}: connection `{name}` has {setting}, which works only when the config file is named"
                    ),
                )),
                _ => None,
            };
            if let Some((code, says)) = refused {
                let hint = "name it with --config or SFMINT_CONFIG";
                findings.push(Finding::new(code, Level::Warn, says).hint(Hint::new(hint)));
            }
        }
        #[cfg(feature = "sync")]
        for resolved in &self.jobs {
            if let Some(ConfigError::SettingRefused { origin, setting, .. }) = self.job_refusal(resolved) {
                let says = format!(
                    "{origin}: job `{}` has {setting}, which works only when the config file is named",
                    resolved.job.name
                );
                let hint = "name it with --config or SFMINT_CONFIG";
                findings
                    .push(Finding::new("config.setting_refused", Level::Warn, says).hint(Hint::new(hint)));
            }
        }
        for stranger in &self.strangers {
            let near = did_you_mean(stranger, CONNECTION.iter().chain(PLACES).map(|known| known.name));
            let says = format!(
                "environment variable {} means nothing here{near}",
                crate::base::printable(stranger, 60)
            );
            findings.push(Finding::new("config.unknown_variable", Level::Warn, says));
        }
        findings
    }

    fn check_texts(&self, findings: &mut Vec<Finding>) {
        for file in &self.files {
            for (line, looks_like) in suspicious_lines(&file.text) {
                let says = format!("{}:{line}: this looks like {looks_like} (not shown)", shown(&file.path));
                let hint = "keep secrets out of this file: { env = ... }, { file = ... } or { command = ... } refer to them; change the secret if the file was shared";
                findings.push(Finding::new("config.looks_secret", Level::Warn, says).hint(Hint::new(hint)));
            }
        }
    }
}

fn check_key(whose: &str, key: &KeySource, findings: &mut Vec<Finding>) {
    let sources = [("key", Some(&key.pem)), ("passphrase", key.passphrase.as_ref())];
    for (what, source) in sources.into_iter().filter_map(|(what, source)| Some((what, source?))) {
        match source {
            SecretSource::Env { name, value: None } => {
                let says =
                    format!("{whose}: {what} comes from environment variable {name}, which is not set");
                findings.push(Finding::new("config.variable_not_set", Level::Warn, says));
            }
            SecretSource::File(path) => check_file(&format!("{whose}: {what}"), path, findings),
            _ => {}
        }
    }
}

fn check_file(what: &str, path: &Path, findings: &mut Vec<Finding>) {
    if let Err(error) = std::fs::metadata(path) {
        let says = format!("{what} {}: {error}", shown(path));
        findings.push(Finding::new("config.file_missing", Level::Warn, says));
    }
}

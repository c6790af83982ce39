use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::api::metadata::AppPackage;
use crate::base::printable;
use crate::health::Report;

use super::super::wire::{print, print_json};
use super::super::{Exit, Global};
use super::Verb;
use super::answers::{Answers, NO_CONTACT};
use super::credential::Credential;
use super::places::Places;

/// What was found and made, for whoever runs the command.
pub struct Story<'a> {
    pub verb: &'a Verb,
    pub places: &'a Places,
    pub credential: &'a Credential,
    pub app: &'a AppPackage,
    pub handover: PathBuf,
    pub written: Vec<PathBuf>,
    pub is_first_run: bool,
}

impl Story<'_> {
    /// The end of a run without a consumer key.
    pub fn waiting(&self, global: &Global, answers: &Answers) -> anyhow::Result<Exit> {
        let next = self.next_run(global, answers);
        if global.json {
            return print_json(&self.document("waiting_for_administrator", &[], None, &[next]));
        }
        let lines = self.made();
        let folder = shown(&self.handover);
        print(|out| {
            writeln!(out, "{lines}")?;
            writeln!(out, "waiting for the Salesforce administrator\n")?;
            writeln!(out, "Hand over the folder {folder}; there is no secret in it.")?;
            writeln!(out, "packet.html says what to do. When the three values come back, run\n")?;
            writeln!(out, "  {next}")?;
            if answers.contact_email == NO_CONTACT {
                writeln!(
                    out,
                    "\nThe app's contact e-mail is a placeholder, {NO_CONTACT}; --contact-email sets another."
                )?;
            }
            Ok(())
        })
    }

    /// The middle of a run with a consumer key: what is there before the first token is asked for.
    pub fn connected(&self, global: &Global, made: &[PathBuf]) -> anyhow::Result<()> {
        if global.json {
            return Ok(());
        }
        let lines = self.made();
        print(|out| {
            write!(out, "{lines}")?;
            let names: Vec<String> = made.iter().map(|path| shown(path)).collect();
            writeln!(out, "connection   {}\n", names.join(", "))
        })?;
        Ok(())
    }

    fn made(&self) -> String {
        let Self { places, credential, app, .. } = self;
        let made = |is_new: bool| if is_new { "made" } else { "was there" };
        let written = match self.written.len() {
            0 => "as it was".to_string(),
            count if self.is_first_run => format!("{count} files written"),
            count => format!("{count} files written anew: hand them over again"),
        };
        format!(
            "key          {} ({}, RSA {}, mode 0600)\n\
             certificate  {} ({}, until {})\n\
             app          {} (API name {}, session timeout {} minutes)\n\
             packet       {} ({written})\n",
            shown(&places.key),
            made(credential.key_is_new),
            credential.bits,
            shown(&places.certificate),
            made(credential.certificate_is_new),
            credential.certificate.not_after(),
            shown(&self.handover.join("app.zip")),
            app.name(),
            app.session_timeout_minutes(),
            shown(&self.handover.join("packet.html")),
        )
    }

    /// The command that goes on, as a shell takes it.
    fn next_run(&self, global: &Global, answers: &Answers) -> String {
        let login_url = answers.login_url.clone().unwrap_or("https://YOUR-DOMAIN.my.salesforce.com".into());
        let username = answers.username.clone().unwrap_or("USERNAME".into());
        format!(
            "sfmint init {}{} --client-id CONSUMER_KEY --login-url {} --username {}",
            self.verb.name,
            flags(global),
            word(&login_url),
            word(&username)
        )
    }

    /// The run as one JSON document.
    pub fn document(&self, state: &str, made: &[PathBuf], report: Option<&Report>, next: &[String]) -> Value {
        let Self { verb, places, credential, app, .. } = self;
        let certificate = &credential.certificate;
        let mut written = self.written.clone();
        written.extend_from_slice(made);
        if credential.certificate_is_new {
            written.insert(0, places.certificate.clone());
        }
        if credential.key_is_new {
            written.insert(0, places.key.clone());
        }
        json!({
            "state": state,
            "connection": verb.name.as_str(),
            "config_file": places.config,
            "key": places.key,
            "key_id": certificate.key_id(),
            "certificate": places.certificate,
            "certificate_sha256": certificate.sha256(),
            "certificate_not_after": certificate.not_after().to_string(),
            "app_name": app.label(),
            "app_api_name": app.name().as_str(),
            "session_timeout_seconds": u64::from(app.session_timeout_minutes()) * 60,
            "handover": self.handover,
            "written": written,
            "findings": report.map(|report| &report.findings),
            "fault": report.and_then(|report| report.fault),
            "next": next,
        })
    }
}

/// The flags that say where things are, for commands that are to be run next.
pub fn flags(global: &Global) -> String {
    let places = [("--config", &global.config), ("--state-dir", &global.state_dir)];
    let given = places.into_iter().filter_map(|(flag, path)| Some((flag, path.as_ref()?)));
    given.map(|(flag, path)| format!(" {flag} {}", word(&path.to_string_lossy()))).collect()
}

/// A path for people.
pub fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy(), 400)
}

/// `text` as one word of a shell.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_string(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

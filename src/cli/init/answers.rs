use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::api::metadata::SESSION_TIMEOUT_MINUTES;
use crate::base::{ConnectionName, Fault};

use super::super::report::{Complaint, told};
use super::ask::Asked;
use super::places::Places;
use super::{Verb, write};

/// Stands where nobody gave an address: the app needs one, and example.com is nobody's (RFC 2606 §3).
pub const NO_CONTACT: &str = "salesforce-admin@example.com";

/// The session timeout that orgs start with. Minutes.
const SESSION_TIMEOUT: u32 = 120;

/// What the app and the packet were made from: kept beside the key, so that a later run makes the same.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The app's label.
    pub app_name: String,
    /// Whom Salesforce writes to.
    pub contact_email: String,
    /// How long a session lives without a call.
    pub session_timeout_minutes: u32,
    /// Whom tokens are for, where that was known when the packet was made.
    pub username: Option<String>,
    /// The org, where that was known when the packet was made.
    pub login_url: Option<String>,
    /// Where the packet is, where somebody said so.
    pub out_dir: Option<String>,
}

impl Answers {
    /// What an earlier run was told; `None` where there was none.
    pub fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(told(unreadable(path).because(error))),
        };
        let answers = toml::from_str(&text).map_err(|error| {
            told(unreadable(path).because(std::io::Error::other(error.message().to_string())))
        })?;
        Ok(Some(answers))
    }

    /// Flags and answers over what an earlier run was told.
    ///
    /// User name and org change nothing in a packet that was handed over already.
    pub fn of(verb: &Verb, asked: &Asked, before: Option<&Self>) -> Self {
        let asked_email = asked.contact_email.clone();
        let (username, login_url) = match before {
            Some(before) if asked.client_id.is_some() => (before.username.clone(), before.login_url.clone()),
            _ => (
                asked
                    .username
                    .as_ref()
                    .map(ToString::to_string)
                    .or(before.and_then(|old| old.username.clone())),
                asked
                    .login_url
                    .as_ref()
                    .map(ToString::to_string)
                    .or(before.and_then(|old| old.login_url.clone())),
            ),
        };
        Self {
            app_name: verb
                .app_name
                .clone()
                .or(before.map(|old| old.app_name.clone()))
                .unwrap_or_else(|| format!("sfmint {}", verb.name)),
            contact_email: asked_email
                .or(before.map(|old| old.contact_email.clone()))
                .unwrap_or_else(|| NO_CONTACT.to_string()),
            session_timeout_minutes: verb
                .session_timeout_minutes
                .or(before.map(|old| old.session_timeout_minutes))
                .unwrap_or(SESSION_TIMEOUT),
            username,
            login_url,
            out_dir: verb
                .out_dir
                .as_ref()
                .map(|dir| dir.to_string_lossy().into_owned())
                .or(before.and_then(|old| old.out_dir.clone())),
        }
    }

    /// The folder that is handed over.
    pub fn handover(&self, places: &Places) -> PathBuf {
        self.out_dir.as_ref().map_or_else(|| places.handover.clone(), PathBuf::from)
    }

    /// Keeps the answers for a later run.
    pub fn write(&self, path: &Path, name: &ConnectionName) -> anyhow::Result<()> {
        let mut text = format!(
            "# What `sfmint init {name}` was told; it is read when the command is run again. Holds no secret.\n"
        );
        text.push_str(&format!("app_name = {}\n", quoted(&self.app_name)));
        text.push_str(&format!("contact_email = {}\n", quoted(&self.contact_email)));
        text.push_str(&format!("session_timeout_minutes = {}\n", self.session_timeout_minutes));
        let texts =
            [("username", &self.username), ("login_url", &self.login_url), ("out_dir", &self.out_dir)];
        for (key, value) in texts {
            if let Some(value) = value {
                text.push_str(&format!("{key} = {}\n", quoted(value)));
            }
        }
        write::replace(path, text.as_bytes())
    }
}

fn unreadable(path: &Path) -> Complaint {
    let says = format!("{} is there and cannot be read", path.display());
    Complaint::new("init.unreadable", Fault::Misuse, says)
        .hint("move it away; what it held can be given again as flags")
}

/// `text` as TOML writes it. JSON's strings are TOML's basic strings, but for DEL.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

const _: () = assert!(SESSION_TIMEOUT >= *SESSION_TIMEOUT_MINUTES.start());

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::OAuthError;

/// Who must act so that it works next time. Decided once, where an error is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Time heals it: network, outage, quota. Try again later.
    Transient,
    /// Somebody said no: Salesforce, or a file's permissions. A person must change a setting.
    Denied,
    /// Configuration, key or certificate is wrong. Found before anything was sent where possible.
    Misuse,
    /// Input that cannot be used, or rows in doubt.
    Data,
    /// Disk or file trouble; nothing was published.
    Disk,
    /// A mistake of ours.
    Bug,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Transient => "transient",
            Fault::Denied => "denied",
            Fault::Misuse => "misuse",
            Fault::Data => "data",
            Fault::Disk => "disk",
            Fault::Bug => "bug",
        })
    }
}

/// What to do next, in one sentence; fits after "hint:".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Hint(Cow<'static, str>);

impl Hint {
    /// A hint from its sentence.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }

    /// The sentence.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error that knows who must act, and what to tell them. Every room's error has it.
pub trait Explain: std::error::Error {
    /// Who must act.
    fn fault(&self) -> Fault;

    /// A stable name such as `mint.refused`, with a paragraph in docs/reference/errors.md.
    fn code(&self) -> &'static str;

    /// What to do next, most likely first.
    fn hints(&self) -> Vec<Hint> {
        Vec::new()
    }

    /// Salesforce's own words, where it was Salesforce that said no.
    fn salesforce(&self) -> Option<&OAuthError> {
        None
    }
}

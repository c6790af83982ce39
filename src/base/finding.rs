use std::fmt;

use serde::Serialize;

use super::Hint;

/// How a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing, nothing to do.
    Info,
    /// Could not be looked at, and why is said.
    Skipped,
    /// Works, and will not for ever.
    Warn,
    /// Does not work.
    Fail,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Ok => "ok",
            Level::Info => "info",
            Level::Skipped => "skipped",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        })
    }
}

/// One thing that was looked at, what was seen, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable name such as `clock.skew`.
    pub code: &'static str,
    /// How it stands.
    pub level: Level,
    /// What was seen, in one line.
    pub says: String,
    /// What to do, most likely first; empty where there is nothing to do.
    pub hints: Vec<Hint>,
}

impl Finding {
    /// A finding without hints.
    pub fn new(code: &'static str, level: Level, says: impl Into<String>) -> Self {
        Self { code, level, says: says.into(), hints: Vec::new() }
    }

    /// The same finding with one more hint.
    pub fn hint(mut self, hint: Hint) -> Self {
        self.hints.push(hint);
        self
    }
}

use std::fmt;

use serde::Serialize;

use super::Origin;

/// One thing that is wrong in the configuration: where, what was found, what is accepted.
///
/// Shown as one line that editors can jump to:
/// ``config/sfmint.toml:12:1: unknown key `refresh_bufer_seconds`; did you mean `refresh_buffer_seconds`?``
/// It never holds the text of a value that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    origin: Origin,
    says: String,
    #[serde(skip)]
    pub(super) weight: Weight,
}

/// Which mistakes may be the mere consequence of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// The text is not TOML.
    Syntax,
    /// The text is TOML and says something else than it should.
    Meaning,
    /// Something is not said; with broken TOML around, it may have been.
    Missing,
}

impl Mistake {
    pub(super) fn new(origin: Origin, says: impl Into<String>) -> Self {
        Self { origin, says: says.into(), weight: Weight::Meaning }
    }

    pub(super) fn with_weight(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }

    /// Where it stands.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What is wrong and what is accepted, in one sentence.
    pub fn says(&self) -> &str {
        &self.says
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.says)
    }
}

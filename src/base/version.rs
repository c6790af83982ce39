use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A version of Salesforce's API, `67.0`; compared by number, never as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion(u16);

impl ApiVersion {
    /// The newest version this release knows: Summer '26.
    pub const NEWEST_KNOWN: Self = Self(67);

    /// The oldest version that is still answered and not announced for retirement: 31 to 40 end with Summer '28
    /// (Salesforce help, articles 000354473 and 005321531).
    pub const OLDEST_LASTING: Self = Self(41);

    /// A version from its whole number.
    pub const fn new(major: u16) -> Self {
        Self(major)
    }

    /// The whole number: 67 for `67.0`.
    pub const fn major(self) -> u16 {
        self.0
    }
}

impl FromStr for ApiVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mistake = || format!("`{}` is not an API version such as 67.0", super::printable(text, 20));
        let digits = text.strip_prefix('v').unwrap_or(text);
        let whole = digits.strip_suffix(".0").ok_or_else(mistake)?;
        let major: u16 = whole.parse().map_err(|_| mistake())?;
        (20..1000).contains(&major).then_some(Self(major)).ok_or_else(mistake)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.0", self.0)
    }
}

impl Serialize for ApiVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApiVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

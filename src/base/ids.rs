use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::printable;

/// A text that is no Salesforce id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {kind}: {why}")]
pub struct IdMistake {
    kind: &'static str,
    found: String,
    why: &'static str,
}

/// A Salesforce id in its 18-character form. Given with 15 characters, it gains the check suffix.
///
/// The last three characters say which of the first 15 are upper case, so that ids that differ only in
/// case differ without regard to case as well.
///
/// # Examples
///
/// ```
/// use sfmint::base::RecordId;
///
/// let id: RecordId = "0018d00000abCdE".parse()?;
/// assert_eq!(id.as_str(), "0018d00000abCdEAAU");
/// assert_eq!(id.short(), "0018d00000abCdE");
/// # Ok::<(), sfmint::base::IdMistake>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RecordId(String);

impl RecordId {
    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 15 characters, as they stand at the start of an opaque access token.
    pub fn short(&self) -> &str {
        self.0.get(..15).unwrap_or(&self.0)
    }
}

/// The three characters that end an 18-character id: one base-32 digit for each group of five.
fn check_suffix(fifteen: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    fifteen
        .as_bytes()
        .chunks(5)
        .map(|group| {
            let bits = group
                .iter()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_uppercase())
                .fold(0, |bits, (at, _)| bits | 1 << at);
            char::from(DIGITS[bits])
        })
        .collect()
}

fn parse(text: &str, kind: &'static str) -> Result<String, IdMistake> {
    let mistake = |why| IdMistake { kind, found: printable(text, 40), why };
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(mistake("ids hold letters and digits only"));
    }
    match text.len() {
        15 => Ok(format!("{text}{}", check_suffix(text))),
        18 if text[15..].eq_ignore_ascii_case(&check_suffix(&text[..15])) => Ok(text.to_string()),
        18 => Err(mistake("its last three characters do not match the others; was its case changed?")),
        _ => Err(mistake("ids have 15 or 18 characters")),
    }
}

impl FromStr for RecordId {
    type Err = IdMistake;

    fn from_str(text: &str) -> Result<Self, IdMistake> {
        parse(text, "record id").map(Self)
    }
}

macro_rules! prefixed {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(RecordId);

        impl $name {
            /// The 18 characters.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The first 15 characters.
            pub fn short(&self) -> &str {
                self.0.short()
            }
        }

        impl FromStr for $name {
            type Err = IdMistake;

            fn from_str(text: &str) -> Result<Self, IdMistake> {
                if !text.starts_with($prefix) {
                    let why = concat!("it does not start with ", $prefix);
                    return Err(IdMistake { kind: $kind, found: printable(text, 40), why });
                }
                parse(text, $kind).map(|id| Self(RecordId(id)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
    };
}

prefixed!(
    /// The id of an org: starts with `00D`.
    OrgId, "org id", "00D"
);
prefixed!(
    /// The id of a user: starts with `005`.
    UserId, "user id", "005"
);

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({})", self.0)
    }
}

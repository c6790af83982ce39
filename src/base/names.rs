use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::printable;

/// A name that does not fit its kind; tells what was found and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{found}` {why}")]
pub struct NameMistake {
    kind: &'static str,
    found: String,
    why: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameMistake;

            fn from_str(text: &str) -> Result<Self, NameMistake> {
                let check: fn(&str) -> Option<&'static str> = $check;
                match check(text) {
                    None => Ok(Self(text.to_string())),
                    Some(why) => Err(NameMistake { kind: $kind, found: printable(text, 60), why }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

name!(
    /// What the user calls a connection: `prod`, `acme-sandbox`. 1 to 64 of `A-Z a-z 0-9 _ -`.
    ConnectionName,
    "connection name",
    |text| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        match text {
            "" => Some("is empty"),
            _ if text.len() > 64 => Some("is longer than 64 characters"),
            _ if !text.chars().all(fits) => Some("may hold letters, digits, `_` and `-` only"),
            _ => None,
        }
    }
);

name!(
    /// A consumer key, which OAuth calls the client id: `3MVG9...`. Claim `iss`, RFC 7523 §3.
    ConsumerKey,
    "consumer key",
    |text| {
        match text {
            "" => Some("is empty"),
            _ if text.len() > 512 => Some("is longer than 512 characters"),
            _ if !text.chars().all(|c| c.is_ascii_graphic()) => {
                Some("holds spaces or characters that no consumer key has")
            }
            _ => None,
        }
    }
);

name!(
    /// A Salesforce Username, the claim `sub`: looks like an e-mail address and is not one.
    /// In a sandbox it ends in `.sandboxname`.
    Username,
    "username",
    |text| {
        let parts: Vec<&str> = text.split('@').collect();
        match parts.as_slice() {
            _ if text.is_empty() => Some("is empty"),
            _ if text.chars().count() > 80 => Some("is longer than 80 characters, the longest Salesforce has"),
            _ if text.chars().any(|c| c.is_whitespace() || c.is_control()) => Some("holds spaces or control characters"),
            [local, domain] if !local.is_empty() && domain.contains('.') => None,
            _ => Some("does not look like name@example.com, as every Salesforce Username does"),
        }
    }
);

impl Username {
    /// The same name as Salesforce compares it: without regard to case.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

name!(
    /// What the user calls a job: `accounts`, `nightly-cases`. 1 to 64 of `A-Z a-z 0-9 _ -`.
    JobName,
    "job name",
    |text| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        match text {
            "" => Some("is empty"),
            _ if text.len() > 64 => Some("is longer than 64 characters"),
            _ if !text.chars().all(fits) => Some("may hold letters, digits, `_` and `-` only"),
            _ => None,
        }
    }
);

name!(
    /// The API name of an object: `Account`, `Invoice__c`, `ns__Invoice__c`. Safe in SOQL, in SQL quotes and as a file name.
    ObjectName,
    "object name",
    |text| identifier(text)
);

name!(
    /// The API name of a field, or of a parent's field: `Name`, `Score__c`, `Owner.Name`.
    FieldName,
    "field name",
    |text| text.split('.').find_map(identifier)
);

/// What keeps a text from being an API name. Salesforce's own limit is 40 characters, and a namespace and a suffix besides.
fn identifier(text: &str) -> Option<&'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match text {
        "" => Some("is empty"),
        _ if text.len() > 80 => Some("is longer than 80 characters"),
        _ if !text.chars().all(fits) => Some("may hold letters, digits and `_` only"),
        _ if !text.starts_with(|c: char| c.is_ascii_alphabetic()) => Some("must begin with a letter"),
        _ => None,
    }
}

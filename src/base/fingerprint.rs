use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::printable;

/// SHA-256 of `bytes`, 64 lower-case hex digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The name an access token goes by in logs, history and reports: 16 hex digits of its SHA-256.
///
/// A prefix of the token would be simpler and would give part of it away.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(String);

impl TokenId {
    /// The fingerprint of a token's text.
    pub fn of(token: &str) -> Self {
        let mut hex = sha256_hex(token.as_bytes());
        hex.truncate(16);
        Self(hex)
    }

    /// The 16 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name a key pair goes by: SHA-256 over the DER of its public half (SubjectPublicKeyInfo), 64 hex digits.
///
/// A key, its certificate and a renewed certificate over the same key share it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The fingerprint of a SubjectPublicKeyInfo in DER.
    pub fn of_spki(der: &[u8]) -> Self {
        Self(sha256_hex(der))
    }

    /// The 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 16 digits, for a line that people read.
    pub fn short(&self) -> &str {
        self.0.get(..16).unwrap_or(&self.0)
    }
}

macro_rules! shown {
    ($($name:ident),*) => {$(
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
    )*};
}
shown!(TokenId, KeyId);

/// A text that is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {digits} lower-case hex digits")]
pub struct FingerprintMistake {
    found: String,
    digits: usize,
}

fn hex_digits(text: &str, digits: usize) -> Result<String, FingerprintMistake> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    match text.len() == digits && text.bytes().all(is_hex) {
        true => Ok(text.to_string()),
        false => Err(FingerprintMistake { found: printable(text, 12), digits }),
    }
}

impl FromStr for TokenId {
    type Err = FingerprintMistake;

    fn from_str(text: &str) -> Result<Self, FingerprintMistake> {
        hex_digits(text, 16).map(Self)
    }
}

impl FromStr for KeyId {
    type Err = FingerprintMistake;

    fn from_str(text: &str) -> Result<Self, FingerprintMistake> {
        hex_digits(text, 64).map(Self)
    }
}

use std::fmt;
use std::path::{Path, PathBuf};

use crate::base::{SecretSource, printable};

/// Where a key, passphrase or certificate came from, in words; never what was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    words: String,
    path: Option<PathBuf>,
}

impl Place {
    /// The place a [`SecretSource`] points to.
    pub fn of(source: &SecretSource) -> Self {
        match source {
            SecretSource::File(path) => Self::file(path),
            SecretSource::Env { .. } => Self { words: printable(&source.to_string(), 200), path: None },
            SecretSource::Command(_) => {
                Self { words: format!("output of {}", printable(&source.to_string(), 200)), path: None }
            }
        }
    }

    /// A file.
    pub fn file(path: &Path) -> Self {
        let words = format!("file {}", printable(&path.to_string_lossy(), 400));
        Self { words, path: Some(path.to_path_buf()) }
    }

    /// Bytes that were handed over by a caller who knows where they are from.
    pub fn unnamed(what: &'static str) -> Self {
        Self { words: what.to_string(), path: None }
    }

    /// The path as a shell takes it, or `stand_in` where there is none.
    pub(super) fn shell(&self, stand_in: &str) -> String {
        let Some(path) = &self.path else { return stand_in.to_string() };
        let text = printable(&path.to_string_lossy(), 400);
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
        if !text.is_empty() && text.chars().all(plain) {
            text
        } else {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

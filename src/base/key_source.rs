use std::fmt;
use std::path::PathBuf;

use super::Secret;

/// Where a secret is kept. Never the secret itself in a file that people edit.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// An environment variable, taken when the configuration was read; `None` where it was not set.
    Env {
        /// The variable's name.
        name: String,
        /// What it held.
        value: Option<Secret<String>>,
    },
    /// A file; one line break at its end is not part of the secret.
    File(PathBuf),
    /// A program that prints the secret: its path and arguments, never through a shell.
    Command(Vec<String>),
}

impl SecretSource {
    /// Names the place without its content: `file:/run/key`, `env:NAME`, `command:prog arg`.
    pub fn reference(&self) -> String {
        match self {
            SecretSource::Env { name, .. } => format!("env:{name}"),
            SecretSource::File(path) => format!("file:{}", path.display()),
            SecretSource::Command(argv) => format!("command:{}", argv.join(" ")),
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env { name, .. } => write!(f, "environment variable {name}"),
            SecretSource::File(path) => write!(f, "file {}", path.display()),
            SecretSource::Command(argv) => write!(f, "command `{}`", argv.join(" ")),
        }
    }
}

/// Where a private key is kept, and what opens it.
#[derive(Clone, Debug)]
pub struct KeySource {
    /// The place of the PEM.
    pub pem: SecretSource,
    /// What decrypts it, for an encrypted PKCS#8 key.
    pub passphrase: Option<SecretSource>,
}

impl KeySource {
    /// Names the place without its content; part of a token cache's key.
    pub fn reference(&self) -> String {
        self.pem.reference()
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pem.fmt(f)
    }
}

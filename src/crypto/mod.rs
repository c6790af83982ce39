//! Private keys and certificates: reading them in every shape people have, naming what is wrong, making new ones.
//!
//! This room does not sign assertions (`assertion` does) and knows no connection; it is the only one that names
//! `rsa` and `rustls_pemfile`, each in one or two files, and `rsa` never signs. Start at [`read_private_key`].

mod certificate;
mod certificate_error;
mod encrypted;
mod found;
mod harden;
pub mod issue;
mod key;
mod key_error;
mod key_hints;
mod located;
mod pem;
mod place;
mod secret;
mod secret_command;
mod secret_file;
#[cfg(test)]
mod shapes;
pub mod verify;
mod write;

pub use certificate::{Certificate, read_certificate, read_certificates};
pub use certificate_error::{CertificateError, CertificateMistake};
pub use found::Format;
pub use harden::harden_process;
pub use issue::{Issue, IssueError};
pub use key::{KEY_BITS, PrivateKey, read_private_key};
pub use key_error::{KeyError, KeyMistake};
pub use located::{Located, Mistake};
pub use place::Place;
pub(crate) use secret::passphrase_text;
pub use secret::{read_passphrase, read_secret};
pub use secret_command::COMMAND_TIMEOUT;
pub use secret_file::{FileStamp, HeldFile, MOST_BYTES, read_public_file, read_secret_file};
pub use write::{WriteError, write_certificate_file, write_key_file};

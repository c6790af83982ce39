use std::io;
use std::path::PathBuf;

use super::found::Format;
use super::{CertificateError, Located, Mistake, Place};
use crate::base::{Explain, Fault, Hint};

/// A private key, or what opens it, that cannot be used: where it is, and what is wrong with it.
pub type KeyError = Located<KeyMistake>;

/// What is wrong with a key. Reads on after the place: "file a.pem *holds a CERTIFICATE, not a private key*".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyMistake {
    /// No such file. *Misuse.*
    #[error("does not exist")]
    NoFile,
    /// The environment variable was not set. *Misuse.*
    #[error("is not set")]
    NotSet,
    /// This user may not open it. *Denied.*
    #[error("may not be read by this user")]
    NotAllowed(#[source] io::Error),
    /// The disk failed. *Disk.*
    #[error("cannot be read")]
    Io(#[source] io::Error),
    /// A directory, a pipe, a socket or a device. *Misuse.*
    #[error("is {0}, not a regular file")]
    NotAFile(&'static str),
    /// More than any key needs. *Misuse.*
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// Nothing at all. *Misuse.*
    #[error("is empty")]
    Empty,
    /// Other users of this machine can read or write it. *Denied.*
    #[error("can be {how} by others (mode {mode:04o})")]
    ReadableByOthers {
        /// `read` or `changed`.
        how: &'static str,
        /// The permission bits.
        mode: u32,
    },
    /// It belongs to somebody who is neither this user nor root. *Denied.*
    #[error("belongs to user {owner}, who is neither this user ({user}) nor root")]
    ForeignOwner {
        /// Whose it is.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// Anybody can replace it, because anybody can write to its directory. *Denied.*
    #[error("lies in a directory that everybody can write to: {}", .0.display())]
    OpenDirectory(PathBuf),
    /// It changed each time it was read. *Transient.*
    #[error("kept changing while it was read")]
    Changing,
    /// The command could not be started. *Misuse.*
    #[error("is missing: the command cannot be started")]
    CommandNotStarted(#[source] io::Error),
    /// The command said no. *Misuse.*
    #[error("is missing: the command ended with {0}")]
    CommandFailed(std::process::ExitStatus),
    /// The command did not answer in time. *Transient.*
    #[error("is missing: the command took longer than {0} s and was ended")]
    CommandTimedOut(u64),
    /// Nothing in it looks like PEM. *Misuse.*
    #[error("holds no PEM block")]
    NoPem,
    /// PEM of another kind. *Misuse.*
    #[error("holds {found}, not a private key")]
    WrongBlock {
        /// In words: "a CERTIFICATE".
        found: String,
    },
    /// A private key in OpenSSH's own format. *Misuse.*
    #[error("holds an OPENSSH PRIVATE KEY, a format that only OpenSSH reads")]
    OpenSsh,
    /// Not PEM, but something we know. *Misuse.*
    #[error("is {0}, not a private key in PEM")]
    WrongFormat(Format),
    /// A BEGIN line without its END line: half-written, or half-copied. *Misuse.*
    #[error("ends early: its last block has no END line")]
    Truncated,
    /// BEGIN and END are there, what is between is damaged. *Misuse.*
    #[error("holds a damaged {label}")]
    Damaged {
        /// The PEM label.
        label: String,
    },
    /// OpenSSL's old encryption, `Proc-Type: 4,ENCRYPTED`. *Misuse.*
    #[error("is encrypted in the traditional way (Proc-Type: 4,ENCRYPTED), which is not supported")]
    TraditionalEncryption,
    /// PKCS#8 encrypted by an algorithm that nobody should use any more, or that we do not have. *Misuse.*
    #[error("is encrypted with {algorithm}, which is not supported")]
    LegacyEncryption {
        /// Its name.
        algorithm: String,
    },
    /// The work its passphrase takes is beyond any that tools choose. *Misuse.*
    #[error("takes too much work to decrypt ({what})")]
    CostlyEncryption {
        /// Which number is too large.
        what: String,
    },
    /// Encrypted, and nothing given to open it. *Misuse.*
    #[error("is encrypted, and no passphrase is given")]
    Encrypted,
    /// The passphrase is not the right one. *Misuse.*
    #[error("is encrypted, and the passphrase given does not open it")]
    Passphrase,
    /// The passphrase is not UTF-8. *Misuse.*
    #[error("holds a passphrase that is not UTF-8 text")]
    PassphraseNotText,
    /// Another kind of key. *Misuse.*
    #[error("holds {algorithm} key; Salesforce accepts RSA only")]
    NotRsa {
        /// With its article: "an EC".
        algorithm: String,
    },
    /// Too short. *Misuse.*
    #[error("holds an RSA key of {bits} bits; 2048 is the least that is accepted")]
    TooSmall {
        /// Of its modulus.
        bits: usize,
    },
    /// Too long. *Misuse.*
    #[error("holds an RSA key of {bits} bits; 8192 is the most that is accepted")]
    TooLarge {
        /// Of its modulus.
        bits: usize,
    },
    /// Its numbers do not belong together. *Misuse.*
    #[error("holds an RSA key whose numbers do not belong together ({0})")]
    Inconsistent(&'static str),
    /// More than one key, and no way to know which is meant. *Misuse.*
    #[error("holds {0} different private keys")]
    SeveralKeys(usize),
    /// The certificate was made for another key. *Misuse.*
    #[error("does not belong to the certificate in {certificate}")]
    CertificateMismatch {
        /// Where the certificate is.
        certificate: Place,
        /// Its subject.
        subject: String,
    },
    /// The certificate beside the key cannot be used.
    #[error("has a certificate that cannot be used")]
    Certificate(#[source] CertificateError),
}

impl KeyMistake {
    /// The mistake behind a failed file operation.
    pub(super) fn io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => KeyMistake::NoFile,
            io::ErrorKind::PermissionDenied => KeyMistake::NotAllowed(error),
            _ => KeyMistake::Io(error),
        }
    }
}

impl Mistake for KeyMistake {
    const UNNAMED: &'static str = "the key";

    fn fault(&self) -> Fault {
        use KeyMistake as M;
        match self {
            M::NotAllowed(_) | M::ReadableByOthers { .. } | M::ForeignOwner { .. } | M::OpenDirectory(_) => {
                Fault::Denied
            }
            M::Io(_) => Fault::Disk,
            M::Changing | M::CommandTimedOut(_) => Fault::Transient,
            M::Certificate(error) => error.fault(),
            _ => Fault::Misuse,
        }
    }

    fn code(&self) -> &'static str {
        use KeyMistake as M;
        match self {
            M::NoFile | M::NotSet => "key.not_found",
            M::NotAllowed(_) | M::Io(_) => "key.unreadable",
            M::NotAFile(_) => "key.not_a_file",
            M::TooLong(_) => "key.too_long",
            M::Empty => "key.empty",
            M::ReadableByOthers { .. } => "key.readable_by_others",
            M::ForeignOwner { .. } => "key.foreign_owner",
            M::OpenDirectory(_) => "key.open_directory",
            M::Changing => "key.changing",
            M::CommandNotStarted(_) | M::CommandFailed(_) | M::CommandTimedOut(_) => "key.command",
            M::NoPem | M::WrongBlock { .. } | M::OpenSsh => "key.wrong_block",
            M::WrongFormat(_) => "key.wrong_format",
            M::Truncated => "key.truncated",
            M::Damaged { .. } => "key.damaged",
            M::TraditionalEncryption | M::LegacyEncryption { .. } | M::CostlyEncryption { .. } => {
                "key.legacy_encryption"
            }
            M::Encrypted => "key.encrypted",
            M::Passphrase | M::PassphraseNotText => "key.passphrase",
            M::NotRsa { .. } => "key.not_rsa",
            M::TooSmall { .. } => "key.too_small",
            M::TooLarge { .. } => "key.too_large",
            M::Inconsistent(_) => "key.inconsistent",
            M::SeveralKeys(_) => "key.several_keys",
            M::CertificateMismatch { .. } => "key.certificate_mismatch",
            M::Certificate(error) => error.code(),
        }
    }

    fn hints(&self, place: &Place) -> Vec<Hint> {
        if let KeyMistake::Certificate(error) = self {
            return error.hints();
        }
        super::key_hints::next_step(place, self).into_iter().map(Hint::new).collect()
    }
}

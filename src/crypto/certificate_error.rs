use std::io;

use super::{Located, Mistake, Place};
use crate::base::{Fault, Hint};

/// A certificate that cannot be used: where it is, and what is wrong with it.
pub type CertificateError = Located<CertificateMistake>;

/// What is wrong with a certificate. Reads on after the place: "file a.crt *holds a private key, not a certificate*".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateMistake {
    /// No such file. *Misuse.*
    #[error("does not exist")]
    NoFile,
    /// The file cannot be opened or read. *Denied* for permissions, else *disk*.
    #[error("cannot be read")]
    Io(#[source] io::Error),
    /// A directory, a pipe, a socket or a device. *Misuse.*
    #[error("is {0}, not a regular file")]
    NotAFile(&'static str),
    /// More than any certificate needs. *Misuse.*
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// Nothing at all. *Misuse.*
    #[error("is empty")]
    Empty,
    /// A BEGIN line without its END line. *Misuse.*
    #[error("ends early: its last block has no END line")]
    Truncated,
    /// Something else. *Misuse.*
    #[error("holds {found}, not a certificate")]
    Wrong {
        /// In words: "a private key".
        found: String,
    },
    /// It is called a certificate, but cannot be read as one. *Misuse.*
    #[error("holds a damaged CERTIFICATE")]
    Damaged,
}

impl Mistake for CertificateMistake {
    const UNNAMED: &'static str = "the certificate";

    fn fault(&self) -> Fault {
        match self {
            CertificateMistake::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => Fault::Denied,
            CertificateMistake::Io(_) => Fault::Disk,
            _ => Fault::Misuse,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            CertificateMistake::NoFile => "certificate.not_found",
            CertificateMistake::Io(_)
            | CertificateMistake::NotAFile(_)
            | CertificateMistake::TooLong(_)
            | CertificateMistake::Empty
            | CertificateMistake::Truncated
            | CertificateMistake::Damaged => "certificate.unreadable",
            CertificateMistake::Wrong { .. } => "certificate.wrong_block",
        }
    }

    fn hints(&self, place: &Place) -> Vec<Hint> {
        let path = place.shell("CERTIFICATE");
        let text = match self {
            CertificateMistake::NoFile => {
                format!(
                    "check the path in `certificate`; a relative one starts at the config file's directory ({path})"
                )
            }
            CertificateMistake::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                format!("run `chmod 644 {path}`; a certificate is public")
            }
            CertificateMistake::Io(_) => return Vec::new(),
            CertificateMistake::Wrong { found } if found.contains("private key") => {
                "name this file in `key`, and in `certificate` the one that was uploaded to the app".into()
            }
            CertificateMistake::Wrong { found } if found.contains("PKCS7") => {
                format!("run `openssl pkcs7 -print_certs -in {path} -out new.crt` and use new.crt")
            }
            _ => "give the certificate that was uploaded to the app, in PEM or DER".into(),
        };
        vec![Hint::new(text)]
    }
}

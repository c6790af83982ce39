use crate::base::{Explain, Fault, Hint};

use super::{LARGEST_CERTIFICATE, SESSION_TIMEOUT_MINUTES};

/// An app that Salesforce would not take. Found before anything is written. Always *misuse*.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppMistake {
    /// The app's name does not fit.
    #[error("the app's name {0}")]
    Name(&'static str),
    /// The e-mail address of whoever looks after the app does not fit.
    #[error("the contact e-mail `{found}` is not an address such as salesforce-admin@acme.example")]
    ContactEmail {
        /// As given.
        found: String,
    },
    /// No session can be that long or short.
    #[error("{minutes} minutes is not a session timeout; {} to {} is", SESSION_TIMEOUT_MINUTES.start(), SESSION_TIMEOUT_MINUTES.end())]
    SessionTimeout {
        /// As given.
        minutes: u32,
    },
    /// The certificate is larger than Salesforce takes.
    #[error("the certificate is {found} bytes of PEM; Salesforce takes {LARGEST_CERTIFICATE}")]
    CertificateTooLarge {
        /// Its size in PEM. Bytes.
        found: usize,
    },
}

impl Explain for AppMistake {
    fn fault(&self) -> Fault {
        Fault::Misuse
    }

    fn code(&self) -> &'static str {
        match self {
            AppMistake::Name(_) => "app.name",
            AppMistake::ContactEmail { .. } => "app.contact_email",
            AppMistake::SessionTimeout { .. } => "app.session_timeout",
            AppMistake::CertificateTooLarge { .. } => "app.certificate_too_large",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            AppMistake::Name(_) => vec![Hint::new("choose another with --app-name")],
            AppMistake::ContactEmail { .. } => {
                vec![Hint::new("give the Salesforce administrator's with --contact-email")]
            }
            AppMistake::SessionTimeout { .. } => {
                vec![Hint::new("give what the org allows, often 120, with --session-timeout-minutes")]
            }
            AppMistake::CertificateTooLarge { .. } => {
                vec![Hint::new(
                    "a self-signed certificate with a short subject fits: let `sfmint init` make one",
                )]
            }
        }
    }
}

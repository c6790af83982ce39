use std::fmt;
use std::sync::Arc;

use super::LocalKey;
use crate::base::{BoxFuture, Credential, Explain, Fault, Hint, KeyId, UnixSeconds};
use crate::crypto::{Certificate, KeyError};

/// What a certificate says, as far as logs, history and `doctor` ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The first moment it holds.
    pub not_before: UnixSeconds,
    /// The last moment it holds.
    pub not_after: UnixSeconds,
    /// SHA-256 of its DER, 64 lower-case hex digits.
    pub sha256: String,
    /// Whom it is for.
    pub subject: String,
}

impl From<&Certificate> for CertificateFacts {
    fn from(certificate: &Certificate) -> Self {
        Self {
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            sha256: certificate.sha256(),
            subject: certificate.subject().to_string(),
        }
    }
}

/// What signs assertions: a key in this process, or one that never leaves its vault.
///
/// Takes the message, not a digest, because some vaults will not sign a digest they did not make. Asynchronous,
/// because some are on the network.
pub trait Signer: Send + Sync + fmt::Debug {
    /// Signs `message`: RSASSA-PKCS1-v1_5 with SHA-256 (RS256), the signature as long as the modulus.
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>>;

    /// The name of the key pair that would sign now.
    fn key_id(&self) -> KeyId;

    /// The certificate of that key pair, where it is known.
    fn certificate(&self) -> Option<CertificateFacts>;
}

/// An assertion that was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key is not to be had. Its own fault.
    #[error("the key cannot be used")]
    Key(#[source] KeyError),
    /// The crypto library refused a key it had taken. *Bug*: a fault in its memory, or ours.
    #[error("the key could not sign")]
    Failed,
    /// Header or claims could not be written as JSON. *Bug.*
    #[error("the claims could not be written")]
    Claims(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Explain for SignError {
    fn fault(&self) -> Fault {
        match self {
            SignError::Key(error) => error.fault(),
            SignError::Failed | SignError::Claims(_) => Fault::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            SignError::Key(error) => error.code(),
            SignError::Failed => "sign.failed",
            SignError::Claims(_) => "sign.claims",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            SignError::Key(error) => error.hints(),
            SignError::Failed | SignError::Claims(_) => Vec::new(),
        }
    }
}

/// Opens what signs for a credential.
///
/// Reads and checks the key, and the certificate beside it, so that whatever is wrong with them is said before
/// any request is made. Blocks while a `command` runs, 10 s at most.
///
/// # Errors
///
/// [`KeyError`], with the fault of what is wrong: mostly *misuse*, *denied* for file permissions.
pub fn open(credential: &Credential) -> Result<Arc<dyn Signer>, KeyError> {
    Ok(Arc::new(LocalKey::open(&credential.key, credential.certificate.as_deref())?))
}

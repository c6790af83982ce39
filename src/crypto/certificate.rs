use std::fmt::{self, Write};

use x509_parser::prelude::{FromDer, X509Certificate};

use super::found::{Format, block_name};
use super::pem::{self, NoBlocks};
use super::{CertificateError, CertificateMistake, write};
use crate::base::{KeyId, UnixSeconds, printable, sha256_hex};

/// An X.509 certificate: what it says, and the bytes that say it.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    issuer: String,
    serial: String,
    not_before: UnixSeconds,
    not_after: UnixSeconds,
    key_id: KeyId,
}

impl Certificate {
    /// Reads one certificate in DER.
    ///
    /// # Errors
    ///
    /// [`CertificateMistake::Damaged`]. *Misuse*.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| CertificateMistake::Damaged)?;
        if !rest.is_empty() {
            return Err(CertificateMistake::Damaged.into());
        }
        let serial = parsed.raw_serial().iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        });
        Ok(Self {
            der: der.to_vec(),
            subject: printable(&parsed.subject().to_string(), 400),
            issuer: printable(&parsed.issuer().to_string(), 400),
            serial,
            not_before: UnixSeconds::new(parsed.validity().not_before.timestamp()),
            not_after: UnixSeconds::new(parsed.validity().not_after.timestamp()),
            key_id: KeyId::of_spki(parsed.public_key().raw),
        })
    }

    /// Whom it is for: `CN=sfmint prod, O=Acme`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Who signed it; the subject itself in a self-signed one.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its serial number, lower-case hex.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The first moment it holds.
    pub fn not_before(&self) -> UnixSeconds {
        self.not_before
    }

    /// The last moment it holds.
    pub fn not_after(&self) -> UnixSeconds {
        self.not_after
    }

    /// The name of its key pair; equal to the private key's that it belongs to.
    pub fn key_id(&self) -> KeyId {
        self.key_id.clone()
    }

    /// SHA-256 of its DER, 64 lower-case hex digits.
    pub fn sha256(&self) -> String {
        sha256_hex(&self.der)
    }

    /// SHA-1 of its DER, 40 lower-case hex digits: the thumbprint that keystores and Setup pages show.
    pub fn sha1(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        digest.as_ref().iter().fold(String::with_capacity(40), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM, as it is uploaded to the app.
    pub fn pem(&self) -> String {
        write::armor("CERTIFICATE", &self.der)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, until {}, {})", self.subject, self.not_after, self.key_id.short())
    }
}

/// Reads a certificate: PEM in the shapes of [`read_private_key`](super::read_private_key), or DER. The first of a bundle.
///
/// # Errors
///
/// [`CertificateMistake`], which names what was found instead. *Misuse*.
pub fn read_certificate(bytes: &[u8]) -> Result<Certificate, CertificateError> {
    let mut all = read_certificates(bytes)?;
    Ok(all.swap_remove(0))
}

/// Reads all certificates of a bundle, in their order; at least one.
///
/// # Errors
///
/// Those of [`read_certificate`].
pub fn read_certificates(bytes: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
    let blocks = match pem::blocks(bytes) {
        Ok(blocks) => blocks,
        Err(NoBlocks::Format(Format::DerCertificate)) => return Ok(vec![Certificate::from_der(bytes)?]),
        Err(NoBlocks::Empty) => return Err(CertificateMistake::Empty.into()),
        Err(NoBlocks::Truncated) => return Err(CertificateMistake::Truncated.into()),
        Err(NoBlocks::Format(found)) => {
            return Err(CertificateMistake::Wrong { found: found.to_string() }.into());
        }
        Err(NoBlocks::Unknown) => return Err(CertificateMistake::Wrong { found: "no PEM".into() }.into()),
    };
    let certificates = blocks.iter().filter(|block| block.is_certificate());
    let read: Vec<Certificate> = certificates
        .map(|block| Certificate::from_der(&block.certificate_der().ok_or(CertificateMistake::Damaged)?))
        .collect::<Result<_, _>>()?;
    if read.is_empty() {
        let found = match blocks.iter().find(|block| block.is_private_key()) {
            Some(_) => "a private key".to_string(),
            None => blocks.first().map(|block| block_name(&block.label)).unwrap_or_default(),
        };
        return Err(CertificateMistake::Wrong { found }.into());
    }
    Ok(read)
}

//! Making keys and self-signed certificates, as an app of Salesforce takes them.

use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    PublicKeyData, SerialNumber, SigningKey,
};

use super::{Certificate, PrivateKey};
use crate::base::{Explain, Fault, Hint, UnixSeconds, printable};

/// A self-signed certificate to be made.
#[derive(Clone, Debug)]
pub struct Issue {
    /// Whom it is for: `CN=sfmint prod,O=Acme`, or a bare common name. A comma in a value is written `\,`.
    pub subject: String,
    /// How long it holds. Days, 1 to 7300.
    pub days: u32,
    /// The size of the key: 2048, 3072 or 4096.
    pub bits: u32,
    /// The time now.
    pub now: UnixSeconds,
}

/// A certificate that was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The subject cannot be read. *Misuse.*
    #[error("subject `{subject}` {why}")]
    Subject {
        /// As given.
        subject: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Not a size that Salesforce takes and we make. *Misuse.*
    #[error("{0} bits is not a key size; 2048, 3072 and 4096 are")]
    Bits(u32),
    /// Too long or too short. *Misuse.*
    #[error("{0} days is not a certificate's life; 1 to 7300 is")]
    Days(u32),
    /// The library refused. *Bug.*
    #[error("the certificate could not be made")]
    Failed,
}

impl Explain for IssueError {
    fn fault(&self) -> Fault {
        match self {
            IssueError::Failed => Fault::Bug,
            _ => Fault::Misuse,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            IssueError::Subject { .. } => "issue.subject",
            IssueError::Bits(_) => "issue.bits",
            IssueError::Days(_) => "issue.days",
            IssueError::Failed => "issue.failed",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            IssueError::Subject { .. } => {
                vec![Hint::new("write a common name (`sfmint prod`) or `CN=sfmint prod,O=Acme,C=DE`")]
            }
            _ => Vec::new(),
        }
    }
}

/// How far back a new certificate already holds, for an org whose clock is behind ours. Seconds.
const BACKDATED: Duration = Duration::from_secs(300);

/// Makes a key and a self-signed certificate for it, as an app of Salesforce takes them.
///
/// # Shape
///
/// RSA, SHA-256, key usage digital signature, extended key usage client authentication, no authority; a random
/// serial of 16 bytes. Holds from five minutes before `now`, for `days`.
///
/// # Errors
///
/// [`IssueError`]. *Misuse* for what was asked.
pub fn self_signed(request: &Issue) -> Result<(PrivateKey, Certificate), IssueError> {
    let size = match request.bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        other => return Err(IssueError::Bits(other)),
    };
    distinguished_name(&request.subject)?;
    let pair = KeyPair::generate(size).map_err(|_| IssueError::Failed)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| IssueError::Failed)?;
    let key = PrivateKey::from_pkcs8_der(der.as_ref()).map_err(|_| IssueError::Failed)?;
    let certificate = certify(&key, request)?;
    Ok((key, certificate))
}

/// Makes another self-signed certificate for a key that is there; `bits` is not looked at.
///
/// # Errors
///
/// Those of [`self_signed`].
pub fn certify(key: &PrivateKey, request: &Issue) -> Result<Certificate, IssueError> {
    if !(1..=7300).contains(&request.days) {
        return Err(IssueError::Days(request.days));
    }
    let mut serial = [0; 16];
    SystemRandom::new().fill(&mut serial).map_err(|_| IssueError::Failed)?;
    // Positive and never shorter: RFC 5280 §4.1.2.2.
    serial[0] = (serial[0] & 0x7f) | 0x40;
    let from = request.now.moved(-(BACKDATED.as_secs().cast_signed()));
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(&request.subject)?;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let after_epoch = |moment: UnixSeconds| Duration::from_secs(u64::try_from(moment.get()).unwrap_or(0));
    params.not_before = epoch + after_epoch(from);
    params.not_after =
        epoch + after_epoch(request.now.plus(Duration::from_secs(86_400 * u64::from(request.days))));
    let pair = KeyPair::from_pkcs8(key.pkcs8_der().expose()).map_err(|_| IssueError::Failed)?;
    let made = params.self_signed(&Signs(pair)).map_err(|_| IssueError::Failed)?;
    Certificate::from_der(made.der()).map_err(|_| IssueError::Failed)
}

/// `text` as a name, in the order it is written.
fn distinguished_name(text: &str) -> Result<DistinguishedName, IssueError> {
    let refuse = |why| IssueError::Subject { subject: printable(text, 200), why };
    let mut name = DistinguishedName::new();
    if !text.contains('=') && !text.trim().is_empty() {
        name.push(DnType::CommonName, text.trim());
        return Ok(name);
    }
    for part in split(text) {
        let (kind, value) = part.split_once('=').ok_or_else(|| refuse("has a part without `=`"))?;
        let kind = match kind.trim().to_ascii_uppercase().as_str() {
            "CN" => DnType::CommonName,
            "O" => DnType::OrganizationName,
            "OU" => DnType::OrganizationalUnitName,
            "C" => DnType::CountryName,
            "ST" => DnType::StateOrProvinceName,
            "L" => DnType::LocalityName,
            _ => return Err(refuse("has a part that is none of CN, O, OU, C, ST, L")),
        };
        let value = value.trim();
        if value.is_empty() || value.len() > 64 || value.chars().any(char::is_control) {
            return Err(refuse("has a part that is empty, longer than 64 bytes, or not plain text"));
        }
        if kind == DnType::CountryName
            && !(value.len() == 2 && value.bytes().all(|b| b.is_ascii_alphabetic()))
        {
            return Err(refuse("has a country that is not two letters"));
        }
        if name.get(&kind).is_some() {
            return Err(refuse("has the same part twice"));
        }
        name.push(kind, value);
    }
    if name.get(&DnType::CommonName).is_none() {
        return Err(refuse("has no common name, CN"));
    }
    Ok(name)
}

/// The parts of a name, split at commas that no backslash protects.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            ',' if !escaped => parts.push(String::new()),
            c => {
                escaped = false;
                if let Some(last) = parts.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    parts
}

/// A key pair in the shape rcgen asks for; its own holds an unzeroed copy of the key.
struct Signs(KeyPair);

impl PublicKeyData for Signs {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl SigningKey for Signs {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature)
    }
}

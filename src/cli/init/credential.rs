use std::path::Path;

use crate::base::{ConnectionName, Fault, Secret};
use crate::crypto::{
    Certificate, Issue, KeyError, KeyMistake, Place, PrivateKey, issue, read_certificate, read_private_key,
    read_public_file, read_secret_file, write_certificate_file, write_key_file,
};
use crate::token::SystemClock;

use super::super::report::{Complaint, told};
use super::places::Places;
use super::write;

/// What helps where the certificate is not the one that is wanted.
const ANOTHER: &str = "move the certificate away and run this again: one is made for the key that is there";

/// The key pair of a connection.
#[derive(Debug)]
pub struct Credential {
    pub certificate: Certificate,
    pub bits: usize,
    pub key_is_new: bool,
    pub certificate_is_new: bool,
}

impl Credential {
    /// The certificate that an earlier run handed over for this same key.
    pub fn handed_before(&self, handover: &Path) -> Option<Certificate> {
        let handed = certificate_at(&handover.join("certificate.crt")).ok()?;
        (handed.key_id() == self.certificate.key_id()).then_some(handed)
    }
}

/// Takes the key and certificate that are there, or makes what is missing.
///
/// # Errors
///
/// A certificate without its key, or one that belongs to another; and what reading and writing say.
pub fn find_or_make(
    places: &Places,
    name: &ConnectionName,
    days: u32,
    bits: u32,
) -> anyhow::Result<Credential> {
    let key = there(&places.key)?.then(|| read_key(&places.key)).transpose()?;
    let certificate = there(&places.certificate)?.then(|| certificate_at(&places.certificate)).transpose()?;
    let request = Issue {
        subject: format!("CN=sfmint {}", name.as_str().chars().take(56).collect::<String>()),
        days,
        bits,
        now: crate::base::Clock::now(&SystemClock::new()),
    };
    match (key, certificate) {
        (Some(key), Some(certificate)) => {
            if key.key_id() != certificate.key_id() {
                let says = format!(
                    "{} and {} are there, and do not belong together",
                    places.key.display(),
                    places.certificate.display()
                );
                return Err(told(Complaint::new("init.pair", Fault::Misuse, says).hint(ANOTHER)));
            }
            if certificate.not_after() < request.now {
                let says = format!("{} ended on {}", places.certificate.display(), certificate.not_after());
                return Err(told(Complaint::new("init.ended", Fault::Misuse, says).hint(ANOTHER)));
            }
            Ok(Credential { certificate, bits: key.bits(), key_is_new: false, certificate_is_new: false })
        }
        (Some(key), None) => {
            let certificate = issue::certify(&key, &request).map_err(told)?;
            write_certificate_file(&places.certificate, &certificate).map_err(told)?;
            Ok(Credential { certificate, bits: key.bits(), key_is_new: false, certificate_is_new: true })
        }
        (None, Some(_)) => {
            let says = format!(
                "{} is there, and its key {} is not",
                places.certificate.display(),
                places.key.display()
            );
            Err(told(
                Complaint::new("init.pair", Fault::Misuse, says)
                    .hint("put the key back, or move the certificate away: a new pair is made then"),
            ))
        }
        (None, None) => {
            let (key, certificate) = issue::self_signed(&request).map_err(told)?;
            write::private_folder(&places.certs)?;
            write::keep_keys_out_of_git(&places.certs)?;
            write_key_file(&places.key, &key).map_err(told)?;
            write_certificate_file(&places.certificate, &certificate).map_err(told)?;
            Ok(Credential { certificate, bits: key.bits(), key_is_new: true, certificate_is_new: true })
        }
    }
}

/// Whether something of that name is there; a broken link is something.
fn there(path: &Path) -> anyhow::Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(write::failed(path, error)),
    }
}

fn read_key(path: &Path) -> anyhow::Result<PrivateKey> {
    let at = |mistake: KeyMistake| told(KeyError::from(mistake).at(Place::file(path)));
    let (bytes, _): (Secret<Vec<u8>>, _) = read_secret_file(path).map_err(at)?;
    read_private_key(bytes.expose(), None).map_err(|error| told(error.at(Place::file(path))))
}

fn certificate_at(path: &Path) -> anyhow::Result<Certificate> {
    let at = |error: crate::crypto::CertificateError| told(error.at(Place::file(path)));
    let (bytes, _) = read_public_file(path).map_err(|mistake| at(mistake.into()))?;
    read_certificate(&bytes).map_err(at)
}

//! Checking signatures with the `rsa` crate: the built-in org's judge, and the tests'.

use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey;
use rsa::signature::Verifier;
use rsa::{RsaPublicKey, sha2::Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Whether `signature` over `message` was made by the key of the certificate `der`: RSASSA-PKCS1-v1_5 with SHA-256.
///
/// Written over the `rsa` crate and shares no code with what signs, so that each can judge the other. Public
/// keys only: RUSTSEC-2023-0071 does not reach it. Keys of more than 4096 bits verify nothing.
pub fn certificate_signed(der: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => key_signed(certificate.public_key().raw, message, signature),
        Err(_) => false,
    }
}

/// Whether `signature` over `message` was made by the key `spki`, a SubjectPublicKeyInfo in DER.
pub fn key_signed(spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = RsaPublicKey::from_public_key_der(spki) else { return false };
    let Ok(signature) = Signature::try_from(signature) else { return false };
    VerifyingKey::<Sha256>::new(key).verify(message, &signature).is_ok()
}

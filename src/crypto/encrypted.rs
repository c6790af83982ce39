use pkcs8::der::asn1::{AnyRef, ObjectIdentifier};
use pkcs8::der::{Decode, Reader, SliceReader};
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument};

use super::KeyMistake;
use crate::base::Secret;

/// Most rounds of PBKDF2 that are taken from a key file. OWASP's cheat sheet asks for 600,000; this is four
/// seconds of work, where a hostile file could ask for an hour.
const MAX_ROUNDS: u32 = if cfg!(fuzzing) { 1_000 } else { 10_000_000 };

/// Most memory scrypt may take for a key file. Bytes: 128 · N · r (RFC 7914 §2); OpenSSL writes 16 MiB.
const MAX_SCRYPT_BYTES: u64 = if cfg!(fuzzing) { 1 << 16 } else { 256 << 20 };

/// Most passes over that memory, `p`; OpenSSL writes 1.
const MAX_SCRYPT_PASSES: u16 = 16;

/// Opens an encrypted PKCS#8 key: PBES2 with AES-CBC, its key by PBKDF2 or scrypt.
///
/// # Errors
///
/// [`KeyMistake::Encrypted`] without a passphrase, [`KeyMistake::Passphrase`] with the wrong one (whatever
/// way it showed: padding, or nonsense inside), [`KeyMistake::LegacyEncryption`] by name.
///
/// # Source
///
/// RFC 5958 §3, RFC 8018 §6.2, RFC 7914 §7.
pub(super) fn open(der: &[u8], passphrase: Option<&Secret<String>>) -> Result<SecretDocument, KeyMistake> {
    let damaged = || KeyMistake::Damaged { label: "ENCRYPTED PRIVATE KEY".into() };
    let algorithm = outer_algorithm(der).ok_or_else(damaged)?;
    if let Some(name) = unsupported(&algorithm) {
        return Err(KeyMistake::LegacyEncryption { algorithm: name });
    }
    let info = EncryptedPrivateKeyInfo::try_from(der).map_err(|_| damaged())?;
    let parameters = info.encryption_algorithm.pbes2().ok_or_else(damaged)?;
    bounded(parameters)?;
    let passphrase = passphrase.ok_or(KeyMistake::Encrypted)?;
    info.decrypt(passphrase.expose().as_bytes()).map_err(|_| KeyMistake::Passphrase)
}

fn outer_algorithm(der: &[u8]) -> Option<AlgorithmIdentifierRef<'_>> {
    let mut reader = SliceReader::new(der).ok()?;
    reader
        .sequence(|inner| {
            let algorithm = AlgorithmIdentifierRef::decode(inner)?;
            AnyRef::decode(inner)?;
            Ok(algorithm)
        })
        .ok()
}

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");

/// The name of what we do not have in `algorithm`: the scheme, its cipher, or the hash of its PBKDF2.
fn unsupported(algorithm: &AlgorithmIdentifierRef<'_>) -> Option<String> {
    if algorithm.oid != PBES2 {
        return Some(name(algorithm.oid));
    }
    let (kdf, cipher) = algorithm
        .parameters?
        .sequence(|inner| {
            Ok((AlgorithmIdentifierRef::decode(inner)?, AlgorithmIdentifierRef::decode(inner)?))
        })
        .ok()?;
    let known = |oid: ObjectIdentifier, list: &[&str]| list.contains(&oid.to_string().as_str());
    let ciphers = ["2.16.840.1.101.3.4.1.2", "2.16.840.1.101.3.4.1.22", "2.16.840.1.101.3.4.1.42"];
    if !known(cipher.oid, &ciphers) {
        return Some(name(cipher.oid));
    }
    (!known(kdf.oid, &["1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"])).then(|| name(kdf.oid))
}

/// What an algorithm is called, for those seen in key files.
fn name(oid: ObjectIdentifier) -> String {
    match oid.to_string().as_str() {
        "1.2.840.113549.1.5.3" => "MD5 and DES (PBES1)",
        "1.2.840.113549.1.5.6" => "MD5 and RC2 (PBES1)",
        "1.2.840.113549.1.5.10" => "SHA-1 and DES (PBES1)",
        "1.2.840.113549.1.5.11" => "SHA-1 and RC2 (PBES1)",
        "1.2.840.113549.1.12.1.1" => "SHA-1 and 128-bit RC4 (PKCS#12)",
        "1.2.840.113549.1.12.1.3" => "SHA-1 and triple DES (PKCS#12)",
        "1.2.840.113549.1.12.1.4" => "SHA-1 and two-key triple DES (PKCS#12)",
        "1.2.840.113549.1.12.1.5" => "SHA-1 and 128-bit RC2 (PKCS#12)",
        "1.2.840.113549.1.12.1.6" => "SHA-1 and 40-bit RC2 (PKCS#12)",
        "1.2.840.113549.3.7" => "triple DES (PBES2)",
        "1.3.14.3.2.7" => "DES (PBES2)",
        "1.2.840.113549.3.2" => "RC2 (PBES2)",
        _ => return format!("algorithm {oid}"),
    }
    .to_string()
}

/// Refuses work that no tool asks for, before any of it is done.
fn bounded(parameters: &Parameters<'_>) -> Result<(), KeyMistake> {
    let costly = |what: String| Err(KeyMistake::CostlyEncryption { what });
    match &parameters.kdf {
        Kdf::Pbkdf2(kdf) if kdf.iteration_count > MAX_ROUNDS => {
            costly(format!("{} rounds of PBKDF2; {MAX_ROUNDS} are the most", kdf.iteration_count))
        }
        Kdf::Scrypt(kdf) => {
            let memory = kdf.cost_parameter.saturating_mul(128).saturating_mul(kdf.block_size.into());
            if memory > MAX_SCRYPT_BYTES || kdf.parallelization > MAX_SCRYPT_PASSES {
                return costly(format!("{} MiB of scrypt, {} times", memory >> 20, kdf.parallelization));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

use std::fmt;

use pkcs8::PrivateKeyInfo;
use pkcs8::der::{Decode, Encode};
use rsa::pkcs8::EncodePublicKey;
use rsa::traits::PrivateKeyParts;
use rsa::{BigUint, RsaPrivateKey, pkcs1};
use zeroize::Zeroizing;

use super::found::block_name;
use super::pem::{self, Block, NoBlocks};
use super::{KeyError, KeyMistake, encrypted};
use crate::base::{KeyId, Secret};

/// An RSA private key that was checked: 2048 to 8192 bits, its numbers belonging together.
///
/// Held as PKCS#8 in memory that is zeroed when it is dropped; cannot be printed.
#[derive(Clone)]
pub struct PrivateKey {
    pkcs8: Secret<Vec<u8>>,
    spki: Vec<u8>,
    bits: usize,
    id: KeyId,
}

/// Sizes of RSA keys that are accepted. Bits.
///
/// 2048 is Salesforce's least for uploaded certificates and NIST's for signatures (SP 800-131A); 8192 is the
/// most that aws-lc signs with.
pub const KEY_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

impl PrivateKey {
    /// The size of its modulus.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The name of the key pair.
    pub fn key_id(&self) -> KeyId {
        self.id.clone()
    }

    /// The public half, a SubjectPublicKeyInfo in DER.
    pub fn public_key_spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The key itself, PKCS#8 in DER.
    pub fn pkcs8_der(&self) -> &Secret<Vec<u8>> {
        &self.pkcs8
    }

    /// The key itself, PKCS#8 in PEM.
    pub fn pkcs8_pem(&self) -> Secret<String> {
        Secret::new("private key", super::write::armor("PRIVATE KEY", self.pkcs8.expose()))
    }

    /// Takes a key out of PKCS#8 in DER, with every check that [`read_private_key`] makes.
    ///
    /// # Errors
    ///
    /// Those of [`read_private_key`] that concern the key itself.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        Ok(from_pkcs8(der, "PRIVATE KEY")?)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(RSA {}, {})", self.bits, self.id.short())
    }
}

/// Reads a private key from PEM, in every shape people have.
///
/// # Shape
///
/// PKCS#1, PKCS#8, or encrypted PKCS#8 (PBES2: AES with PBKDF2 or scrypt) with `passphrase`; with a byte
/// order mark, CRLF, literal `\n`, spaces for line breaks, as base64 of the PEM, or in a bundle with
/// certificates. A passphrase for a key that is not encrypted is not looked at.
///
/// # Limits
///
/// RSA of 2048 to 8192 bits. At most 10,000,000 rounds of PBKDF2, 256 MiB of scrypt.
///
/// # Errors
///
/// Each names what was found instead and what to do: see [`KeyMistake`]. All of them *misuse*.
///
/// # Examples
///
/// ```
/// use sfmint::base::Explain;
/// use sfmint::crypto::read_private_key;
///
/// let error = read_private_key(b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", None).unwrap_err();
/// assert_eq!(error.to_string(), "the key holds a CERTIFICATE, not a private key");
/// assert_eq!(error.code(), "key.wrong_block");
/// ```
pub fn read_private_key(pem: &[u8], passphrase: Option<&Secret<String>>) -> Result<PrivateKey, KeyError> {
    let blocks = pem::blocks(pem).map_err(|why| match why {
        NoBlocks::Empty => KeyMistake::Empty,
        NoBlocks::Truncated => KeyMistake::Truncated,
        NoBlocks::Format(format) => KeyMistake::WrongFormat(format),
        NoBlocks::Unknown => KeyMistake::NoPem,
    })?;
    let keys: Vec<&Block> = blocks.iter().filter(|block| block.is_private_key()).collect();
    match keys.as_slice() {
        [] if blocks.iter().any(|block| block.label == "OPENSSH PRIVATE KEY") => {
            Err(KeyMistake::OpenSsh.into())
        }
        [] => {
            let mut found: Vec<String> = blocks.iter().map(|block| block_name(&block.label)).collect();
            found.dedup();
            found.truncate(4);
            Err(KeyMistake::WrongBlock { found: found.join(" and ") }.into())
        }
        [only] => Ok(from_block(only, passphrase)?),
        [one, two] => {
            let (one, two) = (from_block(one, passphrase)?, from_block(two, passphrase)?);
            if one.id == two.id { Ok(one) } else { Err(KeyMistake::SeveralKeys(2).into()) }
        }
        many => Err(KeyMistake::SeveralKeys(many.len()).into()),
    }
}

fn from_block(block: &Block, passphrase: Option<&Secret<String>>) -> Result<PrivateKey, KeyMistake> {
    if block.is_traditionally_encrypted() {
        return Err(KeyMistake::TraditionalEncryption);
    }
    let der = block.secret_der().ok_or_else(|| damaged(&block.label))?;
    match block.label.as_str() {
        "PRIVATE KEY" => from_pkcs8(&der, &block.label),
        "RSA PRIVATE KEY" => from_pkcs1(&der, &block.label),
        "ENCRYPTED PRIVATE KEY" => {
            let opened = encrypted::open(&der, passphrase)?;
            from_pkcs8(opened.as_bytes(), &block.label)
        }
        "EC PRIVATE KEY" => Err(KeyMistake::NotRsa { algorithm: "an EC".into() }),
        "DSA PRIVATE KEY" => Err(KeyMistake::NotRsa { algorithm: "a DSA".into() }),
        other => {
            let algorithm = other.trim_end_matches("PRIVATE KEY").trim_end();
            Err(KeyMistake::NotRsa { algorithm: format!("a {algorithm} private") })
        }
    }
}

fn damaged(label: &str) -> KeyMistake {
    KeyMistake::Damaged { label: label.to_string() }
}

fn from_pkcs8(der: &[u8], label: &str) -> Result<PrivateKey, KeyMistake> {
    let info = PrivateKeyInfo::from_der(der).map_err(|_| damaged(label))?;
    if info.algorithm.oid != pkcs1::ALGORITHM_OID {
        return Err(KeyMistake::NotRsa { algorithm: algorithm_name(&info.algorithm.oid.to_string()) });
    }
    from_pkcs1(info.private_key, label)
}

/// The key algorithms that are met in PKCS#8 files, with their article.
fn algorithm_name(oid: &str) -> String {
    match oid {
        "1.2.840.10045.2.1" => "an EC",
        "1.3.101.112" => "an Ed25519",
        "1.3.101.113" => "an Ed448",
        "1.3.101.110" => "an X25519",
        "1.3.101.111" => "an X448",
        "1.2.840.10040.4.1" => "a DSA",
        "1.2.840.113549.1.3.1" => "a Diffie-Hellman",
        "1.2.840.113549.1.1.10" => "an RSASSA-PSS-only (so not RS256)",
        other => return format!("an unknown ({other})"),
    }
    .to_string()
}

/// RFC 8017 §A.1.2, every number checked against the others: §3.2 says how they hang together.
fn from_pkcs1(der: &[u8], label: &str) -> Result<PrivateKey, KeyMistake> {
    let inconsistent = KeyMistake::Inconsistent;
    let parts = pkcs1::RsaPrivateKey::try_from(der).map_err(|_| damaged(label))?;
    if parts.version() != pkcs1::Version::TwoPrime {
        return Err(inconsistent("more than two primes"));
    }
    let modulus = number(parts.modulus);
    let bits = modulus.bits();
    if bits < *KEY_BITS.start() {
        return Err(KeyMistake::TooSmall { bits });
    }
    if bits > *KEY_BITS.end() {
        return Err(KeyMistake::TooLarge { bits });
    }
    let longest = parts.modulus.as_bytes().len();
    let secrets = [parts.private_exponent, parts.prime1, parts.prime2];
    if secrets.iter().any(|part| part.as_bytes().len() > longest) {
        return Err(inconsistent("a part is longer than the modulus"));
    }
    // rsa takes e = 2^k + 1 up to 33 bits and checks that it is odd; 1 would sign nothing.
    if parts.public_exponent.as_bytes().len() > 5 || number(parts.public_exponent) < BigUint::from(3u8) {
        return Err(inconsistent("its public exponent"));
    }
    let primes = vec![number(parts.prime1), number(parts.prime2)];
    let exponent = number(parts.public_exponent);
    let key = RsaPrivateKey::from_components(modulus, exponent, number(parts.private_exponent), primes)
        .map_err(|error| match error {
            rsa::Error::InvalidModulus | rsa::Error::InvalidPrime => inconsistent("modulus and primes"),
            _ => inconsistent("its exponents"),
        })?;
    same_crt(&key, &parts)?;
    encode(&key, &parts, bits).ok_or(inconsistent("its encoding"))
}

/// The key in the one form it is held in. Its numbers are those that were read and checked, not computed anew.
fn encode(key: &RsaPrivateKey, parts: &pkcs1::RsaPrivateKey<'_>, bits: usize) -> Option<PrivateKey> {
    let pkcs1 = Zeroizing::new(parts.to_der().ok()?);
    let pkcs8 = PrivateKeyInfo::new(pkcs1::ALGORITHM_ID, &pkcs1).to_der().ok()?;
    let spki = key.to_public_key().to_public_key_der().ok()?.into_vec();
    let id = KeyId::of_spki(&spki);
    Some(PrivateKey { pkcs8: Secret::new("private key", pkcs8), spki, bits, id })
}

/// A wrong CRT part gives signatures that betray the primes (Boneh, DeMillo, Lipton 1997), so it is refused here.
fn same_crt(key: &RsaPrivateKey, parts: &pkcs1::RsaPrivateKey<'_>) -> Result<(), KeyMistake> {
    let one = BigUint::from(1u8);
    let (p, q, d) = (&key.primes()[0], &key.primes()[1], key.d());
    let coefficient = number(parts.coefficient);
    let same = number(parts.exponent1) == d % (p - &one)
        && number(parts.exponent2) == d % (q - &one)
        && coefficient < *p
        && (coefficient * q) % p == one;
    if same { Ok(()) } else { Err(KeyMistake::Inconsistent("its CRT parts")) }
}

fn number(part: pkcs1::UintRef<'_>) -> BigUint {
    BigUint::from_bytes_be(part.as_bytes())
}

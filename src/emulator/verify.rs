use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey;
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use serde::Deserialize;

use super::base64url;
use super::why::Why;
use crate::base::KeyId;

/// The largest certificate file an app takes, bytes. Salesforce help, "OAuth 2.0 JWT Bearer Flow".
const CERTIFICATE_LIMIT: usize = 4096;

/// The shortest RSA key that RS256 allows, bits. RFC 7518 §3.3.
const SHORTEST_KEY: usize = 2048;

/// A certificate that an app does not take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateMistake {
    /// More than 4 KB.
    #[error("the certificate is larger than 4 KB")]
    TooLarge,
    /// Not an X.509 certificate in PEM.
    #[error("this is not an X.509 certificate in PEM")]
    Unreadable,
    /// The key in it is not RSA.
    #[error("the certificate's key is not RSA")]
    NotRsa,
    /// The key in it is shorter than RS256 allows: 2048 bits, RFC 7518 §3.3.
    #[error("the certificate's key has {bits} bits; 2048 is the least")]
    TooShort {
        /// How long it is.
        bits: usize,
    },
}

/// The public half of an app's key, out of its certificate.
#[derive(Debug)]
pub(super) struct AppKey {
    verifier: VerifyingKey<Sha256>,
    pub id: KeyId,
    pub not_before: i64,
    pub not_after: i64,
}

impl AppKey {
    /// Reads a certificate as Setup takes it: PEM, or the base64 between its lines alone.
    pub fn read(text: &str) -> Result<Self, CertificateMistake> {
        if text.len() > CERTIFICATE_LIMIT {
            return Err(CertificateMistake::TooLarge);
        }
        let pem = match text.contains("-----BEGIN") {
            true => text.to_string(),
            false => format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", text.trim()),
        };
        let (_, block) =
            x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(|_| CertificateMistake::Unreadable)?;
        if block.label != "CERTIFICATE" {
            return Err(CertificateMistake::Unreadable);
        }
        let certificate = block.parse_x509().map_err(|_| CertificateMistake::Unreadable)?;
        let spki = certificate.public_key().raw;
        let key = rsa::RsaPublicKey::from_public_key_der(spki).map_err(|_| CertificateMistake::NotRsa)?;
        let bits = rsa::traits::PublicKeyParts::n(&key).bits();
        if bits < SHORTEST_KEY {
            return Err(CertificateMistake::TooShort { bits });
        }
        Ok(Self {
            verifier: VerifyingKey::new(key),
            id: KeyId::of_spki(spki),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
        })
    }
}

/// An assertion taken apart, its signature not yet looked at.
#[derive(Debug)]
pub(super) struct Assertion {
    signed: String,
    signature: Vec<u8>,
    pub claims: AssertedClaims,
}

/// RFC 7515 §4.1: the members this judge looks at. Others are ignored, as §4 asks, except `crit`.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, rename = "crit", deserialize_with = "is_there")]
    has_crit: bool,
}

/// True for a member that is there, whatever it holds; `null` too.
fn is_there<'de, D: serde::Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(member).map(|_| true)
}

/// RFC 7523 §3: what the assertion claims. Members given twice are refused.
#[derive(Debug, Deserialize)]
pub(super) struct AssertedClaims {
    #[serde(default)]
    pub iss: Option<String>,
    #[serde(default)]
    pub sub: Option<String>,
    #[serde(default)]
    pub prn: Option<String>,
    #[serde(default)]
    pub aud: Option<serde_json::Value>,
    #[serde(default)]
    pub exp: Option<serde_json::Value>,
}

impl AssertedClaims {
    /// `exp` in seconds, from a number or, as some clients send it, a text of digits.
    pub fn expires(&self) -> Option<f64> {
        let seconds = match self.exp.as_ref()? {
            serde_json::Value::Number(number) => number.as_f64()?,
            serde_json::Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok()?
            }
            _ => return None,
        };
        seconds.is_finite().then_some(seconds)
    }
}

impl Assertion {
    /// Takes a compact JWS apart. Exactly three segments, RS256 and nothing else, no critical extensions.
    pub fn parse(text: &str) -> Result<Self, Why> {
        let segments: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = segments[..] else { return Err(Why::Malformed) };
        let decoded = |segment| base64url::decode(segment).ok_or(Why::Malformed);
        let head: Header = object(&decoded(header)?)?;
        if head.alg != "RS256" {
            return Err(Why::Algorithm);
        }
        // RFC 7515 §4.1.11: a critical extension that is not understood makes the JWS invalid; none is understood here.
        if head.has_crit {
            return Err(Why::Critical);
        }
        let claims = object(&decoded(payload)?)?;
        let signature = decoded(signature)?;
        Ok(Self { signed: format!("{header}.{payload}"), signature, claims })
    }

    /// Whether `key` made the signature over the segments as they were sent.
    pub fn is_signed_by(&self, key: &AppKey) -> bool {
        Signature::try_from(self.signature.as_slice())
            .is_ok_and(|signature| key.verifier.verify(self.signed.as_bytes(), &signature).is_ok())
    }

    /// Names this very assertion, without keeping it.
    pub fn fingerprint(&self) -> String {
        crate::base::sha256_hex(&self.signature)
    }
}

/// Reads a JSON object. An array is refused first: serde would take one for a struct.
fn object<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Why> {
    match bytes.trim_ascii_start().starts_with(b"{") {
        true => serde_json::from_slice(bytes).map_err(|_| Why::Malformed),
        false => Err(Why::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_another_algorithm_or_a_critical_extension_is_no_assertion() {
        let jws = |header: &str| {
            format!("{}.{}.QUJD", base64url::encode(header.as_bytes()), base64url::encode(b"{}"))
        };
        assert!(Assertion::parse(&jws(r#"{"alg":"RS256"}"#)).is_ok());
        assert!(Assertion::parse(&jws(r#"{"alg":"RS256","typ":"JWT","kid":"x"}"#)).is_ok());
        for (header, why) in [
            (r#"{"alg":"none"}"#, Why::Algorithm),
            (r#"{"alg":"HS256"}"#, Why::Algorithm),
            (r#"{"alg":"rs256"}"#, Why::Algorithm),
            (r#"{"alg":"RS512"}"#, Why::Algorithm),
            (r#"{"alg":"RS256","crit":["exp"]}"#, Why::Critical),
            (r#"{"alg":"RS256","crit":[]}"#, Why::Critical),
            (r#"{"alg":"RS256","crit":null}"#, Why::Critical),
            (r#"{"alg":"RS256","alg":"none"}"#, Why::Malformed),
            (r#"{"typ":"JWT"}"#, Why::Malformed),
            ("[]", Why::Malformed),
            (r#"["RS256"]"#, Why::Malformed),
        ] {
            assert_eq!(Assertion::parse(&jws(header)).err(), Some(why), "{header}");
        }
        let four_segments = format!("{}.QUJD", jws(r#"{"alg":"RS256"}"#));
        assert_eq!(Assertion::parse(&four_segments).err(), Some(Why::Malformed));
        assert_eq!(Assertion::parse("").err(), Some(Why::Malformed));
    }

    #[test]
    fn a_text_that_is_no_rsa_certificate_is_refused_for_its_reason() {
        assert!(matches!(AppKey::read(&"A".repeat(4097)), Err(CertificateMistake::TooLarge)));
        assert!(matches!(AppKey::read("hello"), Err(CertificateMistake::Unreadable)));
        let short = include_str!("../../tests/fixtures/keys/certificate-1024.pem");
        assert!(matches!(AppKey::read(short), Err(CertificateMistake::TooShort { bits: 1024 })));
    }
}

use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey;
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use serde::Deserialize;

use crate::base::KeyId;

/// The largest certificate file an app takes, bytes. Salesforce help, "OAuth 2.0 JWT Bearer Flow".
const CERTIFICATE_LIMIT: usize = 4096;

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
    #[serde(default)]
    crit: Option<serde_json::Value>,
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
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = text.split('.');
        let (header, payload, signature) = (segments.next()?, segments.next()?, segments.next()?);
        if segments.next().is_some() {
            return None;
        }
        let head: Header = object(&base64url(header)?)?;
        // RFC 7515 §4.1.11: a critical extension that is not understood makes the JWS invalid; none is understood here.
        if head.alg != "RS256" || head.crit.is_some() {
            return None;
        }
        let claims = object(&base64url(payload)?)?;
        let signature = base64url(signature)?;
        Some(Self { signed: format!("{header}.{payload}"), signature, claims })
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
fn object<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    bytes.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(bytes).ok())?
}

/// Decodes base64url. Padding may be there (some clients pad) but must be right; so must the last bits.
pub(super) fn base64url(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    if bare.len() % 4 == 1 || (padding > 0 && (padding > 2 || !text.len().is_multiple_of(4))) {
        return None;
    }
    let mut out = Vec::with_capacity(bare.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in bare.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (bits == 0).then_some(out)
}

/// Encodes base64url without padding.
pub(super) fn to_base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            out.push(char::from(DIGITS[(word >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_reads_back_and_tolerates_right_padding_only() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37)).collect();
            assert_eq!(base64url(&to_base64url(&bytes)), Some(bytes));
        }
        assert_eq!(base64url("QQ=="), Some(b"A".to_vec()));
        for wrong in ["QQ=", "QQ===", "Q", "QR", "Q+8", "Q Q", "QQ==QQ", "=", "===="] {
            assert_eq!(base64url(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_header_with_another_algorithm_or_a_critical_extension_is_no_assertion() {
        let jws = |header: &str| format!("{}.{}.QUJD", to_base64url(header.as_bytes()), to_base64url(b"{}"));
        assert!(Assertion::parse(&jws(r#"{"alg":"RS256"}"#)).is_some());
        assert!(Assertion::parse(&jws(r#"{"alg":"RS256","typ":"JWT","kid":"x"}"#)).is_some());
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"rs256"}"#,
            r#"{"alg":"RS512"}"#,
            r#"{"alg":"RS256","crit":["exp"]}"#,
            r#"{"alg":"RS256","crit":[]}"#,
            r#"{"alg":"RS256","alg":"none"}"#,
            r#"{"typ":"JWT"}"#,
            "[]",
            r#"["RS256"]"#,
        ] {
            assert!(Assertion::parse(&jws(header)).is_none(), "{header}");
        }
        assert!(Assertion::parse(&format!("{}.QUJD", jws(r#"{"alg":"RS256"}"#))).is_none());
        assert!(Assertion::parse("").is_none());
    }

    #[test]
    fn a_text_that_is_no_rsa_certificate_is_refused_for_its_reason() {
        assert!(matches!(AppKey::read(&"A".repeat(4097)), Err(CertificateMistake::TooLarge)));
        assert!(matches!(AppKey::read("hello"), Err(CertificateMistake::Unreadable)));
    }
}

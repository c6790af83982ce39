use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;

use super::{SignError, Signer};
use crate::base::{Claims, Secret};

/// Writes and signs an assertion: header, claims and signature in base64url, with dots between.
///
/// The header says `RS256` and `JWT`, no more: Salesforce finds the certificate by `iss`, and a `kid` it does
/// not know is one more way to be refused.
///
/// # Errors
///
/// [`SignError`], with the signer's fault.
///
/// # Source
///
/// RFC 7515 §3.1 (compact serialization), RFC 7523 §3; Salesforce help, "OAuth 2.0 JWT Bearer Flow for
/// Server-to-Server Integration".
pub async fn assertion(claims: &Claims, signer: &dyn Signer) -> Result<Secret<String>, SignError> {
    let mut text = part(&Header::new(Algorithm::RS256))?;
    text.push('.');
    text.push_str(&part(claims)?);
    let signature = signer.sign(text.as_bytes()).await?;
    text.push('.');
    text.push_str(&Base64UrlUnpadded::encode_string(&signature));
    Ok(Secret::new("assertion", text))
}

fn part(value: &impl Serialize) -> Result<String, SignError> {
    let json = serde_json::to_vec(value).map_err(|error| SignError::Claims(error.into()))?;
    Ok(Base64UrlUnpadded::encode_string(&json))
}

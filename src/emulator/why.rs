use serde::Serialize;

/// Why an assertion was refused, finer than the org tells its sender. For judges who must know that a forgery failed
/// by its own fault; it stands in the log alone, and holds nothing of the assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Why {
    /// Not three segments of base64url around JSON objects.
    Malformed,
    /// The header names another algorithm than RS256.
    Algorithm,
    /// The header has critical extensions, and none is understood here.
    Critical,
    /// `iss` is no app of this org.
    Issuer,
    /// The app has no certificate, or one outside its validity where that is checked.
    Certificate,
    /// The app's certificate does not cover the signature.
    Signature,
    /// `exp` is missing, past or too far ahead.
    Expiry,
    /// `aud` is not this org at this place.
    Audience,
    /// `sub` is no user of this org.
    Subject,
    /// The same assertion was there before, and the org takes each once.
    Replay,
}

use std::fmt;

use serde::Serialize;

use super::printable;

/// Salesforce's refusal in its own words: the pair of RFC 6749 §5.2, or a REST error's code and message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OAuthError {
    /// The error code, such as `invalid_grant`.
    pub error: String,
    /// The description, such as `user hasn't approved this consumer`. May be missing.
    #[serde(rename = "error_description")]
    pub description: Option<String>,
}

impl OAuthError {
    /// Longest description that is kept, in characters. Salesforce's own stay below 200.
    pub const MAX_DESCRIPTION: usize = 300;

    /// Takes foreign text in: control characters escaped, length bounded.
    pub fn new(error: &str, description: Option<&str>) -> Self {
        Self {
            error: printable(error, 80),
            description: description.map(|text| printable(text, Self::MAX_DESCRIPTION)),
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.description {
            Some(description) => write!(f, "{}: {description}", self.error),
            None => f.write_str(&self.error),
        }
    }
}

impl std::error::Error for OAuthError {}

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::{InstanceUrl, OrgId, Secret, TokenId, UnixSeconds, UserId, Username};

/// What kind of access token Salesforce gave: the answer to "may SOAP have it, and can its end be read".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// A session id, `00D...!...`: works everywhere; its end is the org's secret.
    Opaque,
    /// A signed JWT: REST only, carries its own `exp`.
    Jwt,
}

/// What came with an access token.
#[derive(Debug)]
pub struct TokenParts {
    /// The token itself.
    pub value: Secret<String>,
    /// Opaque or JWT.
    pub token_type: TokenType,
    /// The only host it may be sent to.
    pub instance_url: InstanceUrl,
    /// The org that gave it.
    pub org_id: OrgId,
    /// The user it acts for.
    pub user_id: UserId,
    /// The Username it was asked for.
    pub username: Username,
    /// The scopes it carries, as Salesforce listed them.
    pub scope: Vec<String>,
    /// When it was minted, by this machine's wall clock.
    pub minted_at: UnixSeconds,
    /// When it ends, by this machine's wall clock: told by the token itself or by the connection's
    /// `session_timeout_seconds`; `None` where nobody knows. Salesforce's answer never has it.
    pub expires_at: Option<UnixSeconds>,
}

/// An access token: a bearer credential, cheap to clone, and impossible to print.
///
/// # Examples
///
/// A library user sends it like this:
///
/// ```no_run
/// # async fn example(token: sfmint::AccessToken) {
/// let header = token.authorization(); // "Bearer 00D...", a Secret
/// let limits = format!("{}/services/data/v67.0/limits", token.instance_url);
/// # }
/// ```
#[derive(Clone)]
pub struct AccessToken(Arc<TokenParts>);

impl AccessToken {
    /// A token from its parts.
    pub fn new(parts: TokenParts) -> Self {
        Self(Arc::new(parts))
    }

    /// The token's text.
    pub fn expose(&self) -> &str {
        self.0.value.expose()
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> Secret<String> {
        Secret::new("authorization header", format!("Bearer {}", self.expose()))
    }

    /// The name it goes by in logs.
    pub fn id(&self) -> TokenId {
        TokenId::of(self.expose())
    }
}

impl Deref for AccessToken {
    type Target = TokenParts;

    fn deref(&self) -> &TokenParts {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessToken({} for {} at {})", self.id(), self.username, self.instance_url)
    }
}

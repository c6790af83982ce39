use std::time::Duration;

use serde::Serialize;

use super::{Audience, ConsumerKey, UnixSeconds, Username};

/// How long an assertion lives. Seconds.
///
/// Long enough for one token request and its three tries, short because a signed assertion is a bearer
/// credential in flight. Salesforce help, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration"
/// (article remoteaccess_oauth_jwt_flow): within three minutes.
pub const ASSERTION_LIFETIME: Duration = Duration::from_secs(170);

/// What an assertion says: RFC 7523 §3, in the four claims Salesforce reads.
///
/// `iat`, `nbf` and `jti` are left out: Salesforce asks for none of them, and each is one more way for a
/// wrong clock to matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// The consumer key of the app that holds the certificate.
    pub iss: ConsumerKey,
    /// The user the token is for.
    pub sub: Username,
    /// The login host's name as Salesforce knows itself; not always where the request goes.
    pub aud: Audience,
    /// When the assertion ends, by the org's clock.
    pub exp: UnixSeconds,
}

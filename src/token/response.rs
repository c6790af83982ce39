use serde::Deserialize;

use crate::base::{
    InstanceHosts, InstanceUrl, LoginUrl, OAuthError, OrgId, Secret, TokenType, UnixSeconds, UserId,
};

use super::MintError;

/// What the token endpoint gave, checked.
#[derive(Debug)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret<String>,
    /// Opaque or JWT.
    pub token_type: TokenType,
    /// Where it may be used.
    pub instance_url: InstanceUrl,
    /// From the identity URL.
    pub org_id: OrgId,
    /// From the identity URL.
    pub user_id: UserId,
    /// Space-separated in the answer.
    pub scope: Vec<String>,
    /// The org's time at which the token ends, where it says so itself.
    pub exp: Option<UnixSeconds>,
}

/// The fields we read; everything else Salesforce sends (`signature`, `issued_at`, ...) is left alone.
#[derive(Deserialize)]
struct Success {
    access_token: Option<String>,
    instance_url: Option<String>,
    id: Option<String>,
    token_type: Option<String>,
    #[serde(default)]
    scope: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

/// Reads a 200 answer of the token endpoint.
///
/// # Shape
///
/// `body` is JSON as in the protocol reference, §1.3: `access_token`, `instance_url`, `id`, `token_type`
/// (`Bearer`), `scope`. There is no `expires_in`. `instance_url` must be a place that `hosts` allows.
///
/// # Errors
///
/// - [`MintError::NotOAuth`]: not JSON, or not an object (an HTML login page with 200).
/// - [`MintError::Incomplete`]: a field is missing or no token can look like that.
/// - [`MintError::TokenKind`]: DPoP-bound, or a type we do not know.
/// - [`MintError::InstanceUrl`]: the token may not go where it says.
pub fn success(body: &[u8], hosts: &InstanceHosts, login: &LoginUrl) -> Result<TokenResponse, MintError> {
    let answer: Success = serde_json::from_slice(body).map_err(|_| MintError::NotOAuth { status: 200 })?;
    let missing = |field| MintError::Incomplete { why: format!("`{field}` is missing") };

    match answer.token_type.as_deref() {
        Some(kind) if kind.eq_ignore_ascii_case("bearer") => {}
        Some(kind) => return Err(MintError::TokenKind { kind: crate::base::printable(kind, 40) }),
        None => return Err(missing("token_type")),
    }
    let token =
        answer.access_token.filter(|token| !token.is_empty()).ok_or_else(|| missing("access_token"))?;
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if token.len() > 16 * 1024 || !token.bytes().all(fits) {
        return Err(MintError::Incomplete { why: "`access_token` holds what no header can carry".into() });
    }
    let access_token = Secret::new("access token", token);
    let instance_url = answer.instance_url.ok_or_else(|| missing("instance_url"))?;
    let instance_url = InstanceUrl::parse(&instance_url, hosts, login).map_err(MintError::InstanceUrl)?;
    let (org_id, user_id) = identity(&answer.id.ok_or_else(|| missing("id"))?)?;
    let exp = jwt_exp(access_token.expose());
    let token_type =
        if access_token.expose().starts_with("eyJ") { TokenType::Jwt } else { TokenType::Opaque };
    // RFC 6749 §3.3: a scope is printable ASCII without quote and backslash; what else comes is none.
    let scopes = answer.scope.split_ascii_whitespace().filter(|scope| scope.bytes().all(fits));
    let scope = scopes.map(String::from).collect();
    Ok(TokenResponse { access_token, token_type, instance_url, org_id, user_id, scope, exp })
}

/// The last two segments of an identity URL: org id and user id.
fn identity(id: &str) -> Result<(OrgId, UserId), MintError> {
    let bad = || MintError::Incomplete { why: "`id` does not end in an org id and a user id".into() };
    let mut segments = id.trim_end_matches('/').rsplit('/');
    let user = segments.next().and_then(|text| text.parse().ok()).ok_or_else(bad)?;
    let org = segments.next().and_then(|text| text.parse().ok()).ok_or_else(bad)?;
    Ok((org, user))
}

/// The `exp` of a JWT-format access token. Read, not verified: Salesforce is the judge of its own tokens.
fn jwt_exp(token: &str) -> Option<UnixSeconds> {
    #[derive(Deserialize)]
    struct Exp {
        exp: i64,
    }
    if !token.starts_with("eyJ") {
        return None;
    }
    let decoded = jsonwebtoken::dangerous::insecure_decode::<Exp>(token).ok()?;
    Some(UnixSeconds::new(decoded.claims.exp))
}

/// Reads the body of an answer that is not 200: the pair of RFC 6749 §5.2, if it is one.
pub fn refusal(body: &[u8]) -> Option<OAuthError> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    Some(OAuthError::new(&refusal.error, refusal.error_description.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Explain;

    const GOOD: &str = r#"{"access_token":"00D8d0000000001!AQ4AQ.abc","scope":"api id",
        "instance_url":"https://acme.my.salesforce.com/",
        "id":"https://login.salesforce.com/id/00D8d0000000001EAA/0058d000000001AAAQ","token_type":"Bearer"}"#;

    fn read(body: &str) -> Result<TokenResponse, MintError> {
        let login = "https://acme.my.salesforce.com".parse().unwrap();
        success(body.as_bytes(), &InstanceHosts::default(), &login)
    }

    #[test]
    fn the_documented_answer_is_read() {
        let answer = read(GOOD).unwrap();
        assert_eq!(answer.instance_url.as_str(), "https://acme.my.salesforce.com");
        assert_eq!(answer.org_id.as_str(), "00D8d0000000001EAA");
        assert_eq!(answer.user_id.as_str(), "0058d000000001AAAQ");
        assert_eq!(answer.scope, ["api", "id"]);
        assert_eq!((answer.token_type, answer.exp), (TokenType::Opaque, None));
    }

    // A scope with an escape in it would make the kept record unreadable.
    #[test]
    fn a_scope_that_is_none_is_left_out() {
        let odd = r#"api a\"b c\\d \u001be refresh_token"#;
        let answer = read(&GOOD.replace("api id", odd)).unwrap();
        assert_eq!(answer.scope, ["api", "refresh_token"]);
    }

    #[test]
    fn a_jwt_token_tells_its_own_end() {
        use jsonwebtoken::{EncodingKey, Header, encode};
        let claims = serde_json::json!({ "exp": 1_800_000_000 });
        let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(b"any")).unwrap();
        let answer = read(&GOOD.replace("00D8d0000000001!AQ4AQ.abc", &token)).unwrap();
        assert_eq!((answer.token_type, answer.exp), (TokenType::Jwt, Some(UnixSeconds::new(1_800_000_000))));
    }

    // faults A11
    #[test]
    fn an_answer_that_lacks_something_is_refused_by_name() {
        let cases = [
            ("{}", "mint.incomplete"),
            ("[]", "mint.not_oauth"),
            ("null", "mint.not_oauth"),
            ("", "mint.not_oauth"),
            ("<html>Please log in</html>", "mint.not_oauth"),
            ("{\"access_token\":", "mint.not_oauth"),
            (&GOOD.replace("Bearer", "DPoP"), "mint.token_kind"),
            (&GOOD.replace("Bearer", "mac"), "mint.token_kind"),
            (&GOOD.replace("00D8d0000000001!AQ4AQ.abc", ""), "mint.incomplete"),
            (&GOOD.replace("00D8d0000000001!AQ4AQ.abc", "a\\r\\nX-Evil: 1"), "mint.incomplete"),
            (&GOOD.replace("0058d000000001AAAQ", "me"), "mint.incomplete"),
            (&GOOD.replace("acme.my.salesforce.com/", "evil.example"), "mint.instance_url"),
        ];
        for (body, code) in cases {
            assert_eq!(read(body).unwrap_err().code(), code, "{body}");
        }
        let invalid_utf8 = [b"{\"access_token\":\"\xff\"}".as_slice(), &[b'['; 5000]].concat();
        let login = "https://acme.my.salesforce.com".parse().unwrap();
        let error = success(&invalid_utf8, &InstanceHosts::default(), &login).unwrap_err();
        assert_eq!(error.code(), "mint.not_oauth");
    }

    // faults D6
    #[test]
    fn escape_sequences_in_a_refusal_are_made_visible() {
        let refusal = refusal(br#"{"error":"invalid_grant","error_description":"\u001b[2Jgone"}"#).unwrap();
        assert_eq!(refusal.to_string(), "invalid_grant: \\u{1b}[2Jgone");
    }
}

use super::rest::Reply;
use super::state::Shared;

/// `/services/oauth2/revoke`: ends the session of `token`, given in a form or in the query.
///
/// An error's body is a form here, not JSON, whatever the client accepts.
pub(super) fn revoke(org: &Shared, method: &str, query: &str, body: &[u8]) -> Reply {
    let given = if method == "POST" { body } else { query.as_bytes() };
    let token = url::form_urlencoded::parse(given).find(|(key, _)| key == "token").map(|(_, value)| value);
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return refused("unsupported_token_type", "this token type is not supported");
    };
    let (now, elapsed) = (org.clock.now(), org.clock.elapsed());
    match org.state().sessions.get_mut(&*token) {
        Some(session) if session.is_alive(now, elapsed) => {
            session.killed = true;
            Reply::empty(200)
        }
        _ => refused("invalid_token", "expired or invalid access/refresh token"),
    }
}

fn refused(error: &str, description: &str) -> Reply {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("error", error)
        .append_pair("error_description", description)
        .finish();
    let mut reply = Reply::new(400, "application/x-www-form-urlencoded", body);
    reply.error = Some((error.into(), description.into()));
    reply
}

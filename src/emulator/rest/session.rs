use super::reply::Reply;
use crate::emulator::session::Session;
use crate::emulator::state::{OrgState, Shared};

/// Whose session a request goes by.
#[derive(Clone, Debug)]
pub(in crate::emulator) struct Caller {
    pub session: Session,
    pub user_at: usize,
}

/// The token of an `Authorization: Bearer` header; none where there is no such header.
pub(in crate::emulator) fn bearer(header: Option<&str>) -> Result<Option<&str>, Reply> {
    let Some(header) = header else { return Ok(None) };
    match header.split_once(' ') {
        Some((scheme, token))
            if (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth"))
                && !token.trim().is_empty() =>
        {
            Ok(Some(token.trim()))
        }
        _ => Err(Reply::refused(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")),
    }
}

/// The live session behind a token; it slides on. None for unknown, ended and timed-out ones.
pub(in crate::emulator) fn admit(org: &Shared, state: &mut OrgState, token: &str) -> Option<Caller> {
    let (now, elapsed) = (org.clock.now(), org.clock.elapsed());
    let session = state.sessions.get_mut(token).filter(|session| session.is_alive(now, elapsed))?;
    session.used = elapsed;
    let session = session.clone();
    let user_at = state.users.iter().position(|user| user.is_called(&session.username))?;
    Some(Caller { session, user_at })
}

/// The caller of a REST request, or why there is none: dead session, session unfit for REST, API off, quota spent.
pub(super) fn caller(org: &Shared, state: &mut OrgState, header: Option<&str>) -> Result<Caller, Reply> {
    let dead = || Reply::refused(401, "INVALID_SESSION_ID", "Session expired or invalid");
    let token = bearer(header)?.ok_or_else(dead)?;
    let Some(caller) = admit(org, state, token) else {
        let broken_jwt = token.starts_with("eyJ") && token.split('.').count() != 3;
        return Err(match broken_jwt {
            true => Reply::refused(401, "INVALID_JWT_FORMAT", "Invalid JWT format"),
            false => dead(),
        });
    };
    let user = &state.users[caller.user_at];
    let kept_out = state.rules.api_access_control && !state.holds(user, "UseAnyApiClient");
    if !caller.session.has_scope(&["api", "full"]) || kept_out || caller.session.high_assurance_missing {
        let says = "This session is not valid for use with the REST API";
        return Err(Reply::refused(401, "INVALID_SESSION_ID", says));
    }
    if !user.config.api_enabled {
        let says = "API is not enabled for this Organization or Partner";
        return Err(Reply::refused(403, "API_DISABLED_FOR_ORG", says));
    }
    if !super::limits::count_call(state, org.clock.elapsed()) {
        return Err(Reply::refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
    }
    if state.rules.concurrent_limit_hit {
        let says = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
        return Err(Reply::refused(403, "REQUEST_LIMIT_EXCEEDED", says));
    }
    Ok(caller)
}

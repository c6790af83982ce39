use std::time::Duration;

use serde_json::json;

use super::host::{LOGIN, Place, TEST};
use super::injection::TokenTwist;
use super::session::Session;
use super::state::{OrgState, Shared};
use super::token_endpoint::TokenRequest;
use crate::base::TokenId;

/// How long a JWT-format token lives where the app sets no timeout, seconds.
const JWT_TOKEN_LIFE: u64 = 900;

/// From so many sessions on, dead ones are forgotten when a new one opens; they are answered alike.
const MANY_SESSIONS: usize = 50_000;

/// Opens a session and writes the answer of the protocol reference, section 1.3: no `expires_in`, no `issued_at`.
pub(super) fn mint(
    org: &Shared,
    state: &mut OrgState,
    username: &str,
    key: &str,
    request: &TokenRequest<'_>,
) -> Option<String> {
    let (now, elapsed) = (org.clock.now(), org.clock.elapsed());
    let same_token = matches!(request.twist, Some(TokenTwist::SameToken));
    let shared = (state.rules.several_mints_one_session || same_token)
        .then(|| {
            state.sessions.values().find(|session| {
                session.consumer_key == key
                    && session.username == username
                    && (same_token || session.is_alive(now, elapsed))
            })
        })
        .flatten()
        .map(|session| session.token.clone());
    let token = match shared {
        Some(token) => token,
        None => open_session(org, state, username, key)?,
    };
    if let Some(session) = state.sessions.get_mut(&token)
        && session.is_alive(now, elapsed)
    {
        session.used = elapsed;
    }
    let app = &state.apps.get(key)?.config;
    let user = state.user(username)?;
    let scopes: Vec<&str> =
        app.scopes.iter().map(String::as_str).filter(|scope| *scope != "refresh_token").collect();
    let instance = match request.twist {
        Some(TokenTwist::InstanceUrl { url }) => url.clone(),
        _ if state.rules.rude => format!("{}/", instance_url(org, state, request.place)),
        _ => instance_url(org, state, request.place),
    };
    let token_type = match request.twist {
        Some(TokenTwist::TokenType { token_type }) => token_type.as_str(),
        _ => "Bearer",
    };
    let mut body = json!({
        "access_token": token,
        "scope": scopes.join(" "),
        "instance_url": instance,
        "id": identity_url(org, state, request.place, &user.id),
        "token_type": token_type,
    });
    if app.jwt_tokens {
        body["api_instance_url"] = "https://api.salesforce.com".into();
        body["token_format"] = "jwt".into();
    }
    if state.rules.rude {
        body["sfdc_something_new"] = json!({ "issued": [1, 2, 3] });
    }
    Some(body.to_string())
}

/// Opens a session and returns its token.
pub(super) fn open_session(org: &Shared, state: &mut OrgState, username: &str, key: &str) -> Option<String> {
    let (now, elapsed) = (org.clock.now(), org.clock.elapsed());
    let app = state.apps.get(key)?.config.clone();
    let user_id = state.user(username)?.id.clone();
    let timeout = app.session_timeout_seconds.unwrap_or(state.rules.session_timeout_seconds);
    let (token, ends) = if app.jwt_tokens {
        let life = app.session_timeout_seconds.unwrap_or(JWT_TOKEN_LIFE);
        let ends = now.plus(Duration::from_secs(life));
        let claims = json!({
            "iss": org.own_url, "aud": [org.own_url], "sub": format!("uid:{user_id}"), "client_id": key,
            "scp": app.scopes.join(" "), "sfi": state.token_text(20), "iat": now.get(), "nbf": now.get(), "exp": ends.get(),
        });
        (state.jwt.sign(org.org_id.as_str(), &claims.to_string())?, Some(ends))
    } else {
        (format!("{}!{}", org.org_id.short(), state.token_text(96)), None)
    };
    let session = Session {
        id: TokenId::of(&token),
        token: token.clone(),
        username: username.to_string(),
        consumer_key: key.to_string(),
        scopes: app.scopes,
        used: elapsed,
        timeout: Duration::from_secs(timeout),
        ends,
        high_assurance_missing: app.require_high_assurance,
        killed: false,
    };
    if state.sessions.len() >= MANY_SESSIONS {
        state.sessions.retain(|_, session| session.is_alive(now, elapsed));
    }
    state.sessions.insert(token.clone(), session);
    Some(token)
}

/// The place that was asked, as a URL.
pub(super) fn asked_base(place: &Place) -> String {
    match place {
        Place::MyDomain { base } => base.clone(),
        Place::Login => LOGIN.into(),
        Place::Test => TEST.into(),
    }
}

/// Where the API is: what the configuration says, else the place that was asked, else My Domain.
pub(super) fn instance_url(org: &Shared, state: &OrgState, place: &Place) -> String {
    match (&state.rules.public_url, place, &state.rules.my_domain) {
        (Some(url), ..) => url.trim_end_matches('/').to_string(),
        (None, Place::MyDomain { base }, _) => base.clone(),
        (None, _, Some(host)) => format!("https://{host}"),
        (None, _, None) => org.own_url.clone(),
    }
}

/// Where a user's identity is: what the configuration says, else the place that was asked.
pub(super) fn identity_url(org: &Shared, state: &OrgState, place: &Place, user_id: &str) -> String {
    let base = state.rules.identity_url_base.clone().unwrap_or_else(|| own_base_or_url(org, place));
    format!("{base}/id/{}/{user_id}", org.org_id)
}

fn own_base_or_url(org: &Shared, place: &Place) -> String {
    match place {
        Place::MyDomain { base } if base.starts_with("http://") => org.own_url.clone(),
        _ => asked_base(place),
    }
}

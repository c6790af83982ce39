use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;

use super::app::{AppKind, PermittedUsers};
use super::host::{LOGIN, Place, TEST, shared_host};
use super::injection::TokenTwist;
use super::ip;
use super::log::LoginRow;
use super::refusal::Refusal;
use super::session::Session;
use super::state::{OrgState, Shared};
use super::verify::Assertion;
use crate::base::{TokenId, UnixSeconds};

/// The grant this endpoint knows. RFC 7523 §2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest time `exp` may lie ahead under `strict_exp`, seconds. Salesforce help: within three minutes.
const LONGEST_LIFE: f64 = 180.0;
/// How far clocks may disagree, seconds. Salesforce help: a buffer of three minutes.
const SKEW: f64 = 180.0;
/// How long a JWT-format token lives where the app sets no timeout, seconds.
const JWT_TOKEN_LIFE: u64 = 900;

/// A request to the token endpoint, as far as it matters.
pub(super) struct TokenRequest<'a> {
    pub is_post: bool,
    pub content_type: &'a str,
    pub body: &'a [u8],
    pub place: &'a Place,
    pub from: IpAddr,
    pub twist: Option<&'a TokenTwist>,
}

/// Decides about a token request and writes down what came of it.
pub(super) fn answer(org: &Shared, request: &TokenRequest<'_>) -> Result<String, Refusal> {
    let state = &mut *org.state();
    let mut who = None;
    let outcome = decide(org, state, request, &mut who);
    if let Some(Known { username, user_id, application }) = who {
        let status = match &outcome {
            Ok(_) => "Success".to_string(),
            Err(refusal) => format!("Failed: {}", refusal.description),
        };
        if outcome.is_ok() {
            *state.counters.mints.entry(username).or_default() += 1;
        }
        state.logged_in(LoginRow {
            at: org.clock.now(),
            user_id,
            application,
            source_ip: request.from.to_string(),
            status,
            login_url: asked_base(request.place).trim_start_matches("https://").to_string(),
        });
    }
    outcome
}

/// Who asks, once the signature stands and the user is known.
struct Known {
    username: String,
    user_id: String,
    application: String,
}

fn decide(
    org: &Shared,
    state: &mut OrgState,
    request: &TokenRequest<'_>,
    who: &mut Option<Known>,
) -> Result<String, Refusal> {
    let assertion = read_form(request)?;
    if !state.rules.active {
        return Err(Refusal::inactive_org());
    }
    let assertion = Assertion::parse(&assertion).ok_or_else(Refusal::assertion)?;
    let consumer_key = assertion.claims.iss.clone().ok_or_else(Refusal::unknown_client)?;
    judge_app(state, &consumer_key, &assertion, request.place)?;
    judge_signature(state, &consumer_key, &assertion, org.clock.now(), org.clock.elapsed())?;
    judge_expiry(state, &assertion, org.clock.now())?;
    judge_audience(org, state, &consumer_key, &assertion, request.place)?;

    let prn = assertion.claims.prn.as_deref().filter(|_| state.rules.facts.prn_accepted);
    let subject = prn.or(assertion.claims.sub.as_deref()).ok_or_else(Refusal::not_approved)?;
    let user = state.user(subject).ok_or_else(Refusal::not_approved)?;
    let application = state.apps.get(&consumer_key).map(|app| app.config.name.clone()).unwrap_or_default();
    let known = Known { username: user.config.username.clone(), user_id: user.id.clone(), application };
    let username = known.username.clone();
    *who = Some(known);

    judge_login_rate(state, &username, org.clock.elapsed())?;
    judge_user(state, &username, &consumer_key, request.from, org.clock.now())?;
    judge_scopes(state, &consumer_key)?;
    if !state.rules.facts.replay_accepted && !state.used_assertions.insert(assertion.fingerprint()) {
        return Err(Refusal::assertion());
    }
    mint(org, state, &username, &consumer_key, request)
        .ok_or_else(|| Refusal::new("unknown_error", "retry your request"))
}

fn read_form(request: &TokenRequest<'_>) -> Result<String, Refusal> {
    if !request.is_post {
        return Err(Refusal::method());
    }
    let media_type = request.content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Refusal::grant_type());
    }
    let mut form: HashMap<_, _> = url::form_urlencoded::parse(request.body).into_owned().collect();
    if form.get("grant_type").map(String::as_str) != Some(JWT_BEARER) {
        return Err(Refusal::grant_type());
    }
    form.remove("assertion").filter(|text| !text.is_empty()).ok_or_else(Refusal::no_assertion)
}

fn judge_app(state: &OrgState, key: &str, assertion: &Assertion, place: &Place) -> Result<(), Refusal> {
    let app = state.apps.get(key).ok_or_else(Refusal::unknown_client)?;
    if app.config.kind == AppKind::ExternalClientApp {
        let aud = assertion.claims.aud.as_ref().and_then(|aud| aud.as_str()).unwrap_or_default();
        let shared = [LOGIN, TEST].contains(&aud.trim_end_matches('/'));
        if shared || !matches!(place, Place::MyDomain { .. }) || !app.config.enabled {
            return Err(Refusal::app_not_found());
        }
    } else if !app.config.enabled {
        return Err(Refusal::app_blocked());
    }
    app.config.jwt_flow.then_some(()).ok_or_else(Refusal::no_flow)
}

fn judge_signature(
    state: &mut OrgState,
    key: &str,
    assertion: &Assertion,
    now: UnixSeconds,
    elapsed: Duration,
) -> Result<(), Refusal> {
    let validity_checked = state.rules.facts.certificate_validity_checked;
    let certificate =
        state.apps.get_mut(key).and_then(|app| app.key(elapsed)).ok_or_else(Refusal::assertion)?;
    let lapsed = !(certificate.not_before..=certificate.not_after).contains(&now.get());
    if !assertion.is_signed_by(certificate) || (validity_checked && lapsed) {
        return Err(Refusal::assertion());
    }
    Ok(())
}

/// Lenient about the far end, because real clients send milliseconds; never about the past.
fn judge_expiry(state: &OrgState, assertion: &Assertion, now: UnixSeconds) -> Result<(), Refusal> {
    let ahead = assertion.claims.expires().ok_or_else(Refusal::assertion)? - now.get() as f64;
    let too_far = state.rules.strict_exp && ahead > LONGEST_LIFE + SKEW;
    if ahead < -SKEW || too_far { Err(Refusal::assertion()) } else { Ok(()) }
}

fn judge_audience(
    org: &Shared,
    state: &OrgState,
    key: &str,
    assertion: &Assertion,
    place: &Place,
) -> Result<(), Refusal> {
    let rules = &state.rules;
    let refused = || Err(Refusal::new("invalid_grant", &rules.facts.audience_description));
    let Some(aud) = assertion.claims.aud.as_ref().and_then(|aud| aud.as_str()) else { return refused() };
    let aud = aud.strip_suffix('/').unwrap_or(aud);
    let is_classic = state.apps.get(key).is_some_and(|app| app.config.kind == AppKind::ConnectedApp);
    let at_own_host = matches!(place, Place::MyDomain { .. });
    let is_own = {
        let my_domain = rules.my_domain.as_ref().map(|host| format!("https://{host}"));
        let base = match place {
            Place::MyDomain { base } => Some(base.as_str()),
            _ => None,
        };
        let names = [Some(org.own_url.as_str()), rules.public_url.as_deref(), my_domain.as_deref(), base];
        names.into_iter().flatten().any(|name| name.trim_end_matches('/') == aud)
    };
    if is_classic && rules.government_cloud {
        // simple-salesforce#711: Government Cloud wants My Domain as host and still `login` or `test` as audience.
        let is_right = at_own_host && aud == shared_host(rules);
        return if is_right { Ok(()) } else { Err(Refusal::not_approved()) };
    }
    let asked_at = match place {
        Place::Login => LOGIN,
        Place::Test => TEST,
        Place::MyDomain { .. } => shared_host(rules),
    };
    match is_own || (is_classic && aud == asked_at) {
        false => refused(),
        // The other kind of org's login host knows its own name, and nobody of this org.
        true if asked_at != shared_host(rules) => Err(Refusal::not_approved()),
        true => Ok(()),
    }
}

fn judge_login_rate(state: &mut OrgState, username: &str, elapsed: Duration) -> Result<(), Refusal> {
    let limit = state.rules.login_rate_per_hour as usize;
    let logins = state.logins.entry(username.to_ascii_lowercase()).or_default();
    while logins.front().is_some_and(|at| elapsed.saturating_sub(*at) >= Duration::from_secs(3600)) {
        logins.pop_front();
    }
    if logins.len() >= limit {
        return Err(Refusal::new(&state.rules.facts.login_rate_error, "login rate exceeded"));
    }
    logins.push_back(elapsed);
    Ok(())
}

fn judge_user(
    state: &OrgState,
    username: &str,
    key: &str,
    from: IpAddr,
    now: UnixSeconds,
) -> Result<(), Refusal> {
    let user = state.user(username).ok_or_else(Refusal::not_approved)?;
    let app = &state.apps.get(key).ok_or_else(Refusal::unknown_client)?.config;
    if !user.config.active {
        return Err(Refusal::inactive_user());
    }
    if user.config.frozen {
        return Err(match state.rules.facts.frozen_user_error.as_str() {
            "invalid_grant" => Refusal::new("invalid_grant", "authentication failure"),
            _ => Refusal::inactive_user(),
        });
    }
    match app.permitted_users {
        PermittedUsers::AdminApproved if !state.is_attached(user, &app.permission_sets, &app.profiles) => {
            return Err(Refusal::not_admin_approved());
        }
        PermittedUsers::SelfAuthorize if !user.config.approved_apps.contains(&app.consumer_key) => {
            return Err(Refusal::not_approved());
        }
        _ => {}
    }
    let hours = &user.config.login_hours;
    let in_hours = hours.is_empty() || hours.iter().any(|hours| hours.hold(now.get()));
    let address_fits = ip::allowed(&app.ip_ranges, from) && ip::allowed(&user.config.ip_ranges, from);
    if in_hours && address_fits { Ok(()) } else { Err(Refusal::ip_or_hours()) }
}

fn judge_scopes(state: &OrgState, key: &str) -> Result<(), Refusal> {
    let app = state.apps.get(key).ok_or_else(Refusal::unknown_client)?;
    let refresh = ["refresh_token", "offline_access"];
    if state.rules.facts.refresh_token_scope_required && !app.has_scope(&refresh) {
        return Err(Refusal::refresh_scope());
    }
    let any_other = app.config.scopes.iter().any(|scope| !refresh.contains(&scope.as_str()));
    any_other.then_some(()).ok_or_else(Refusal::no_scope)
}

/// Opens a session and writes the answer of the protocol reference, section 1.3: no `expires_in`, no `issued_at`.
fn mint(
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
    let identity = identity_base(org, state, request.place);
    let mut body = json!({
        "access_token": token,
        "scope": scopes.join(" "),
        "instance_url": instance,
        "id": format!("{identity}/id/{}/{}", org.org_id, user.id),
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

fn open_session(org: &Shared, state: &mut OrgState, username: &str, key: &str) -> Option<String> {
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
    state.sessions.insert(token.clone(), session);
    Some(token)
}

fn asked_base(place: &Place) -> String {
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

fn identity_base(org: &Shared, state: &OrgState, place: &Place) -> String {
    state.rules.identity_url_base.clone().unwrap_or_else(|| own_base_or_url(org, place))
}

fn own_base_or_url(org: &Shared, place: &Place) -> String {
    match place {
        Place::MyDomain { base } if base.starts_with("http://") => org.own_url.clone(),
        _ => asked_base(place),
    }
}

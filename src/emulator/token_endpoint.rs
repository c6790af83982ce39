use std::collections::HashMap;
use std::net::IpAddr;

use super::host::Place;
use super::injection::TokenTwist;
use super::judge;
use super::log::LoginRow;
use super::mint::{asked_base, mint};
use super::refusal::Refusal;
use super::state::{OrgState, Shared};
use super::verify::Assertion;
use super::why::Why;

/// The grant this endpoint knows. RFC 7523 §2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

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
    let assertion = Assertion::parse(&assertion).map_err(|why| Refusal::assertion().because(why))?;
    let no_issuer = || Refusal::unknown_client().because(Why::Issuer);
    let consumer_key = assertion.claims.iss.clone().ok_or_else(no_issuer)?;
    judge::app(state, &consumer_key, &assertion, request.place)?;
    judge::signature(state, &consumer_key, &assertion, org.clock.now(), org.clock.elapsed())?;
    judge::expiry(state, &assertion, org.clock.now())?;
    judge::audience(org, state, &consumer_key, &assertion, request.place)?;

    let prn = assertion.claims.prn.as_deref().filter(|_| state.rules.facts.prn_accepted);
    let no_subject = || Refusal::not_approved().because(Why::Subject);
    let subject = prn.or(assertion.claims.sub.as_deref()).ok_or_else(no_subject)?;
    let user = state.user(subject).ok_or_else(no_subject)?;
    let application = state.apps.get(&consumer_key).map(|app| app.config.name.clone()).unwrap_or_default();
    let known = Known { username: user.config.username.clone(), user_id: user.id.clone(), application };
    let username = known.username.clone();
    *who = Some(known);

    judge::login_rate(state, &username, org.clock.elapsed())?;
    judge::user(state, &username, &consumer_key, request.from, org.clock.now())?;
    judge::scopes(state, &consumer_key)?;
    if !state.rules.facts.replay_accepted && !state.used_assertions.insert(assertion.fingerprint()) {
        return Err(Refusal::assertion().because(Why::Replay));
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
    let mut form = HashMap::new();
    for (name, value) in url::form_urlencoded::parse(request.body).into_owned() {
        // RFC 6749 §3.2: parameters must not be there more than once.
        if form.insert(name, value).is_some() {
            return Err(Refusal::repeated_parameter());
        }
    }
    if form.get("grant_type").map(String::as_str) != Some(JWT_BEARER) {
        return Err(Refusal::grant_type());
    }
    form.remove("assertion").filter(|text| !text.is_empty()).ok_or_else(Refusal::no_assertion)
}

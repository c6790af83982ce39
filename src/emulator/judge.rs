use std::net::IpAddr;
use std::time::Duration;

use super::app::{AppKind, PermittedUsers};
use super::host::{LOGIN, Place, TEST, shared_host};
use super::ip;
use super::refusal::Refusal;
use super::state::{OrgState, Shared};
use super::verify::Assertion;
use super::why::Why;
use crate::base::UnixSeconds;

/// The longest time `exp` may lie ahead under `strict_exp`, seconds. Salesforce help: within three minutes.
const LONGEST_LIFE: f64 = 180.0;
/// How far clocks may disagree, seconds. Salesforce help: a buffer of three minutes.
const SKEW: f64 = 180.0;

/// Whether the app is here, on, and may be addressed at this place.
pub(super) fn app(state: &OrgState, key: &str, assertion: &Assertion, place: &Place) -> Result<(), Refusal> {
    let app = state.apps.get(key).ok_or_else(|| Refusal::unknown_client().because(Why::Issuer))?;
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

/// Whether the app's certificate covers the assertion, as the server that was asked knows it.
pub(super) fn signature(
    state: &mut OrgState,
    key: &str,
    assertion: &Assertion,
    now: UnixSeconds,
    elapsed: Duration,
) -> Result<(), Refusal> {
    let validity_checked = state.rules.facts.certificate_validity_checked;
    let refused = |why| Refusal::assertion().because(why);
    let certificate =
        state.apps.get_mut(key).and_then(|app| app.key(elapsed)).ok_or_else(|| refused(Why::Certificate))?;
    let lapsed = !(certificate.not_before..=certificate.not_after).contains(&now.get());
    if !assertion.is_signed_by(certificate) {
        return Err(refused(Why::Signature));
    }
    if validity_checked && lapsed { Err(refused(Why::Certificate)) } else { Ok(()) }
}

/// Lenient about the far end, because real clients send milliseconds; never about the past.
pub(super) fn expiry(state: &OrgState, assertion: &Assertion, now: UnixSeconds) -> Result<(), Refusal> {
    let refused = || Refusal::assertion().because(Why::Expiry);
    let ahead = assertion.claims.expires().ok_or_else(refused)? - now.get() as f64;
    let too_far = state.rules.strict_exp && ahead > LONGEST_LIFE + SKEW;
    if ahead < -SKEW || too_far { Err(refused()) } else { Ok(()) }
}

/// Whether the audience is this org, as this kind of app may call it at this place.
pub(super) fn audience(
    org: &Shared,
    state: &OrgState,
    key: &str,
    assertion: &Assertion,
    place: &Place,
) -> Result<(), Refusal> {
    let rules = &state.rules;
    let refused =
        || Err(Refusal::new("invalid_grant", &rules.facts.audience_description).because(Why::Audience));
    let not_approved = || Err(Refusal::not_approved().because(Why::Audience));
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
        return if is_right { Ok(()) } else { not_approved() };
    }
    let asked_at = match place {
        Place::Login => LOGIN,
        Place::Test => TEST,
        Place::MyDomain { .. } => shared_host(rules),
    };
    match is_own || (is_classic && aud == asked_at) {
        false => refused(),
        // The other kind of org's login host knows its own name, and nobody of this org.
        true if asked_at != shared_host(rules) => not_approved(),
        true => Ok(()),
    }
}

/// Whether the user has logins left this hour; counts one.
pub(super) fn login_rate(state: &mut OrgState, username: &str, elapsed: Duration) -> Result<(), Refusal> {
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

/// Whether the user may log in, through this app, from here, now.
pub(super) fn user(
    state: &OrgState,
    username: &str,
    key: &str,
    from: IpAddr,
    now: UnixSeconds,
) -> Result<(), Refusal> {
    let user = state.user(username).ok_or_else(|| Refusal::not_approved().because(Why::Subject))?;
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

/// Whether the app's scopes make a token.
pub(super) fn scopes(state: &OrgState, key: &str) -> Result<(), Refusal> {
    let app = state.apps.get(key).ok_or_else(Refusal::unknown_client)?;
    let refresh = ["refresh_token", "offline_access"];
    if state.rules.facts.refresh_token_scope_required && !app.has_scope(&refresh) {
        return Err(Refusal::refresh_scope());
    }
    let any_other = app.config.scopes.iter().any(|scope| !refresh.contains(&scope.as_str()));
    any_other.then_some(()).ok_or_else(Refusal::no_scope)
}

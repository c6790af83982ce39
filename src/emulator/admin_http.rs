use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::admin::Admin;
use super::admin_http_records;
use super::app::AppConfig;
use super::injection::Injection;
use super::permission::Grants;
use super::rest::Reply;
use super::state::AdminMistake;
use crate::base::TokenId;

/// Answers the admin API; [`Admin`] lists its paths.
pub(super) fn answer(admin: &Admin, method: &str, path: &str, body: &[u8]) -> Reply {
    let outcome = match (method, path.trim_start_matches("/_emulator/").trim_end_matches('/')) {
        ("POST", "apps") => put_app(admin, body),
        ("POST", "apps/certificate") => read::<CertificateChange>(body).and_then(|change| {
            let certificate = change.certificate.as_deref();
            done(admin.set_certificate(&change.consumer_key, certificate, change.spreads_for_seconds))
        }),
        ("POST", "apps/remove") => {
            read::<AppName>(body).and_then(|app| done(admin.remove_app(&app.consumer_key)))
        }
        ("POST", "users") => put_user(admin, body),
        ("POST", "permission-sets") => {
            read::<Grants>(body).map(|grants| admin.put_permission_set(grants)).map(nothing)
        }
        ("POST", "profiles") => read::<Grants>(body).map(|grants| admin.put_profile(grants)).map(nothing),
        ("POST", "rules") => put_rules(admin, body),
        ("GET", "rules") => show(&admin.rules()),
        ("POST", "clock") => read::<ClockChange>(body).map(|change| move_clock(admin, &change)),
        ("GET", "clock") => Ok(clock(admin)),
        ("POST", "sessions/open") => read::<Opening>(body).and_then(|opening| {
            let token = admin.open_session(&opening.username, &opening.consumer_key)?;
            Ok(json!({ "access_token": token }))
        }),
        ("POST", "sessions/expire") => read::<Expire>(body).and_then(|expire| expire_sessions(admin, expire)),
        ("GET", "sessions") => show(&admin.sessions()),
        ("GET", "log") => show(&admin.log()),
        ("GET", "counters") => show(&admin.counters()),
        ("GET", "login-history") => show(&admin.login_history()),
        ("POST", "faults") => read::<Injection>(body).map(|injection| admin.inject(injection)).map(nothing),
        ("POST", "faults/clear") => {
            admin.clear_faults();
            Ok(json!({}))
        }
        ("POST", "forget") => {
            admin.forget();
            Ok(json!({}))
        }
        (method, path) => match admin_http_records::answer(admin, method, path, body) {
            Some(outcome) => outcome,
            None => return Reply::not_found(),
        },
    };
    match outcome {
        Ok(value) => Reply::value(&value),
        Err(mistake) => {
            let cause = std::error::Error::source(&mistake).map(ToString::to_string);
            let mut reply = Reply::value(&json!({ "error": mistake.to_string(), "cause": cause }));
            reply.status = 400;
            reply
        }
    }
}

pub(super) type Outcome = Result<Value, AdminMistake>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateChange {
    consumer_key: String,
    certificate: Option<String>,
    #[serde(default)]
    spreads_for_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppName {
    consumer_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    username: String,
    consumer_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    #[serde(default)]
    advance_seconds: u64,
    #[serde(default)]
    skew_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    #[serde(default)]
    all: bool,
    #[serde(default)]
    token_id: Option<TokenId>,
    #[serde(default)]
    username: Option<String>,
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AdminMistake> {
    serde_json::from_slice(body).map_err(AdminMistake::Unreadable)
}

pub(super) fn show<T: Serialize>(what: &T) -> Outcome {
    serde_json::to_value(what).map_err(AdminMistake::Unreadable)
}

pub(super) fn nothing((): ()) -> Value {
    json!({})
}

pub(super) fn done(outcome: Result<(), AdminMistake>) -> Outcome {
    outcome.map(nothing)
}

/// `known` with the keys of `change` put over it. Unknown keys are refused by the type.
fn merged<T: Serialize + DeserializeOwned>(known: &T, change: Value) -> Result<T, AdminMistake> {
    let mut whole = serde_json::to_value(known).map_err(AdminMistake::Unreadable)?;
    lay_over(&mut whole, change);
    serde_json::from_value(whole).map_err(AdminMistake::Unreadable)
}

fn lay_over(whole: &mut Value, change: Value) {
    match (whole, change) {
        (Value::Object(whole), Value::Object(change)) => {
            for (key, value) in change {
                lay_over(whole.entry(key).or_insert(Value::Null), value);
            }
        }
        (whole, change) => *whole = change,
    }
}

fn put_app(admin: &Admin, body: &[u8]) -> Outcome {
    let change: Value = read(body)?;
    let key = change["consumer_key"].as_str().unwrap_or_default().to_string();
    let known = admin.0.state().apps.get(&key).map(|app| app.config.clone());
    let config: AppConfig = merged(&known.clone().unwrap_or_default(), change)?;
    done(match known {
        Some(_) => admin.change_app(&key, |app| *app = config),
        None => admin.put_app(config),
    })
}

fn put_user(admin: &Admin, body: &[u8]) -> Outcome {
    let change: Value = read(body)?;
    let name = change["username"].as_str().unwrap_or_default().to_string();
    let known = admin.0.state().user(&name).map(|user| user.config.clone()).unwrap_or_default();
    done(admin.put_user(merged(&known, change)?))
}

fn put_rules(admin: &Admin, body: &[u8]) -> Outcome {
    let rules = merged(&admin.rules(), read(body)?)?;
    admin.change_rules(|own| *own = rules);
    show(&admin.rules())
}

fn move_clock(admin: &Admin, change: &ClockChange) -> Value {
    admin.advance(Duration::from_secs(change.advance_seconds));
    if let Some(skew) = change.skew_seconds {
        admin.set_clock_skew(skew);
    }
    clock(admin)
}

fn clock(admin: &Admin) -> Value {
    json!({ "now": admin.now().to_string(), "skew_seconds": admin.clock_skew() })
}

fn expire_sessions(admin: &Admin, expire: Expire) -> Outcome {
    let ended = match expire {
        Expire { all: true, .. } => admin.expire_all_sessions(),
        Expire { token_id: Some(token), .. } => admin.expire_session(&token),
        Expire { username: Some(name), .. } => admin.expire_sessions_of(&name),
        _ => return Err(AdminMistake::Missing("one of `all`, `token_id`, `username`")),
    };
    Ok(json!({ "ended": ended }))
}

use serde_json::json;

use super::clock::http_date;
use super::host::Place;
use super::mint::instance_url;
use super::rest::{Reply, admit, bearer};
use super::state::Shared;

/// Scopes that open userinfo and the identity URL.
const SCOPES: [&str; 5] = ["id", "openid", "profile", "email", "full"];

/// Who the identity service says somebody is.
struct Somebody {
    id: String,
    username: String,
    name: String,
    email: String,
    active: bool,
    instance: String,
}

fn somebody(org: &Shared, authorization: Option<&str>, place: &Place) -> Result<Somebody, Reply> {
    let refused = |says: &str| {
        let mut reply = Reply::new(403, "text/html;charset=UTF-8", says.to_string());
        reply.error = Some((says.to_string(), String::new()));
        reply
    };
    let token = bearer(authorization).ok().flatten().ok_or_else(|| refused("Missing_OAuth_Token"))?;
    let state = &mut *org.state();
    let caller = admit(org, state, token).ok_or_else(|| refused("Bad_OAuth_Token"))?;
    if state.rules.facts.identity_needs_scope && !caller.session.has_scope(&SCOPES) {
        return Err(refused("Bad_OAuth_Token"));
    }
    let user = &state.users[caller.user_at];
    Ok(Somebody {
        id: user.id.clone(),
        username: user.config.username.clone(),
        name: user.config.name.clone(),
        email: user.email().to_string(),
        active: user.config.active,
        instance: instance_url(org, state, place),
    })
}

/// `/services/oauth2/userinfo`.
pub(super) fn userinfo(org: &Shared, authorization: Option<&str>, place: &Place) -> Reply {
    let who = match somebody(org, authorization, place) {
        Ok(who) => who,
        Err(refused) => return refused,
    };
    let Somebody { id, username, name, email, active, instance } = who;
    Reply::value(&json!({
        "sub": format!("{instance}/id/{}/{id}", org.org_id), "user_id": id, "organization_id": org.org_id.as_str(),
        "preferred_username": username, "nickname": name, "name": name, "email": email, "email_verified": true,
        "family_name": name, "zoneinfo": "GMT", "active": active, "user_type": "STANDARD", "language": "en_US",
        "locale": "en_US", "utcOffset": 0, "photos": {}, "urls": urls(&instance),
        "updated_at": "2026-01-01T00:00:00Z",
    }))
}

/// The identity URL, `/id/ORG/USER`.
pub(super) fn identity(org: &Shared, path: &str, authorization: Option<&str>, place: &Place) -> Reply {
    let who = match somebody(org, authorization, place) {
        Ok(who) => who,
        Err(refused) => return refused,
    };
    let mut parts = path.trim_start_matches("/id/").split('/');
    let (org_id, user_id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if org_id.get(..15) != Some(org.org_id.short()) {
        return Reply::new(403, "text/html;charset=UTF-8", "Wrong_Org");
    }
    if user_id.get(..15) != who.id.get(..15) {
        return Reply::new(403, "text/html;charset=UTF-8", "Bad_Id");
    }
    let Somebody { id, username, name, email, active, instance } = who;
    Reply::value(&json!({
        "id": format!("{instance}/id/{}/{id}", org.org_id), "asserted_user": true, "user_id": id,
        "organization_id": org.org_id.as_str(), "username": username, "nick_name": name, "display_name": name,
        "email": email, "email_verified": true, "first_name": null, "last_name": name, "timezone": "GMT",
        "active": active, "user_type": "STANDARD", "language": "en_US", "locale": "en_US", "utcOffset": 0,
        "is_app_installed": true, "photos": {}, "urls": urls(&instance),
        "last_modified_date": "2026-01-01T00:00:00Z",
    }))
    .header("last-modified", http_date(crate::base::UnixSeconds::new(1_767_225_600)))
}

fn urls(instance: &str) -> serde_json::Value {
    let at = |path: &str| format!("{instance}/services/data/v{{version}}/{path}");
    json!({
        "rest": at(""), "query": at("query/"), "sobjects": at("sobjects/"), "recent": at("recent/"),
        "custom_domain": instance,
    })
}

use std::net::IpAddr;

use serde_json::json;

use super::admin::Admin;
use super::host::{Place, place};
use super::injection::TokenTwist;
use super::request::Arrived;
use super::rest::{Reply, RestRequest};
use super::state::Shared;
use super::token_endpoint::TokenRequest;
use super::{admin_http, identity, rest, revoke, token_endpoint};

/// Where tokens are.
pub(super) const TOKEN_PATH: &str = "/services/oauth2/token";

/// The page that a host without an org behind it shows.
const NO_ORG: &str = "<html><head><title>Destination URL not reset</title></head><body>Destination URL not reset. \
                      The URL returned from login must be set in the SforceService</body></html>";

/// Sends a request to the part of the org that answers it.
pub(super) fn answer(org: &Shared, request: &Arrived, from: IpAddr, twist: Option<&TokenTwist>) -> Reply {
    let Some(place) = request.host.as_deref().and_then(|host| place(host, &org.state().rules)) else {
        return Reply::new(404, "text/html;charset=UTF-8", NO_ORG);
    };
    let authorization = request.header(&hyper::header::AUTHORIZATION);
    match request.path.as_str() {
        TOKEN_PATH => token(org, request, &place, from, twist),
        "/services/oauth2/revoke" => revoke::revoke(org, &request.method, &request.query, &request.body),
        "/services/oauth2/userinfo" => identity::userinfo(org, authorization, &place),
        path if path.starts_with("/id/") => identity::identity(org, path, authorization, &place),
        path if path == "/services/data" || path.starts_with("/services/data/") => {
            // login.salesforce.com has no data: tokens are used at the instance.
            if !matches!(place, Place::MyDomain { .. }) {
                return Reply::new(404, "text/html;charset=UTF-8", NO_ORG);
            }
            rest::answer(
                org,
                &RestRequest {
                    method: &request.method,
                    place: &place,
                    path,
                    query: &request.query,
                    authorization,
                    query_options: request.named("sforce-query-options"),
                    if_modified_since: request.header(&hyper::header::IF_MODIFIED_SINCE),
                    accept_encoding: request.header(&hyper::header::ACCEPT_ENCODING),
                    content_type: request.header(&hyper::header::CONTENT_TYPE),
                    body: &request.body,
                },
            )
        }
        _ => Reply::not_found(),
    }
}

fn token(org: &Shared, request: &Arrived, place: &Place, from: IpAddr, twist: Option<&TokenTwist>) -> Reply {
    let outcome = token_endpoint::answer(
        org,
        &TokenRequest {
            is_post: request.method == "POST",
            content_type: request.header(&hyper::header::CONTENT_TYPE).unwrap_or_default(),
            body: &request.body,
            place,
            from,
            twist,
        },
    );
    let state = &mut *org.state();
    let reply = match outcome {
        Ok(body) => {
            *state.counters.token_outcomes.entry("minted".into()).or_default() += 1;
            Reply::json(body)
        }
        Err(refusal) => {
            let outcome = format!("{}: {}", refusal.error, refusal.description);
            *state.counters.token_outcomes.entry(outcome).or_default() += 1;
            let shouts = state.rules.rude && state.counters.token_posts.is_multiple_of(2);
            let description =
                if shouts { refusal.description.to_uppercase() } else { refusal.description.clone() };
            let body = json!({ "error": refusal.error, "error_description": description });
            let mut reply = Reply::value(&body);
            reply.status = 400;
            reply.error = Some((refusal.error, description));
            reply.why = refusal.why;
            reply
        }
    };
    reply.header("cache-control", "no-store").header("pragma", "no-cache")
}

/// The admin API, for callers on this machine that are no web page.
pub(super) fn administer(admin: &Admin, request: &Arrived) -> Reply {
    let rules = admin.rules();
    let on_loopback = request.host.as_deref().is_some_and(
        |host| matches!(place(host, &rules), Some(Place::MyDomain { base }) if base.starts_with("http:")),
    );
    if !on_loopback || request.header(&hyper::header::ORIGIN).is_some() {
        return Reply::empty(403);
    }
    admin_http::answer(admin, &request.method, &request.path, &request.body)
}

use std::sync::Arc;

use hyper::body::Bytes;

use super::reply::Reply;
use super::session::{Caller, caller};
use super::{batch, columns, composite, describe, limits, query, record, replication, versions};
use crate::base::ApiVersion;
use crate::emulator::bulk;
use crate::emulator::host::Place;
use crate::emulator::mint::identity_url;
use crate::emulator::setup_rows;
use crate::emulator::state::Shared;
use crate::emulator::table::Table;

/// A request below `/services/data`.
#[derive(Clone, Copy)]
pub(in crate::emulator) struct RestRequest<'a> {
    pub method: &'a str,
    pub place: &'a Place,
    pub path: &'a str,
    pub query: &'a str,
    pub authorization: Option<&'a str>,
    pub query_options: Option<&'a str>,
    pub if_modified_since: Option<&'a str>,
    pub accept_encoding: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub body: &'a Bytes,
}

impl RestRequest<'_> {
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// Answers a REST request.
pub(in crate::emulator) fn answer(org: &Shared, request: &RestRequest<'_>) -> Reply {
    let path = request.path.trim_end_matches('/');
    let rest = path.strip_prefix("/services/data").unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').skip(1).collect();
    org.state().counters.api_requests += 1;
    if parts.is_empty() && org.state().rules.facts.versions_are_public {
        return versions::list(&org.state().rules);
    }
    // A guard must not live on here: the answer below locks the state again.
    let admitted = caller(org, &mut org.state(), request.authorization);
    let reply = match &admitted {
        Ok(caller) => authenticated(org, caller, request, &parts),
        Err(refused) if refused.status != 403 => return admitted.err().unwrap_or_else(Reply::not_found),
        Err(_) => Reply::empty(403),
    };
    let info = limits::limit_info(&org.state(), admitted.as_ref().ok());
    let reply = admitted.err().unwrap_or(reply);
    reply.header("sforce-limit-info", info)
}

pub(super) fn authenticated(
    org: &Shared,
    caller: &Caller,
    request: &RestRequest<'_>,
    parts: &[&str],
) -> Reply {
    let Some((segment, parts)) = parts.split_first() else {
        return versions::list(&org.state().rules);
    };
    let checked = versions::check(segment, &org.state().rules);
    let version = match checked {
        Ok(version) => version,
        Err(refused) => return refused,
    };
    if let ["jobs", "query", parts @ ..] = parts {
        return bulk::query(org, caller, request, parts, version);
    }
    if let ["jobs", "ingest", parts @ ..] = parts {
        return bulk::ingest(org, caller, request, parts, version);
    }
    match (request.method, parts) {
        (_, ["composite", "sobjects", parts @ ..]) => {
            return composite::collections(org, caller, request, parts);
        }
        ("POST", ["composite", "batch"]) => return batch::batch(org, caller, request),
        _ => {}
    }
    if !["GET", "HEAD"].contains(&request.method) {
        let known = matches!(parts.first(), Some(&("limits" | "query" | "queryAll" | "sobjects")) | None);
        return if known { Reply::wrong_method(request.method) } else { Reply::not_found() };
    }
    let shaped_at = org.state().shaped_at;
    match parts {
        [] => versions::resources(version, &own_identity(org, caller, request.place)),
        ["limits"] => show_limits(org, caller),
        ["sobjects"] => describe::list(&tables(org, caller), version),
        ["sobjects", object] => with_table(org, caller, object, |table| describe::basics(table, version)),
        ["sobjects", object, "describe"] => with_table(org, caller, object, |table| {
            describe::describe(table, version, request.if_modified_since, shaped_at)
        }),
        ["sobjects", object, "updated"] => replication::updated(org, caller, object, request),
        ["sobjects", object, "deleted"] => replication::deleted(org, caller, object, request),
        ["sobjects", object, id] => with_table(org, caller, object, |table| {
            record::record(table, id, request.parameter("fields").as_deref(), version)
        }),
        ["query"] => ask(org, caller, request, false, version),
        ["queryAll"] => ask(org, caller, request, true, version),
        ["query" | "queryAll", locator] => query::next_page(org, caller, locator, version),
        _ => Reply::not_found(),
    }
}

fn own_identity(org: &Shared, caller: &Caller, place: &Place) -> String {
    let state = org.state();
    let user_id = state.users.get(caller.user_at).map(|user| user.id.as_str()).unwrap_or_default();
    identity_url(org, &state, place, user_id)
}

fn show_limits(org: &Shared, caller: &Caller) -> Reply {
    let state = org.state();
    let may = state.users.get(caller.user_at).is_some_and(|user| state.holds(user, "ViewSetup"));
    if state.rules.facts.limits_need_view_setup && !may {
        let says = "You do not have permission to view limits: View Setup and Configuration is required";
        return Reply::refused(403, "INSUFFICIENT_ACCESS", says);
    }
    limits::limits(&state, org.clock.elapsed())
}

fn ask(
    org: &Shared,
    caller: &Caller,
    request: &RestRequest<'_>,
    all_rows: bool,
    version: ApiVersion,
) -> Reply {
    let Some(text) = request.parameter("q") else {
        return Reply::refused(400, "MALFORMED_QUERY", "A query string has to be specified");
    };
    let plan = match query::plan(org, caller, &text, all_rows) {
        Ok(plan) => plan,
        Err(refused) => return refused,
    };
    match request.parameter("columns").as_deref() {
        Some("true") => columns::columns(&plan),
        _ => query::answer(org, caller, plan, query::page_size(request.query_options), version),
    }
}

fn tables(org: &Shared, caller: &Caller) -> Vec<Arc<dyn Table>> {
    let state = org.state();
    let Some(viewer) = state.users.get(caller.user_at) else { return vec![] };
    setup_rows::OBJECTS.iter().filter_map(|name| setup_rows::table(org, &state, viewer, name)).collect()
}

fn with_table(org: &Shared, caller: &Caller, name: &str, show: impl FnOnce(&dyn Table) -> Reply) -> Reply {
    let table = {
        let state = org.state();
        state.users.get(caller.user_at).and_then(|viewer| setup_rows::table(org, &state, viewer, name))
    };
    table.map_or_else(Reply::not_found, |table| show(&*table))
}

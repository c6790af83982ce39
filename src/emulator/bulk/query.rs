use serde_json::Value;

use super::query_job::QueryJob;
use super::state::JobState;
use super::{create, list, result_pages, results};
use crate::base::ApiVersion;
use crate::emulator::rest::{Caller, Reply, RestRequest};
use crate::emulator::state::{OrgState, Shared};

/// Answers below `/jobs/query`; `parts` is what follows that.
pub(in crate::emulator) fn query(
    org: &Shared,
    caller: &Caller,
    request: &RestRequest<'_>,
    parts: &[&str],
    version: ApiVersion,
) -> Reply {
    forget_old_jobs(org);
    match (request.method, parts) {
        ("POST", []) => create::create(org, caller, request.body, version),
        ("GET", []) => list::list(org, caller, request, version),
        ("GET", [id]) => with_job(org, caller, id, |state, job| {
            job.advance(&state.rules.bulk, true, org.clock.now(), org.clock.elapsed());
            Reply::value(&job.whole())
        }),
        ("PATCH", [id]) => with_job(org, caller, id, |state, job| {
            job.advance(&state.rules.bulk, false, org.clock.now(), org.clock.elapsed());
            change(org, job, request.body)
        }),
        ("DELETE", [id]) => delete(org, caller, id),
        ("GET", [id, "results"]) => results::results(org, caller, request, id, version),
        ("GET", [id, "resultPages"]) if version.major() >= 58 => {
            result_pages::result_pages(org, caller, request, id, version)
        }
        ("GET" | "HEAD", _) => Reply::not_found(),
        (method, [] | [_] | [_, "results" | "resultPages"]) => Reply::wrong_method(method),
        _ => Reply::not_found(),
    }
}

/// Does something with a job that the caller may see; 404 where there is none.
pub(super) fn with_job(
    org: &Shared,
    caller: &Caller,
    id: &str,
    deed: impl FnOnce(&mut OrgState, &mut QueryJob) -> Reply,
) -> Reply {
    let state = &mut *org.state();
    let sees_all = state.users.get(caller.user_at).is_some_and(|user| state.holds(user, "ModifyAllData"));
    let found = state.query_jobs.keys().find(|own| *own == id || (id.len() == 15 && own.starts_with(id)));
    let Some(mut job) = found.cloned().and_then(|id| state.query_jobs.remove(&id)) else {
        return Reply::not_found();
    };
    let reply = match sees_all || job.owner.eq_ignore_ascii_case(&caller.session.username) {
        true => deed(state, &mut job),
        false => Reply::not_found(),
    };
    state.query_jobs.insert(job.id.clone(), job);
    reply
}

/// A job and its results are there for seven days.
fn forget_old_jobs(org: &Shared) {
    let elapsed = org.clock.elapsed();
    let state = &mut *org.state();
    let days = state.rules.bulk.keep_days;
    state.query_jobs.retain(|_, job| elapsed.saturating_sub(job.made).as_secs() < days * 86_400);
}

fn change(org: &Shared, job: &mut QueryJob, body: &[u8]) -> Reply {
    let asked: Value = match serde_json::from_slice(body) {
        Ok(asked) => asked,
        Err(error) => return Reply::refused(400, "JSON_PARSER_ERROR", &error.to_string()),
    };
    if asked["state"] != "Aborted" {
        let says = "Only the state Aborted can be set on a query job";
        return Reply::refused(400, "INVALIDREQUEST", says);
    }
    if job.state.is_terminal() {
        return wrong_state(job.state, "abort");
    }
    job.end(JobState::Aborted, None, org.clock.now());
    Reply::value(&job.summary())
}

fn delete(org: &Shared, caller: &Caller, id: &str) -> Reply {
    let mut gone = None;
    let reply = with_job(org, caller, id, |state, job| {
        job.advance(&state.rules.bulk, false, org.clock.now(), org.clock.elapsed());
        if !job.state.is_terminal() {
            return wrong_state(job.state, "delete");
        }
        gone = Some(job.id.clone());
        Reply::empty(204)
    });
    if let Some(id) = gone {
        org.state().query_jobs.remove(&id);
    }
    reply
}

pub(super) fn wrong_state(state: JobState, deed: &str) -> Reply {
    let says = format!("The job is in state {}, in which one cannot {deed}", state.name());
    Reply::refused(400, "INVALIDJOBSTATE", &says)
}

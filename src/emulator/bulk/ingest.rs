use serde_json::{Value, json};

use super::ingest_job::IngestJob;
use super::process::process;
use super::query::wrong_state;
use super::state::JobState;
use super::{ingest_create, ingest_results};
use crate::base::ApiVersion;
use crate::emulator::rest::{Caller, Reply, RestRequest};
use crate::emulator::state::{OrgState, Shared};

/// Answers below `/jobs/ingest`; `parts` is what follows that.
pub(in crate::emulator) fn ingest(
    org: &Shared,
    caller: &Caller,
    request: &RestRequest<'_>,
    parts: &[&str],
    version: ApiVersion,
) -> Reply {
    forget_old_jobs(org);
    match (request.method, parts) {
        ("POST", []) => ingest_create::create(org, caller, request.body, version),
        ("GET", []) => list(org, caller),
        ("GET", [id]) => with_job(org, caller, id, |state, job| {
            advance(org, state, job);
            Reply::value(&job.whole())
        }),
        ("PUT", [id, "batches"]) => with_job(org, caller, id, |state, job| upload(org, state, job, request)),
        ("PATCH", [id]) => with_job(org, caller, id, |state, job| change(org, state, job, request.body)),
        ("DELETE", [id]) => delete(org, caller, id),
        ("GET", [id, which]) => {
            let which = which.to_ascii_lowercase();
            with_job(org, caller, id, |state, job| {
                let shuffled = state.rules.bulk.shuffle_results;
                ingest_results::results(job, &which, shuffled)
            })
        }
        ("HEAD", _) => Reply::not_found(),
        (method, [] | [_] | [_, "batches"]) => Reply::wrong_method(method),
        _ => Reply::not_found(),
    }
}

fn with_job(
    org: &Shared,
    caller: &Caller,
    id: &str,
    deed: impl FnOnce(&mut OrgState, &mut IngestJob) -> Reply,
) -> Reply {
    let state = &mut *org.state();
    let sees_all = state.users.get(caller.user_at).is_some_and(|user| state.holds(user, "ModifyAllData"));
    let found = state.ingest_jobs.keys().find(|own| *own == id || (id.len() == 15 && own.starts_with(id)));
    let Some(mut job) = found.cloned().and_then(|id| state.ingest_jobs.remove(&id)) else {
        return Reply::not_found();
    };
    let reply = match sees_all || job.owner.eq_ignore_ascii_case(&caller.session.username) {
        true => deed(state, &mut job),
        false => Reply::not_found(),
    };
    state.ingest_jobs.insert(job.id.clone(), job);
    reply
}

/// Jobs are there for seven days.
fn forget_old_jobs(org: &Shared) {
    let elapsed = org.clock.elapsed();
    let state = &mut *org.state();
    let days = state.rules.bulk.keep_days;
    state.ingest_jobs.retain(|_, job| elapsed.saturating_sub(job.made).as_secs() < days * 86_400);
}

/// A job that was closed moves on with each GET, and by time. One that is Open does not, however long one asks.
fn advance(org: &Shared, state: &mut OrgState, job: &mut IngestJob) {
    if !matches!(job.state, JobState::UploadComplete | JobState::InProgress) {
        return;
    }
    job.polls += 1;
    let waited = org.clock.now().get() - job.changed.get();
    let rules = &state.rules.bulk;
    if job.polls >= rules.ingest_polls_until_complete || waited >= rules.seconds_until_complete as i64 {
        process(org, state, job, usize::MAX, None);
    } else {
        job.state = JobState::InProgress;
    }
}

fn upload(org: &Shared, state: &mut OrgState, job: &mut IngestJob, request: &RestRequest<'_>) -> Reply {
    let content_type = request.content_type.unwrap_or_default().to_ascii_lowercase();
    if content_type.split(';').next().map(str::trim) != Some("text/csv") {
        let says =
            format!("Content-Type must be text/csv, not {}", crate::base::printable(&content_type, 60));
        return Reply::refused(415, "UNSUPPORTED_MEDIA_TYPE", &says);
    }
    if job.state != JobState::Open {
        return wrong_state(job.state, "upload");
    }
    if job.data.is_some() {
        let says = format!(
            "Found multiple contents for job: <{}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a \
             new Job and make sure you only do 'PUT' once on a given Job.",
            job.id
        );
        return Reply::refused(400, "INVALIDREQUEST", &says);
    }
    if request.body.len() as u64 > state.rules.bulk.ingest_limit_bytes {
        let says = "The uploaded data is larger than 150 MB after base64 encoding";
        return Reply::refused(413, "REQUEST_ENTITY_TOO_LARGE", says);
    }
    job.data = Some(request.body.clone());
    job.changed = org.clock.now();
    Reply::empty(201)
}

fn change(org: &Shared, state: &mut OrgState, job: &mut IngestJob, body: &[u8]) -> Reply {
    let asked: Value = match serde_json::from_slice(body) {
        Ok(asked) => asked,
        Err(error) => return Reply::refused(400, "JSON_PARSER_ERROR", &error.to_string()),
    };
    match asked["state"].as_str() {
        Some("UploadComplete") if job.state == JobState::Open && job.data.is_some() => {
            job.end(JobState::UploadComplete, None, org.clock.now());
            if state.rules.bulk.ingest_polls_until_complete == 0 {
                process(org, state, job, usize::MAX, None);
            }
        }
        Some("UploadComplete") if job.state == JobState::Open => {
            return Reply::refused(
                400,
                "INVALIDJOBSTATE",
                "There is no data to process: nothing was uploaded",
            );
        }
        Some("Aborted") if !job.state.is_terminal() => {
            process(org, state, job, 0, None);
            job.end(JobState::Aborted, None, org.clock.now());
        }
        Some("UploadComplete" | "Aborted") => return wrong_state(job.state, "change it"),
        _ => {
            let says = "Only the states UploadComplete and Aborted can be set on an ingest job";
            return Reply::refused(400, "INVALIDREQUEST", says);
        }
    }
    Reply::value(&job.summary())
}

fn delete(org: &Shared, caller: &Caller, id: &str) -> Reply {
    let mut gone = None;
    let reply = with_job(org, caller, id, |_, job| {
        if !job.state.is_terminal() {
            return wrong_state(job.state, "delete");
        }
        gone = Some(job.id.clone());
        Reply::empty(204)
    });
    if let Some(id) = gone {
        org.state().ingest_jobs.remove(&id);
    }
    reply
}

fn list(org: &Shared, caller: &Caller) -> Reply {
    let state = org.state();
    let own =
        state.ingest_jobs.values().filter(|job| job.owner.eq_ignore_ascii_case(&caller.session.username));
    let shown: Vec<Value> = own
        .map(|job| {
            let mut shown = job.summary();
            shown["jobType"] = "V2Ingest".into();
            shown
        })
        .collect();
    Reply::value(&json!({ "done": true, "nextRecordsUrl": null, "records": shown }))
}

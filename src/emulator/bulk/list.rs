use serde_json::{Value, json};

use crate::base::ApiVersion;
use crate::emulator::rest::{Caller, Reply, RestRequest};
use crate::emulator::state::Shared;

/// Jobs a page of the list.
const PAGE: usize = 1000;

/// `GET /jobs/query`: the caller's jobs, the newest last.
pub(super) fn list(org: &Shared, caller: &Caller, request: &RestRequest<'_>, version: ApiVersion) -> Reply {
    let from = request.parameter("queryLocator").and_then(|text| text.parse().ok()).unwrap_or(0);
    let asked = request.parameter("jobType");
    let state = org.state();
    let own: Vec<Value> = state
        .query_jobs
        .values()
        .filter(|job| job.owner.eq_ignore_ascii_case(&caller.session.username))
        .filter(|_| asked.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("V2Query")))
        .map(|job| {
            let mut shown = job.summary();
            shown["jobType"] = "V2Query".into();
            shown
        })
        .collect();
    let done = own.len() <= from + PAGE;
    let next = (!done).then(|| format!("/services/data/v{version}/jobs/query?queryLocator={}", from + PAGE));
    let page: Vec<Value> = own.into_iter().skip(from).take(PAGE).collect();
    Reply::value(&json!({ "done": done, "nextRecordsUrl": next, "records": page }))
}

use serde_json::{Value, json};

use super::locator::PageLocator;
use super::query::with_job;
use super::results::readable;
use crate::base::ApiVersion;
use crate::emulator::rest::{Caller, Reply, RestRequest};
use crate::emulator::state::Shared;

/// Entries an answer has at most. Bulk API 2.0 guide, "Get Parallel Results for a Query Job".
const ENTRIES: u64 = 5;

/// `GET /jobs/query/ID/resultPages`: where the pages are, five at a time, to be read side by side.
pub(super) fn result_pages(
    org: &Shared,
    caller: &Caller,
    request: &RestRequest<'_>,
    id: &str,
    version: ApiVersion,
) -> Reply {
    with_job(org, caller, id, |state, job| {
        job.advance(&state.rules.bulk, false, org.clock.now(), org.clock.elapsed());
        if let Err(refused) = readable(job, version) {
            return refused;
        }
        let size = state.rules.bulk.page_rows.max(1);
        let mut at = match request.parameter("locator") {
            None => PageLocator { page: 1, given: 0, size },
            Some(text) => match PageLocator::read(&text, &job.id) {
                Some(at) => at,
                None => {
                    return Reply::refused(400, "INVALIDREQUEST", "The locator is not valid for this job");
                }
            },
        };
        let root = format!("/services/data/v{version}/jobs/query/{}", job.id);
        let mut pages: Vec<Value> = vec![];
        while pages.len() < ENTRIES as usize && (at.given < job.plan.total || at.page == 1) {
            pages.push(json!({ "resultUrl": format!("{root}/results?locator={}", at.text(&job.id)) }));
            at = PageLocator { page: at.page + 1, given: at.given + at.size, ..at };
        }
        let done = at.given >= job.plan.total;
        let mut body = json!({ "resultPages": pages });
        if !done {
            let name = if state.rules.bulk.next_record_url { "nextRecordUrl" } else { "nextRecordsUrl" };
            body[name] = format!("{root}/resultPages?locator={}", at.text(&job.id)).into();
        }
        body["done"] = done.into();
        Reply::value(&body)
    })
}

use std::time::Duration;

use serde_json::json;

use super::reply::Reply;
use super::session::Caller;
use crate::emulator::bulk::jobs_today;
use crate::emulator::state::OrgState;

/// The time over which API requests are counted. REST API guide: 24 hours, rolling.
const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// How finely calls are kept apart in time, so that a day of them needs little memory.
const GRAIN: Duration = Duration::from_secs(60);

/// Counts one request against the daily limit; false where it was spent already.
pub(super) fn count_call(state: &mut OrgState, elapsed: Duration) -> bool {
    while state.api_calls.front().is_some_and(|(at, _)| elapsed.saturating_sub(*at) >= WINDOW) {
        state.api_calls.pop_front();
    }
    if used(state) >= u64::from(state.rules.daily_api_limit) {
        return false;
    }
    match state.api_calls.back_mut() {
        Some((at, calls)) if elapsed.saturating_sub(*at) < GRAIN => *calls += 1,
        _ => state.api_calls.push_back((elapsed, 1)),
    }
    true
}

fn used(state: &OrgState) -> u64 {
    state.api_calls.iter().map(|(_, calls)| u64::from(*calls)).sum()
}

/// `Sforce-Limit-Info`: what was used of the daily limit.
pub(super) fn limit_info(state: &OrgState, caller: Option<&Caller>) -> String {
    let whole = format!("api-usage={}/{}", used(state), state.rules.daily_api_limit);
    let name =
        caller.and_then(|caller| state.apps.get(&caller.session.consumer_key)).map(|app| &app.config.name);
    match (state.rules.per_app_api_limit, name) {
        (Some(limit), Some(name)) => {
            format!("{whole}; per-app-api-usage={}/{limit}(appName={name})", used(state))
        }
        _ => whole,
    }
}

/// `/limits`.
pub(super) fn limits(state: &OrgState, elapsed: Duration) -> Reply {
    let jobs = state.rules.bulk.daily_query_jobs;
    let max = u64::from(state.rules.daily_api_limit);
    let full = |max: u64| json!({ "Max": max, "Remaining": max });
    Reply::value(&json!({
        "ConcurrentAsyncGetReportInstances": full(200),
        "DailyApiRequests": { "Max": max, "Remaining": max.saturating_sub(used(state)) },
        "DailyAsyncApexExecutions": full(250_000),
        "DailyBulkApiBatches": full(15_000),
        "DailyBulkV2QueryFileStorageMB": full(976_562),
        "DailyBulkV2QueryJobs": { "Max": jobs, "Remaining": jobs.saturating_sub(jobs_today(state, elapsed)) },
        "DataStorageMB": full(1024),
        "FileStorageMB": full(1024),
        "SingleEmail": full(5000),
    }))
}

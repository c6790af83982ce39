use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::dialect::{ColumnDelimiter, Dialect, LineEnding};
use super::lies::told_about;
use super::query_job::QueryJob;
use super::state::JobState;
use crate::base::ApiVersion;
use crate::emulator::ids::record_id;
use crate::emulator::rest::{Caller, Reply, query};
use crate::emulator::soql::{Plan, refused_by_bulk};
use crate::emulator::state::{OrgState, Shared};
use crate::emulator::table::Kind;

/// The time over which jobs are counted.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a job is made from. Bulk API 2.0 guide, "Create a Query Job".
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Asked {
    operation: Operation,
    query: String,
    #[serde(default)]
    content_type: ContentType,
    #[serde(default)]
    column_delimiter: ColumnDelimiter,
    #[serde(default)]
    line_ending: LineEnding,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Operation {
    Query,
    QueryAll,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "UPPERCASE")]
enum ContentType {
    #[default]
    Csv,
}

/// `POST /jobs/query`.
pub(super) fn create(org: &Shared, caller: &Caller, body: &[u8], version: ApiVersion) -> Reply {
    let asked: Asked = match serde_json::from_slice(body) {
        Ok(asked) => asked,
        Err(error) => return Reply::refused(400, "JSON_PARSER_ERROR", &error.to_string()),
    };
    let ContentType::Csv = asked.content_type;
    let all_rows = asked.operation == Operation::QueryAll;
    let plan = match planned(org, caller, &asked.query, all_rows) {
        Ok(plan) => plan,
        Err(refused) => return refused,
    };
    let (now, made) = (org.clock.now(), org.clock.elapsed());
    let state = &mut *org.state();
    if let Err(refused) = count_job(state, made) {
        return refused;
    }
    let lies = told_about(&mut state.lies, plan.table.name());
    let mut job = QueryJob {
        id: record_id("750", state.next_serial()),
        owner: caller.session.username.clone(),
        created_by: state.users.get(caller.user_at).map(|user| user.id.clone()).unwrap_or_default(),
        version,
        all_rows,
        query: asked.query,
        dialect: Dialect { delimiter: asked.column_delimiter, ending: asked.line_ending },
        created: now,
        changed: now,
        made,
        state: JobState::UploadComplete,
        polls: 0,
        error: None,
        marks: BTreeMap::from([(0, plan.start())]),
        plan,
        lies,
        rows_version: state.records.version,
    };
    job.advance(&state.rules.bulk, false, now, made);
    let shown = job.summary();
    state.query_jobs.insert(job.id.clone(), job);
    Reply::value(&shown)
}

/// The query, ready to run, if Bulk takes it.
fn planned(org: &Shared, caller: &Caller, text: &str, all_rows: bool) -> Result<Plan, Reply> {
    refused_by_bulk(text)?;
    let plan = query::plan(org, caller, text, all_rows)?;
    let name = plan.table.name();
    let unsupported = org.state().rules.bulk.unsupported_objects.iter().any(|one| one == name);
    if unsupported {
        return Err(Reply::refused(400, "INVALIDENTITY", &format!("entity {name} does not support query")));
    }
    for column in plan.columns() {
        let refused = |says| Err(Reply::refused(400, "API_ERROR", says));
        match plan.table.fields()[*column].kind {
            Kind::Address => return refused("Selecting compound data not supported in Bulk Query"),
            Kind::Base64 => return refused("Binary fields cannot be selected in Bulk API queries"),
            _ => {}
        }
    }
    Ok(plan)
}

/// Counts one job against the day's.
fn count_job(state: &mut OrgState, elapsed: Duration) -> Result<(), Reply> {
    let limit = state.rules.bulk.daily_query_jobs;
    if jobs_today(state, elapsed) >= limit {
        let says = format!("Max bulk v2 query jobs ({limit}) per 24 hrs has been reached");
        return Err(Reply::refused(400, "LIMIT_EXCEEDED", &says));
    }
    state.query_jobs_made.push_back(elapsed);
    Ok(())
}

/// How many query jobs were made in the last 24 hours.
pub(in crate::emulator) fn jobs_today(state: &OrgState, elapsed: Duration) -> u64 {
    state.query_jobs_made.iter().filter(|made| elapsed.saturating_sub(**made) < DAY).count() as u64
}

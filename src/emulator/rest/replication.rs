use serde_json::{Value, json};

use super::answer::RestRequest;
use super::query;
use super::reply::Reply;
use super::session::Caller;
use crate::base::UnixSeconds;
use crate::emulator::records::{ObjectView, view};
use crate::emulator::state::Shared;
use crate::emulator::table::{Table, show_time};

/// Ids an answer holds at most. SOAP API guide, "getUpdated()".
const MOST: usize = 600_000;
/// How far back a window may begin, days. SOAP API guide: 30 for getUpdated, 15 for getDeleted.
const UPDATED_DAYS: i64 = 30;
const DELETED_DAYS: i64 = 15;

/// `/sobjects/X/updated/?start=&end=`: ids of records that were added or changed in that time.
pub(super) fn updated(org: &Shared, caller: &Caller, object: &str, request: &RestRequest<'_>) -> Reply {
    let (table, start, end) = match asked(org, caller, object, request, UPDATED_DAYS) {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let soql = format!(
        "SELECT Id FROM {object} WHERE SystemModstamp >= {} AND SystemModstamp < {}",
        UnixSeconds::new(start),
        UnixSeconds::new(end)
    );
    let plan = match query::plan(org, caller, &soql, false) {
        Ok(plan) => plan,
        Err(refused) => return refused,
    };
    let ids: Vec<String> =
        plan.page(plan.start(), plan.total).0.iter().map(|row| id_of(&table, *row)).collect();
    if ids.len() > MOST {
        return Reply::refused(400, "EXCEEDED_ID_LIMIT", "too many ids; choose a shorter time");
    }
    Reply::value(&json!({ "ids": ids, "latestDateCovered": covered(org, end) }))
}

/// `/sobjects/X/deleted/?start=&end=`: records that were deleted in that time, also those that are gone for good.
pub(super) fn deleted(org: &Shared, caller: &Caller, object: &str, request: &RestRequest<'_>) -> Reply {
    let (table, start, end) = match asked(org, caller, object, request, DELETED_DAYS) {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let earliest = org.clock.now().get() - DELETED_DAYS * 86_400;
    let records: Vec<Value> = (0..table.len())
        .filter_map(|row| Some((row, table.deleted_at(row)?)))
        .filter(|(_, at)| (start..end).contains(at))
        .map(|(row, at)| json!({ "id": id_of(&table, row), "deletedDate": show_time(at) }))
        .collect();
    Reply::value(&json!({
        "deletedRecords": records, "earliestDateAvailable": show_time(earliest),
        "latestDateCovered": covered(org, end),
    }))
}

/// The object and the window, in whole minutes as the API has it.
fn asked(
    org: &Shared,
    caller: &Caller,
    object: &str,
    request: &RestRequest<'_>,
    days: i64,
) -> Result<(ObjectView, i64, i64), Reply> {
    let table = {
        let state = org.state();
        state.users.get(caller.user_at).and_then(|user| view(org, &state, Some(user), object))
    };
    let table = table.ok_or_else(Reply::not_found)?;
    let time = |name: &str| {
        let text = request.parameter(name).unwrap_or_default();
        let at: Option<UnixSeconds> = text.parse().ok();
        at.map(|at| at.get().div_euclid(60) * 60).ok_or_else(|| {
            let says = format!("{name} is no date: {}", crate::base::printable(&text, 40));
            Reply::refused(400, "INVALID_REPLICATION_DATE", &says)
        })
    };
    let (start, end) = (time("start")?, time("end")?);
    let refused = |says: &str| Err(Reply::refused(400, "INVALID_REPLICATION_DATE", says));
    if end - start < 60 {
        return refused("end must be at least one minute after start");
    }
    if start < org.clock.now().get() - days * 86_400 {
        return refused(&format!("start must be within the last {days} days"));
    }
    Ok((table, start, end))
}

fn covered(org: &Shared, end: i64) -> String {
    show_time(end.min(org.clock.now().get()))
}

fn id_of(table: &ObjectView, row: u64) -> String {
    crate::emulator::ids::record_id(table.key_prefix().unwrap_or_default(), row + 1)
}

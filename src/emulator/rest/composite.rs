use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::RestRequest;
use super::reply::Reply;
use super::session::Caller;
use crate::emulator::records::{Dml, Given, Records, RowDeed, RowError, view};
use crate::emulator::state::{OrgState, Shared};

/// Records a call takes at most. REST API guide, "Using sObject Collections".
const MOST: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Collection {
    #[serde(default)]
    all_or_none: bool,
    records: Vec<Map<String, Value>>,
}

/// `/composite/sobjects`: up to 200 records added, changed or deleted, each with an outcome of its own.
pub(super) fn collections(org: &Shared, caller: &Caller, request: &RestRequest<'_>, parts: &[&str]) -> Reply {
    let (asked, upsert_by) = match (request.method, parts) {
        ("POST", []) | ("PATCH", [] | [_, _]) => match serde_json::from_slice::<Collection>(request.body) {
            Ok(asked) => (asked, parts.get(1).copied()),
            Err(error) => return Reply::refused(400, "JSON_PARSER_ERROR", &error.to_string()),
        },
        ("DELETE", []) => (to_delete(request), None),
        (method, _) => return Reply::wrong_method(method),
    };
    if asked.records.len() > MOST {
        let says = format!("record limit reached. cannot submit more than {MOST} records into this call");
        return Reply::refused(400, "EXCEEDED_ID_LIMIT", &says);
    }
    let state = &mut *org.state();
    let before = state.records.snapshot();
    let outcomes: Vec<Value> = asked
        .records
        .iter()
        .map(|record| one(org, state, caller, request.method, record, upsert_by))
        .collect();
    let any_failed = outcomes.iter().any(|outcome| outcome["success"] == false);
    if !(asked.all_or_none && any_failed) {
        return Reply::value(&Value::Array(outcomes));
    }
    state.records.restore(before);
    let says =
        "Record rolled back because not all records were valid and the request was using AllOrNone header";
    let rolled = outcomes.into_iter().map(|outcome| match outcome["success"] == true {
        true => failure("ALL_OR_NONE_OPERATION_ROLLED_BACK", says, &[]),
        false => outcome,
    });
    Reply::value(&Value::Array(rolled.collect()))
}

fn to_delete(request: &RestRequest<'_>) -> Collection {
    let ids = request.parameter("ids").unwrap_or_default();
    let record = |id: &str| Map::from_iter([("id".to_string(), Value::from(id.trim()))]);
    Collection {
        all_or_none: request.parameter("allOrNone").as_deref() == Some("true"),
        records: ids.split(',').filter(|id| !id.trim().is_empty()).map(record).collect(),
    }
}

fn one(
    org: &Shared,
    state: &mut OrgState,
    caller: &Caller,
    method: &str,
    record: &Map<String, Value>,
    upsert_by: Option<&str>,
) -> Value {
    let id = record.iter().find(|(name, _)| name.eq_ignore_ascii_case("id")).and_then(|(_, id)| id.as_str());
    let named = record.get("attributes").and_then(|attributes| attributes["type"].as_str());
    let by_prefix = match id.and_then(|id| id.get(..3)) {
        Some("001") => Some("Account"),
        Some("003") => Some("Contact"),
        Some("00P") => Some("Attachment"),
        _ => None,
    };
    let viewer = state.users.get(caller.user_at);
    let owner = viewer.map(|user| user.id.clone()).unwrap_or_default();
    let Some(object) = named.or(by_prefix).and_then(Records::name) else {
        let says = format!("sObject type '{}' is not supported.", named.unwrap_or_default());
        return failure("INVALID_TYPE", &says, &[]);
    };
    let Some(table) = view(org, state, viewer, object) else { return failure("INVALID_TYPE", object, &[]) };
    let place = |name: &str| {
        use crate::emulator::table::Table;
        table.fields().iter().position(|field| field.name.eq_ignore_ascii_case(name))
    };
    let mut values = vec![];
    for (name, value) in record.iter().filter(|(name, _)| *name != "attributes") {
        let Some(at) = place(name) else {
            return failure(
                "INVALID_FIELD",
                &format!("No such column '{name}' on sobject of type {object}"),
                &[],
            );
        };
        values.push((at, given(value)));
    }
    let deed = match (method, upsert_by) {
        ("POST", _) => RowDeed::Insert,
        ("DELETE", _) => RowDeed::Delete,
        (_, Some(field)) => match place(field) {
            Some(at) => RowDeed::Upsert(at),
            None => return failure("INVALID_FIELD", &format!("No such column '{field}'"), &[]),
        },
        _ => RowDeed::Update,
    };
    let mut dml = Dml::new(table, deed, &owner, org.clock.now().get());
    match dml.write(state.records.overlay(object), &values) {
        Ok(written) => {
            let mut shown = json!({ "id": dml.id(written.row), "success": true, "errors": [] });
            if upsert_by.is_some() {
                shown["created"] = written.created.into();
            }
            shown
        }
        Err(RowError { code, message, fields, .. }) => failure(code, &message, &fields),
    }
}

/// A JSON value as Bulk would send it.
fn given(value: &Value) -> Given {
    match value {
        Value::Null => Given::Null,
        Value::String(text) if text.is_empty() => Given::Null,
        Value::String(text) => Given::Text(text.clone()),
        other => Given::Text(other.to_string()),
    }
}

fn failure(code: &str, message: &str, fields: &[&str]) -> Value {
    json!({ "success": false, "errors": [{ "statusCode": code, "message": message, "fields": fields }] })
}

use serde_json::{Map, Value};

use crate::api::{ApiError, Client, Request};

use super::follow::Home;
use super::query::Answer;
use super::trail::Trail;

/// Completes the child rows of a row: what did not fit into the page is fetched and put where it belongs.
///
/// A child list that is not `done` names where its rest is. Clients that only read the list lose those rows
/// without a word.
///
/// # Errors
///
/// [`ApiError::RowsDiffer`] where a list ends with another count than it announced, or does not say where it goes on;
/// [`ApiError::PagesRepeat`]; those of the calls, [`ApiError::CursorGone`] among them.
pub(super) async fn complete(
    client: &Client,
    home: &Home,
    row: &mut Map<String, Value>,
) -> Result<(), ApiError> {
    let mut trail = Trail::default();
    while let Some(next) = first_open(row) {
        let next = trail.on(next)?;
        let page: Answer = home.follow(client, Request::get(&next)).await?.read()?;
        let Some(list) = find_open(row, &next) else { return Ok(()) };
        if let Some(Value::Array(records)) = list.get_mut("records") {
            records.extend(page.records.into_iter().map(Value::Object));
        }
        list.shift_remove("nextRecordsUrl");
        match page.next_records_url.filter(|_| !page.done) {
            Some(next) => {
                list.insert("nextRecordsUrl".into(), Value::String(next));
            }
            None => {
                list.insert("done".into(), Value::Bool(page.done));
            }
        }
    }
    Ok(())
}

/// Whether a row has a child list that goes on elsewhere.
pub(super) fn is_open(row: &Map<String, Value>) -> bool {
    first_open(row).is_some()
}

/// Counts a row's child rows, now that all are there.
///
/// # Errors
///
/// [`ApiError::RowsDiffer`] where a list ends with another count than it announced, or does not say where it goes on.
pub(super) fn counted(row: &Map<String, Value>) -> Result<(), ApiError> {
    row.values().try_for_each(count)
}

/// Counts every list below: one that says it goes on and not where, or that ends with another count, is not whole.
fn count(value: &Value) -> Result<(), ApiError> {
    match value {
        Value::Object(fields) => {
            if let (Some(Value::Bool(done)), Some(Value::Array(records))) =
                (fields.get("done"), fields.get("records"))
            {
                let received = records.len() as u64;
                let expected = fields.get("totalSize").and_then(Value::as_u64).unwrap_or(received);
                if !done || expected != received {
                    return Err(ApiError::RowsDiffer { expected, received });
                }
            }
            fields.values().try_for_each(count)
        }
        Value::Array(all) => all.iter().try_for_each(count),
        _ => Ok(()),
    }
}

/// Where the rest of an unfinished list below is.
fn first_open(fields: &Map<String, Value>) -> Option<String> {
    fields.values().find_map(|value| match value {
        Value::Object(inner) => open_url(inner).map(String::from).or_else(|| first_open(inner)),
        Value::Array(all) => all.iter().filter_map(Value::as_object).find_map(first_open),
        _ => None,
    })
}

fn open_url(list: &Map<String, Value>) -> Option<&str> {
    let open =
        list.get("done") == Some(&Value::Bool(false)) && list.get("records").is_some_and(Value::is_array);
    list.get("nextRecordsUrl")?.as_str().filter(|_| open)
}

fn find_open<'a>(fields: &'a mut Map<String, Value>, next: &str) -> Option<&'a mut Map<String, Value>> {
    fields.values_mut().find_map(|value| match value {
        Value::Object(inner) => match open_url(inner) == Some(next) {
            true => Some(inner),
            false => find_open(inner, next),
        },
        Value::Array(all) => {
            all.iter_mut().filter_map(Value::as_object_mut).find_map(|inner| find_open(inner, next))
        }
        _ => None,
    })
}

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{RestRequest, authenticated};
use super::reply::Reply;
use super::session::Caller;
use crate::emulator::content::Chunks;
use crate::emulator::state::Shared;

/// Requests a batch holds at most. REST API guide, "Composite Batch".
const MOST: usize = 25;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Batch {
    batch_requests: Vec<Asked>,
    #[serde(default)]
    halt_on_error: bool,
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    url: String,
}

/// `/composite/batch`: up to 25 requests in one, answered in their order. GET alone is taken.
pub(super) fn batch(org: &Shared, caller: &Caller, request: &RestRequest<'_>) -> Reply {
    let asked: Batch = match serde_json::from_slice(request.body) {
        Ok(asked) => asked,
        Err(error) => return Reply::refused(400, "JSON_PARSER_ERROR", &error.to_string()),
    };
    if asked.batch_requests.len() > MOST {
        let says = format!("The batch has more than {MOST} requests");
        return Reply::refused(400, "LIMIT_EXCEEDED", &says);
    }
    let mut results: Vec<Value> = vec![];
    let mut has_errors = false;
    for one in &asked.batch_requests {
        if has_errors && asked.halt_on_error {
            let says = "Batch processing halted per request";
            results.push(json!({ "statusCode": 412, "result": [{ "errorCode": "BATCH_PROCESSING_HALTED", "message": says }] }));
            continue;
        }
        let (path, query) = one.url.split_once('?').unwrap_or((&one.url, ""));
        let path = path.trim_start_matches('/').trim_start_matches("services/data/");
        let parts: Vec<&str> = path.split('/').collect();
        let is_again = parts.get(1).is_some_and(|part| *part == "composite");
        let reply = match one.method.as_str() {
            "GET" if !is_again => {
                let inner = RestRequest { method: "GET", path, query, if_modified_since: None, ..*request };
                authenticated(org, caller, &inner, &parts)
            }
            method => Reply::wrong_method(method),
        };
        has_errors |= reply.status >= 400;
        let body: Vec<u8> = Chunks::from(reply.body).0.flatten().collect();
        let result: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        results.push(json!({ "statusCode": reply.status, "result": result }));
    }
    Reply::value(&json!({ "hasErrors": has_errors, "results": results }))
}

use serde_json::{Value, json};

use crate::emulator::content::Content;
use crate::emulator::soql::SoqlRefusal;
use crate::emulator::why::Why;

/// An answer, before the server adds `Date` and its like.
#[derive(Debug)]
pub(in crate::emulator) struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Content,
    /// What the log shows where this is a refusal.
    pub error: Option<(String, String)>,
    /// What the log adds where this refuses an assertion.
    pub why: Option<Why>,
}

const JSON: &str = "application/json;charset=UTF-8";

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Content>) -> Self {
        let headers = vec![("content-type", content_type.to_string())];
        Self { status, headers, body: body.into(), error: None, why: None }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: vec![], body: Content::default(), error: None, why: None }
    }

    pub fn json(body: String) -> Self {
        Self::new(200, JSON, body)
    }

    pub fn value(body: &Value) -> Self {
        Self::json(body.to_string())
    }

    /// A REST error: an array of one object.
    pub fn refused(status: u16, code: &str, message: &str) -> Self {
        let body = json!([{ "message": message, "errorCode": code }]).to_string();
        Self { error: Some((code.into(), message.into())), ..Self::new(status, JSON, body) }
    }

    pub fn not_found() -> Self {
        Self::refused(404, "NOT_FOUND", "The requested resource does not exist")
    }

    pub fn wrong_method(method: &str) -> Self {
        let says = format!("HTTP Method '{method}' not allowed. Allowed are HEAD,GET");
        Self::refused(405, "METHOD_NOT_ALLOWED", &says)
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<SoqlRefusal> for Reply {
    fn from(refusal: SoqlRefusal) -> Self {
        // The message quotes the query; the log keeps the complaint alone.
        let complaint = refusal.message.lines().last().unwrap_or_default().to_string();
        let error = Some((refusal.code.to_string(), complaint));
        Self { error, ..Self::refused(400, refusal.code, &refusal.message) }
    }
}

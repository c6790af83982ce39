use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::body::MOST_ANSWER;
use super::{ApiError, Upload};

/// How long Salesforce may take until its answer begins. Seconds.
///
/// A query may run for two minutes before Salesforce itself gives it up (REST API guide, `QUERY_TIMEOUT`); ten
/// more for the way.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(130);

/// Headers that are the client's own: whom the token goes to and how the request is framed.
const OURS: [&str; 7] = [
    "authorization",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "expect",
];

/// One call of the API, its body in memory or readable anew, so that it can be sent again.
///
/// # Examples
///
/// ```
/// use sfmint::api::Request;
///
/// let query = Request::get("/services/data/v67.0/query?q=SELECT+Id+FROM+Account");
/// let made = Request::new("POST".parse()?, "/services/data/v67.0/sobjects/Account")
///     .json(&serde_json::json!({ "Name": "Acme" }));
/// assert!(query.is_safe() && !made.is_safe());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// `/services/...` with its query, or a whole address of the instance host.
    pub path: String,
    /// Headers besides `Authorization`.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How long the answer may take to begin; of a body that is read while it is sent, after its last part went.
    pub patience: Duration,
    /// The most that is read of the answer. Bytes, after decompression.
    pub most_bytes: usize,
    /// Whether the answer may come compressed. It costs time to unpack: on a fast line it is quicker without.
    pub wire_compression: bool,
    /// A body that is not in memory; goes before `body`.
    pub(super) upload: Option<Arc<dyn Upload>>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            patience: ANSWER_TIMEOUT,
            most_bytes: MOST_ANSWER,
            wire_compression: true,
            upload: None,
        }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// The same request with one more header.
    ///
    /// # Errors
    ///
    /// [`ApiError::Header`]: no header can be called or hold that, or it is one that the client sets itself. *Misuse*.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, ApiError> {
        let refuse = |why| ApiError::Header { name: crate::base::printable(name, 60), why };
        if OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
            return Err(refuse("is set by sfmint itself"));
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("is not a header name"))?;
        let value = HeaderValue::from_str(value).map_err(|_| refuse("holds what no header can carry"))?;
        self.headers.append(name, value);
        Ok(self)
    }

    /// The same request with a JSON body.
    pub fn json(self, body: &serde_json::Value) -> Self {
        self.body("application/json", body.to_string().into_bytes())
    }

    /// The same request with a body of a media type.
    pub fn body(mut self, media_type: &'static str, body: Vec<u8>) -> Self {
        self.headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = body;
        self
    }

    /// The same request with a body that is read while it is sent. Its length is announced.
    pub fn upload(mut self, media_type: &'static str, body: Arc<dyn Upload>) -> Self {
        self.headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.upload = Some(body);
        self
    }

    /// The same request, whose answer comes compressed, or as it is.
    pub fn wire_compression(mut self, wanted: bool) -> Self {
        self.wire_compression = wanted;
        self
    }

    /// The same request, given up when the answer has not begun after `patience`.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same request, of whose answer more than `bytes` is not read.
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.most_bytes = bytes;
        self
    }

    /// Whether sending it twice does no more than sending it once would. RFC 9110 §9.2.1.
    pub fn is_safe(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// Whether an answer to it says that the token was good: the list of versions is given to anybody.
    pub(super) fn proves_session(&self) -> bool {
        let path = self.path.split('?').next().unwrap_or_default().trim_end_matches('/');
        !path.ends_with("/services/data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Explain;

    #[test]
    fn nobody_puts_another_token_or_host_on_a_request() {
        for name in ["Authorization", "HOST", "content-length", "Transfer-Encoding", "bad name", "x\r\ny"] {
            let error = Request::get("/services/data").header(name, "1").unwrap_err();
            assert_eq!(error.code(), "api.header", "{name}");
        }
        assert!(Request::get("/").header("x-a", "1\r\nx-b: 2").is_err());
        assert!(Request::get("/").header("Sforce-Query-Options", "batchSize=200").is_ok());
    }

    #[test]
    fn the_list_of_versions_proves_no_session() {
        assert!(!Request::get("/services/data").proves_session());
        assert!(!Request::get("/services/data/?x=1").proves_session());
        assert!(Request::get("/services/data/v67.0/limits").proves_session());
    }
}

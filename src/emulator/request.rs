use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderName;

/// The largest body that is read, bytes; uploads of Bulk API 2.0 apart.
const BODY_LIMIT: usize = 256 * 1024;
/// The largest upload that is read, bytes. What a job takes is less, and said by `rules.bulk`.
const UPLOAD_LIMIT: usize = 256 * 1024 * 1024;
/// The largest body of a composite request or of the admin API, bytes.
const RECORDS_LIMIT: usize = 16 * 1024 * 1024;

/// A request that has arrived whole.
#[derive(Debug)]
pub(super) struct Arrived {
    pub method: String,
    pub host: Option<String>,
    pub path: String,
    pub query: String,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Arrived {
    /// Reads the request to its end; none where the body breaks off or is too large.
    pub async fn read(request: Request<Incoming>) -> Result<Self, Self> {
        let (head, body) = request.into_parts();
        let hosts: Vec<_> = head.headers.get_all(hyper::header::HOST).iter().collect();
        let named = match hosts.as_slice() {
            [one] => one.to_str().ok().map(str::to_string),
            _ => None,
        };
        let mut arrived = Self {
            method: head.method.to_string(),
            host: head.uri.authority().map(ToString::to_string).filter(|_| hosts.len() < 2).or(named),
            path: head.uri.path().to_string(),
            query: head.uri.query().unwrap_or_default().to_string(),
            headers: head.headers,
            body: Bytes::new(),
        };
        let limit = match arrived.path.as_str() {
            path if path.contains("/jobs/ingest/") => UPLOAD_LIMIT,
            path if path.contains("/composite") || path.starts_with("/_emulator/") => RECORDS_LIMIT,
            _ => BODY_LIMIT,
        };
        match Limited::new(body, limit).collect().await {
            Ok(body) => {
                arrived.body = body.to_bytes();
                Ok(arrived)
            }
            Err(_) => Err(arrived),
        }
    }

    /// The value of a header, where it is there once and is text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        all.next().filter(|_| all.next().is_none())?.to_str().ok()
    }

    /// The same, by a name of the org's own.
    pub fn named(&self, name: &'static str) -> Option<&str> {
        self.header(&HeaderName::from_static(name))
    }
}

use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::base::UnixSeconds;
use crate::token::http_date;

use super::{ApiError, Usage, page, verdict};

/// What Salesforce answered, whole: an answer that broke off is none.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// Who answered.
    pub(super) host: String,
}

impl Response {
    /// Who answered.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// A header's text; `None` where it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How much of the org's calls is used, where the answer says.
    pub fn usage(&self) -> Option<Usage> {
        Usage::parse(self.header("sforce-limit-info")?)
    }

    /// The org's clock when it answered, where the answer says.
    pub fn date(&self) -> Option<UnixSeconds> {
        http_date(self.header("date")?)
    }

    /// The answer, if it is one that was asked for: 2xx, and 304 where `If-Modified-Since` was sent.
    ///
    /// # Errors
    ///
    /// The [`ApiError`] that status and body stand for.
    pub fn success(self) -> Result<Self, ApiError> {
        match self.status {
            200..=299 | 304 => Ok(self),
            _ => Err(verdict::refused(&self)),
        }
    }

    /// The body as JSON, keys in the order they came in.
    ///
    /// # Errors
    ///
    /// [`ApiError::NotJson`]: an HTML page, whatever its status, or JSON that is damaged or nested deeper than
    /// 127 levels; [`ApiError::WrongHost`]: the page says that the org is not here. *Misuse*.
    pub fn json(&self) -> Result<Value, ApiError> {
        self.read()
    }

    /// The body as JSON of a known shape.
    ///
    /// # Errors
    ///
    /// [`ApiError::NotJson`], as for [`json`](Self::json), or of another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        if let Some(error) = self.page() {
            return Err(error);
        }
        let not_json =
            |what: String| ApiError::NotJson { host: self.host.clone(), status: self.status, what };
        serde_json::from_slice(&self.body).map_err(|error| {
            // Its text may quote data; where it stopped says enough.
            let place = format!("line {}, column {}", error.line(), error.column());
            not_json(match error.classify() {
                serde_json::error::Category::Eof if self.body.is_empty() => "nothing".into(),
                serde_json::error::Category::Eof => format!("JSON that ends early ({place})"),
                serde_json::error::Category::Data => format!("JSON of another shape than expected ({place})"),
                _ => format!("damaged JSON ({place})"),
            })
        })
    }

    /// What an HTML page stands for, where data should be; `None` where the body is none.
    pub(super) fn page(&self) -> Option<ApiError> {
        let (host, status) = (self.host.clone(), self.status);
        match page::is_html(&self.body) {
            false => None,
            true if page::is_wrong_host(&self.body) => Some(ApiError::WrongHost { host }),
            true => {
                let title = page::title(&self.body).map(|title| format!(" titled `{title}`"));
                Some(ApiError::NotJson {
                    host,
                    status,
                    what: format!("an HTML page{}", title.unwrap_or_default()),
                })
            }
        }
    }

    /// Whether the body is JSON that stops in the middle: an answer without a length, cut off on its way.
    pub(super) fn ends_early(&self) -> bool {
        let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(&self.body);
        !self.body.is_empty() && parsed.is_err_and(|error| error.is_eof())
    }
}

use bytes::Bytes;
use reqwest::header::HeaderMap;

use crate::base::UnixSeconds;
use crate::token::http_date;

use super::body::Paced;
use super::exchange::Exchanged;
use super::{ApiError, Usage};

/// An answer whose body is read as it arrives; see [`Client::open`](super::Client::open).
///
/// What was read of a body that breaks off is not the answer: only the `None` of [`chunk`](Self::chunk) says that it
/// is whole, and that only where the answer had a length. Rows are counted.
#[derive(Debug)]
#[must_use = "the body is still to be read"]
pub struct Streaming {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    first: Bytes,
    rest: Option<Paced<reqwest::Response>>,
    received: u64,
    most: usize,
    host: String,
}

impl Streaming {
    pub(super) fn new(exchanged: Exchanged, most: usize) -> Self {
        let Exchanged { response, rest } = exchanged;
        Self {
            status: response.status,
            headers: response.headers,
            first: response.body.into(),
            rest,
            received: 0,
            most,
            host: response.host,
        }
    }

    /// The next part of the body, decompressed, as large as it arrived; `None` at the end.
    ///
    /// After an error, and after the end, there is no more.
    ///
    /// # Limits
    ///
    /// 60 s of silence, at least 1 KiB a second (the time between two calls does not count),
    /// [`Request::most_bytes`](super::Request::most_bytes) in all.
    ///
    /// # Errors
    ///
    /// - [`ApiError::BrokenOff`]: the connection ended before the body did, or it cannot be decompressed. *Transient*.
    /// - [`ApiError::TooLarge`]. *Misuse*.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        let chunk = match (self.first.is_empty(), &mut self.rest) {
            (false, _) => std::mem::take(&mut self.first),
            (true, None) => return Ok(None),
            (true, Some(rest)) => match rest.next(&self.host).await {
                Ok(Some(chunk)) => chunk,
                ended => {
                    self.rest = None;
                    return ended;
                }
            },
        };
        self.received += chunk.len() as u64;
        if self.received > self.most as u64 {
            self.rest = None;
            return Err(ApiError::TooLarge { limit: self.most });
        }
        Ok(Some(chunk))
    }

    /// A header's text; `None` where it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The org's clock when it answered, where the answer says.
    pub fn date(&self) -> Option<UnixSeconds> {
        http_date(self.header("date")?)
    }

    /// How much of the org's calls is used, where the answer says.
    pub fn usage(&self) -> Option<Usage> {
        Usage::parse(self.header("sforce-limit-info")?)
    }

    /// What was handed out so far. Bytes, after decompression.
    pub fn received(&self) -> u64 {
        self.received
    }
}

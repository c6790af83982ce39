use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::ApiError;

/// The most that is read of an answer unless a request says otherwise. Bytes, after decompression.
///
/// A page holds 2,000 rows at most, and Salesforce makes pages smaller where rows are long; 64 MiB holds the
/// largest and stops a gzip bomb before it hurts.
pub const MOST_ANSWER: usize = 64 * 1024 * 1024;

/// The most that is read of a refusal; the rest of a larger page is left unread. Bytes.
pub const MOST_REFUSAL: usize = 64 * 1024;

/// How long an answer that has begun may be silent. Seconds.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The fewest bytes that must arrive within [`IDLE_TIMEOUT`]: 1 KiB a second.
pub const SLOWEST: usize = 60 * 1024;

/// Where the parts of a body come from; a response, or a test.
pub(super) trait Chunks {
    /// The next part, decompressed; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Box<dyn Error + Send + Sync>>> + Send;
}

impl Chunks for reqwest::Response {
    async fn next(&mut self) -> Result<Option<Bytes>, Box<dyn Error + Send + Sync>> {
        Ok(self.chunk().await.map_err(|error| Box::new(error.without_url()))?)
    }
}

/// A body that may not dawdle: it is given up after [`IDLE_TIMEOUT`] of silence, or when it trickles.
///
/// Only the time spent waiting for it counts: a reader may take as long as it wants between two parts.
#[derive(Debug)]
pub(super) struct Paced<C> {
    chunks: C,
    waited: Duration,
    in_window: usize,
}

impl<C: Chunks> Paced<C> {
    pub fn new(chunks: C) -> Self {
        Self { chunks, waited: Duration::ZERO, in_window: 0 }
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`ApiError::BrokenOff`]: it ended early, cannot be decompressed, fell silent, or trickles. *Transient*.
    pub async fn next(&mut self, host: &str) -> Result<Option<Bytes>, ApiError> {
        let broken =
            |source: Box<dyn Error + Send + Sync>| ApiError::BrokenOff { host: host.to_string(), source };
        let begun = Instant::now();
        let chunk = match timeout_at(begun + IDLE_TIMEOUT, self.chunks.next()).await {
            Err(_) => {
                return Err(broken(format!("nothing arrived for {} seconds", IDLE_TIMEOUT.as_secs()).into()));
            }
            Ok(chunk) => chunk.map_err(broken)?,
        };
        self.waited += begun.elapsed();
        self.in_window += chunk.as_ref().map_or(0, Bytes::len);
        if chunk.is_some() && self.waited >= IDLE_TIMEOUT {
            if self.in_window < SLOWEST {
                return Err(broken("less than 1 KiB a second arrived".into()));
            }
            (self.waited, self.in_window) = (Duration::ZERO, 0);
        }
        Ok(chunk)
    }
}

/// What is read of a body that is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Longer {
    /// Nothing: the answer cannot be used.
    Refuse,
    /// Its beginning: it only says why something was refused.
    Cut,
}

/// Reads a body to its end, or not at all.
///
/// # Errors
///
/// - [`ApiError::BrokenOff`]: as [`Paced::next`] says. *Transient*.
/// - [`ApiError::TooLarge`]. *Misuse*.
pub(super) async fn read(
    chunks: impl Chunks,
    most: usize,
    longer: Longer,
    host: &str,
) -> Result<Vec<u8>, ApiError> {
    let mut chunks = Paced::new(chunks);
    let mut body = Vec::new();
    while let Some(chunk) = chunks.next(host).await? {
        if body.len() + chunk.len() > most {
            return match longer {
                Longer::Refuse => Err(ApiError::TooLarge { limit: most }),
                Longer::Cut => {
                    body.extend_from_slice(&chunk[..most - body.len()]);
                    Ok(body)
                }
            };
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Explain;

    /// Gives `size` bytes every `every`, `times` times.
    struct Drip {
        every: Duration,
        size: usize,
        times: usize,
    }

    impl Chunks for Drip {
        async fn next(&mut self) -> Result<Option<Bytes>, Box<dyn Error + Send + Sync>> {
            tokio::time::sleep(self.every).await;
            let Some(left) = self.times.checked_sub(1) else { return Ok(None) };
            self.times = left;
            Ok(Some(vec![b'x'; self.size].into()))
        }
    }

    async fn drip(seconds: u64, size: usize, times: usize) -> Result<Vec<u8>, ApiError> {
        let chunks = Drip { every: Duration::from_secs(seconds), size, times };
        read(chunks, MOST_ANSWER, Longer::Refuse, "acme.my.salesforce.com").await
    }

    // faults A3
    #[tokio::test(start_paused = true)]
    async fn a_silent_answer_is_given_up_after_a_minute() {
        let started = Instant::now();
        assert_eq!(drip(3600, 10, 10).await.unwrap_err().code(), "api.broken_off");
        assert_eq!(started.elapsed(), IDLE_TIMEOUT);
    }

    // faults A5
    #[tokio::test(start_paused = true)]
    async fn a_trickle_is_given_up_and_a_slow_line_is_not() {
        let started = Instant::now();
        assert_eq!(drip(1, 1, 100_000).await.unwrap_err().code(), "api.broken_off");
        assert_eq!(started.elapsed(), IDLE_TIMEOUT);
        assert_eq!(drip(1, 2048, 300).await.unwrap().len(), 300 * 2048);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_its_time_is_not_held_against_the_answer() {
        let mut chunks = Paced::new(Drip { every: Duration::from_secs(1), size: 1, times: 50 });
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_secs(600)).await;
            assert_eq!(chunks.next("a").await.unwrap().unwrap().len(), 1);
        }
        assert_eq!(chunks.next("a").await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_cut_and_an_answer_is_refused() {
        let drip = || Drip { every: Duration::ZERO, size: 700, times: 1_000_000 };
        assert_eq!(read(drip(), 1_000, Longer::Cut, "a").await.unwrap().len(), 1_000);
        assert_eq!(read(drip(), 1_000, Longer::Refuse, "a").await.unwrap_err().code(), "api.too_large");
    }
}

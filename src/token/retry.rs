use std::time::Duration;

/// When a mint that failed for a passing reason is tried again.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The longest first pause; it doubles from attempt to attempt.
    pub base: Duration,
    /// The longest pause.
    pub cap: Duration,
    /// How long all attempts and pauses may take together; a wait that does not fit is not begun.
    pub total: Duration,
}

impl RetryPolicy {
    /// Three attempts, pauses of up to 1 and 2 s, 30 s in all: long enough for a dropped packet or a restarting
    /// proxy, short enough that a caller with a timeout of its own hears from us first.
    pub fn new(attempts: u32) -> Self {
        Self {
            attempts,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(8),
            total: Duration::from_secs(30),
        }
    }

    /// How long to pause before the next attempt; `None` where there is none.
    ///
    /// # Shape
    ///
    /// `made` attempts were made and took `spent` so far; `asked` is the server's Retry-After; `jitter` is
    /// drawn evenly from `0.0..1.0` ("full jitter": the pause is that share of the exponential bound, so that
    /// a fleet that failed together does not come back together).
    ///
    /// | made | bound of the pause |
    /// |------|--------------------|
    /// | 1    | 1 s                |
    /// | 2    | 2 s                |
    /// | 3    | none left (of 3)   |
    ///
    /// The server's wish is honoured in full, never shortened; where it does not fit in `total`, we stop.
    pub fn pause(
        &self,
        made: u32,
        spent: Duration,
        asked: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        if made >= self.attempts {
            return None;
        }
        let doubled = self.base.saturating_mul(1 << made.saturating_sub(1).min(16));
        let pause = doubled.min(self.cap).mul_f64(jitter.clamp(0.0, 1.0)).max(asked.unwrap_or_default());
        (spent.saturating_add(pause) < self.total).then_some(pause)
    }
}

/// Reads a `Retry-After` header: seconds, or an HTTP date counted from the answer's own `Date`.
///
/// A date in the past is zero; what cannot be read is `None`. RFC 9110 §10.2.3.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sfmint::token::retry_after;
///
/// assert_eq!(retry_after("17", None), Some(Duration::from_secs(17)));
/// ```
pub fn retry_after(header: &str, answered_at: Option<crate::base::UnixSeconds>) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let until = http_date(header)?;
    let wait = until.seconds_since(answered_at?);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// Reads an HTTP date, `Sun, 22 Nov 2026 21:00:00 GMT`. RFC 9110 §5.6.7; the obsolete forms are not read.
pub fn http_date(text: &str) -> Option<crate::base::UnixSeconds> {
    let time = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(crate::base::UnixSeconds::new(time.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn pauses_double_and_end_with_the_attempts() {
        let policy = RetryPolicy::new(3);
        assert_eq!(policy.pause(1, seconds(0), None, 1.0), Some(seconds(1)));
        assert_eq!(policy.pause(2, seconds(2), None, 1.0), Some(seconds(2)));
        assert_eq!(policy.pause(2, seconds(2), None, 0.25), Some(Duration::from_millis(500)));
        assert_eq!(policy.pause(3, seconds(5), None, 1.0), None);
    }

    // faults A6
    #[test]
    fn retry_after_is_honoured_in_full_or_not_at_all() {
        let policy = RetryPolicy::new(3);
        assert_eq!(policy.pause(1, seconds(0), Some(seconds(12)), 0.0), Some(seconds(12)));
        assert_eq!(policy.pause(1, seconds(20), Some(seconds(12)), 0.0), None);
        assert_eq!(policy.pause(1, seconds(0), Some(Duration::MAX), 0.0), None);
    }

    // faults A6: both forms, absurd and negative ones included.
    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = http_date("Sun, 22 Nov 2026 21:00:00 GMT");
        assert_eq!(now.unwrap().to_string(), "2026-11-22T21:00:00Z");
        assert_eq!(retry_after("Sun, 22 Nov 2026 21:00:30 GMT", now), Some(seconds(30)));
        assert_eq!(retry_after("Sun, 22 Nov 2026 20:00:00 GMT", now), Some(seconds(0)));
        assert_eq!(retry_after("999999999999999999999999", None), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(retry_after("-5", now), None);
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("", now), None);
    }
}

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::base::{Clock, UnixSeconds};

/// The org's time: the machine's, moved on by the admin API and off by a skew.
///
/// Ages (sessions, locators, rates) go by `elapsed`, which a skew does not touch.
#[derive(Debug)]
pub(super) struct OrgClock {
    machine: Arc<dyn Clock>,
    advanced: AtomicU64,
    skew: AtomicI64,
}

impl OrgClock {
    pub fn new(machine: Arc<dyn Clock>, skew: i64) -> Self {
        Self { machine, advanced: AtomicU64::new(0), skew: AtomicI64::new(skew) }
    }

    pub fn now(&self) -> UnixSeconds {
        let moved = i64::try_from(self.advanced.load(Ordering::SeqCst)).unwrap_or(i64::MAX);
        self.machine.now().moved(moved.saturating_add(self.skew.load(Ordering::SeqCst)))
    }

    pub fn elapsed(&self) -> Duration {
        self.machine.uptime().saturating_add(Duration::from_secs(self.advanced.load(Ordering::SeqCst)))
    }

    pub fn advance(&self, by: Duration) {
        self.advanced.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    pub fn set_skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::SeqCst);
    }

    pub fn skew(&self) -> i64 {
        self.skew.load(Ordering::SeqCst)
    }
}

/// A moment as HTTP writes it: `Sun, 22 Nov 2026 21:00:00 GMT`.
pub(super) fn http_date(at: UnixSeconds) -> String {
    match jiff::Timestamp::from_second(at.get()) {
        Ok(timestamp) => timestamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        Err(_) => "Thu, 01 Jan 1970 00:00:00 GMT".into(),
    }
}

/// The moment an HTTP date names, where it is one.
pub(super) fn parse_http_date(text: &str) -> Option<UnixSeconds> {
    let civil = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", text.trim()).ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(UnixSeconds::new(zoned.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_read_back_as_they_were_written() {
        let at: UnixSeconds = "2026-11-22T21:00:00Z".parse().unwrap();
        assert_eq!(http_date(at), "Sun, 22 Nov 2026 21:00:00 GMT");
        assert_eq!(parse_http_date(&http_date(at)), Some(at));
        assert_eq!(parse_http_date("yesterday"), None);
    }
}

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment: whole seconds since 1970-01-01T00:00:00Z. Shown as RFC 3339 in UTC.
///
/// # Examples
///
/// ```
/// use sfmint::base::UnixSeconds;
///
/// let start: UnixSeconds = "2026-11-22T21:00:00Z".parse()?;
/// assert_eq!(start.get(), 1_795_381_200);
/// assert_eq!(start.to_string(), "2026-11-22T21:00:00Z");
/// # Ok::<(), sfmint::base::ParseTimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(i64);

impl UnixSeconds {
    /// A moment from its count of seconds.
    pub const fn new(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970, UTC.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// This moment plus `duration`; stays at the end of time where it would overflow.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }

    /// This moment moved by `seconds`, which may be negative.
    pub fn moved(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this moment; negative where `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{} s after 1970", self.0),
        }
    }
}

/// A time that is not RFC 3339.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time such as 2026-11-22T21:00:00Z")]
pub struct ParseTimeError(String);

impl FromStr for UnixSeconds {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let timestamp: jiff::Timestamp =
            text.parse().map_err(|_| ParseTimeError(super::printable(text, 40)))?;
        Ok(Self(timestamp.as_second()))
    }
}

/// Where time comes from. Two kinds are told, because each lies in its own way.
///
/// The wall clock can be set wrong and can step; the uptime cannot, but means nothing after a reboot.
/// Ages are the larger of what both say (see `token::freshness`).
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock.
    fn now(&self) -> UnixSeconds;

    /// Time since the machine started, suspended time included.
    fn uptime(&self) -> Duration;

    /// Names this start of the machine, so that uptimes of two processes can be compared.
    fn boot_id(&self) -> &str;
}

/// A clock that stands still until it is told to move. Tests move 90 days in a microsecond.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sfmint::base::{Clock, ManualClock};
///
/// let clock = ManualClock::at("2026-11-22T21:00:00Z".parse().unwrap());
/// clock.advance(Duration::from_secs(90 * 86_400));
/// assert_eq!(clock.now().to_string(), "2027-02-20T21:00:00Z");
/// ```
#[derive(Debug)]
pub struct ManualClock {
    wall: AtomicI64,
    uptime: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `start`, one hour after the machine started.
    pub fn at(start: UnixSeconds) -> Self {
        Self { wall: AtomicI64::new(start.get()), uptime: AtomicU64::new(3600) }
    }

    /// Time passes: wall clock and uptime move together.
    pub fn advance(&self, by: Duration) {
        self.wall.fetch_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX), Ordering::SeqCst);
        self.uptime.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock; the uptime does not move.
    pub fn step(&self, seconds: i64) {
        self.wall.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixSeconds {
        UnixSeconds(self.wall.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Duration::from_secs(self.uptime.load(Ordering::SeqCst))
    }

    fn boot_id(&self) -> &str {
        "manual"
    }
}

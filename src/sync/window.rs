use std::time::Duration;

use serde::Serialize;

use crate::base::UnixSeconds;

/// The part of time whose changes a run asks for, and where the next one goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Changes from this moment on, itself included; none asks for everything.
    pub low: Option<UnixSeconds>,
    /// Changes before this moment; none sets no bound.
    pub high: Option<UnixSeconds>,
    /// The watermark if the run is complete; none leaves it where it is.
    #[serde(skip)]
    pub next: Option<UnixSeconds>,
}

impl Window {
    /// Everything there is; the next run goes on from `asked_at`.
    pub fn whole(asked_at: UnixSeconds) -> Self {
        Self { low: None, high: None, next: Some(asked_at) }
    }

    /// What changed since `watermark`, by the org's clock.
    ///
    /// Starts `overlap` before the watermark and includes its first second: a transaction gets its stamp when it
    /// writes and is seen when it commits, which may be later than the query that should have found it
    /// (airbyte#27146). An upper bound is set only where `settle` asks for one, since it can cut a transaction in two.
    /// The next watermark is the org's clock before the query was sent, never a value from a row.
    ///
    /// | watermark | overlap | settle | asked at | low   | high  | next  |
    /// |-----------|---------|--------|----------|-------|-------|-------|
    /// | 10:00     | 15 min  | 0      | 11:00    | 09:45 | none  | 11:00 |
    /// | 10:00     | 15 min  | 5 min  | 11:00    | 09:45 | 10:55 | 10:55 |
    ///
    /// A watermark never goes back: with `settle` longer than the time since the last run it stays.
    pub fn since(watermark: UnixSeconds, overlap: Duration, settle: Duration, asked_at: UnixSeconds) -> Self {
        let back =
            |from: UnixSeconds, by: Duration| from.moved(-i64::try_from(by.as_secs()).unwrap_or(i64::MAX));
        let high = (!settle.is_zero()).then(|| back(asked_at, settle));
        let next = high.unwrap_or(asked_at).max(watermark);
        Self { low: Some(back(watermark, overlap)), high, next: Some(next) }
    }

    /// A window that somebody named; the watermark stays where it is.
    pub fn backfill(start: Option<UnixSeconds>, end: Option<UnixSeconds>) -> Self {
        Self { low: start, high: end, next: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(text: &str) -> UnixSeconds {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_starts_before_the_watermark_and_ends_nowhere() {
        let window = Window::since(
            at("2026-01-01T10:00:00Z"),
            15 * MINUTE,
            Duration::ZERO,
            at("2026-01-01T11:00:00Z"),
        );
        assert_eq!(window.low, Some(at("2026-01-01T09:45:00Z")));
        assert_eq!((window.high, window.next), (None, Some(at("2026-01-01T11:00:00Z"))));
    }

    #[test]
    fn a_settled_window_ends_early_and_never_moves_the_watermark_back() {
        let asked = at("2026-01-01T11:00:00Z");
        let window = Window::since(at("2026-01-01T10:00:00Z"), Duration::ZERO, 5 * MINUTE, asked);
        assert_eq!(
            (window.high, window.next),
            (Some(at("2026-01-01T10:55:00Z")), Some(at("2026-01-01T10:55:00Z")))
        );
        let window = Window::since(at("2026-01-01T10:59:00Z"), Duration::ZERO, 5 * MINUTE, asked);
        assert_eq!(window.next, Some(at("2026-01-01T10:59:00Z")));
    }
}

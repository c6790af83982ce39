use std::time::Duration;

use super::{CatchUp, Schedule};
use crate::base::{JobName, UnixSeconds};

/// How late a run may be with `catch_up = "skip"`. Seconds.
///
/// Long enough for a one-shot `sync run --due` that a timer starts once an hour; what is later was missed.
pub const LATEST_WITHOUT_CATCH_UP: Duration = Duration::from_secs(3600);

/// Most missed runs that are counted; where it is this many, there may have been more.
pub const MOST_MISSED: u64 = 1000;

/// A run whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The moment of the schedule that the run is for: the newest of those that are not served.
    pub scheduled_for: UnixSeconds,
    /// How many earlier moments it makes up for; at most [`MOST_MISSED`].
    pub missed: u64,
}

impl Schedule {
    /// Decides whether a job's time has come.
    ///
    /// `last` is when the job's newest run began that counts as served: any but those that are to be tried again, and none
    /// that began after `now`, for then the clock was wrong.
    ///
    /// | since `last`                               | answer                                          |
    /// |--------------------------------------------|-------------------------------------------------|
    /// | the job never ran                          | due at once, for `now`                          |
    /// | no moment of the schedule, or jitter not over | none                                         |
    /// | one                                        | due for it                                      |
    /// | several: the machine was off, a run took long | due once, for the newest; the others are `missed` |
    ///
    /// With `catch_up = "skip"` a moment that is more than [`LATEST_WITHOUT_CATCH_UP`] past is left out.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use sfmint::base::job::{Due, Schedule};
    ///
    /// let mut hourly = Schedule::parse("hourly", "UTC").unwrap();
    /// hourly.jitter = Duration::ZERO;
    /// let at = |text: &str| text.parse().unwrap();
    /// let due = hourly.due(&"accounts".parse().unwrap(), Some(at("2026-11-19T21:00:03Z")), at("2026-11-22T21:20:00Z"));
    /// assert_eq!(due, Some(Due { scheduled_for: at("2026-11-22T21:00:00Z"), missed: 71 }));
    /// ```
    pub fn due(&self, job: &JobName, last: Option<UnixSeconds>, now: UnixSeconds) -> Option<Due> {
        let Some(last) = last else { return Some(Due { scheduled_for: now, missed: 0 }) };
        let delay = self.delay(job);
        let until = now.moved(-seconds(delay));
        let first = self.next_after(last).filter(|first| *first <= until)?;
        let newest = self.newest_until(until, first);
        let late = now.seconds_since(newest) > seconds(delay + LATEST_WITHOUT_CATCH_UP);
        if self.catch_up == CatchUp::Skip && late {
            return None;
        }
        let mut missed = 0;
        let mut moment = Some(first);
        while let Some(at) = moment.filter(|at| *at < newest && missed < MOST_MISSED) {
            missed += 1;
            moment = self.next_after(at);
        }
        Some(Due { scheduled_for: newest, missed })
    }

    /// When the job's next run begins, jitter counted: `now` where it is due.
    pub fn next_start(
        &self,
        job: &JobName,
        last: Option<UnixSeconds>,
        now: UnixSeconds,
    ) -> Option<UnixSeconds> {
        if self.due(job, last, now).is_some() {
            return Some(now);
        }
        let delay = self.delay(job);
        let from = now.moved(-seconds(delay)).max(last.unwrap_or(now));
        Some(self.next_after(from)?.plus(delay))
    }

    /// How long after its moments this job starts: at most [`jitter`](Self::jitter), and always the same for one name, so
    /// that jobs are spread and each keeps its time.
    pub fn delay(&self, job: &JobName) -> Duration {
        // FNV-1a, 64 bits.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = job.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, step);
        Duration::from_secs((hash ^ (hash >> 32)) % (self.jitter.as_secs() + 1))
    }

    /// The newest moment that is not after `until`, known to be `first` or later.
    fn newest_until(&self, until: UnixSeconds, first: UnixSeconds) -> UnixSeconds {
        const DAY: i64 = 86_400;
        let mut newest = first;
        // The smallest stretch that holds one: few steps for a schedule of every minute, and for one of leap years.
        for back in [3_600, DAY, 32 * DAY, 367 * DAY, 9 * 366 * DAY] {
            let mut moment = self.next_after(until.moved(-back));
            while let Some(at) = moment.filter(|at| *at <= until) {
                newest = newest.max(at);
                moment = self.next_after(at);
            }
            if newest > first || until.seconds_since(first) < back {
                break;
            }
        }
        newest
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

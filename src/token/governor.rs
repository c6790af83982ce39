use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::UnixSeconds;

/// The share of the hourly budget that is kept for `doctor` and rotation proofs: 60, or a tenth of a small budget.
pub const RESERVE: u32 = 60;

/// The length of the window in which mints are counted. Seconds.
const WINDOW: i64 = 3600;

/// Who wants to mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimant {
    /// Everyday work.
    Work,
    /// The proofs of a rotation: they may use the reserve.
    Proof,
    /// `doctor`: it may use the reserve too.
    Doctor,
}

/// What the budget says to one more mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allowed,
    /// Go on, and tell somebody: half of the budget is used.
    AllowedAndWarned {
        /// Mints in the last hour, this one not included.
        used: u32,
    },
    /// Not now.
    Spent {
        /// Mints in the last hour.
        used: u32,
        /// How long until the next one is allowed.
        wait: Duration,
    },
}

/// When one user's mints of the last hour were: counted per minute, so that its size has a bound.
///
/// Salesforce refuses every login of a user that has logged in too often in an hour (3,600 is the number
/// commonly quoted), also the logins of people. A tool that mints in a loop must stop long before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintCount {
    /// Minute (seconds since 1970, divided by 60) and mints in it, oldest first.
    minutes: VecDeque<(i64, u32)>,
}

impl MintCount {
    /// Mints in the hour before `now`.
    pub fn used(&self, now: UnixSeconds) -> u32 {
        self.minutes.iter().filter(|(minute, _)| Self::counts(*minute, now)).map(|(_, mints)| mints).sum()
    }

    /// Counts one mint, and forgets what is older than the window.
    pub fn add(&mut self, now: UnixSeconds) {
        self.minutes.retain(|(minute, _)| Self::counts(*minute, now));
        let this = now.get().div_euclid(60);
        match self.minutes.iter_mut().find(|(minute, _)| *minute == this) {
            Some((_, mints)) => *mints = mints.saturating_add(1),
            None => self.minutes.push_back((this, 1)),
        }
    }

    /// Takes back one mint of this minute: it was claimed, and no request left.
    pub fn take_back(&mut self, now: UnixSeconds) {
        let this = now.get().div_euclid(60);
        if let Some((_, mints)) = self.minutes.iter_mut().find(|(minute, _)| *minute == this) {
            *mints = mints.saturating_sub(1);
        }
        self.minutes.retain(|(_, mints)| *mints > 0);
    }

    /// A minute counts until an hour has passed since its end. Minutes ahead of `now` (the clock was set back) count
    /// as well, as long as they are not further away than the window.
    fn counts(minute: i64, now: UnixSeconds) -> bool {
        let age = now.get() - minute * 60;
        (-WINDOW..WINDOW + 60).contains(&age)
    }

    /// Decides whether one more mint is allowed.
    ///
    /// | used                  | work                | proof               |
    /// |-----------------------|---------------------|---------------------|
    /// | `< limit / 2`         | allowed             | allowed             |
    /// | `< limit - reserve`   | allowed, and warned | allowed, and warned |
    /// | `< limit`             | spent               | allowed, and warned |
    /// | `limit ..`            | spent               | spent               |
    pub fn judge(&self, now: UnixSeconds, limit: u32, claimant: Claimant) -> Verdict {
        let used = self.used(now);
        let reserve = RESERVE.min(limit / 10);
        let mine = match claimant {
            Claimant::Work => limit - reserve,
            Claimant::Proof | Claimant::Doctor => limit,
        };
        if used >= mine {
            let oldest = self.minutes.iter().find(|(minute, _)| Self::counts(*minute, now));
            let wait = oldest.map_or(60, |(minute, _)| minute * 60 + WINDOW + 60 - now.get());
            return Verdict::Spent { used, wait: Duration::from_secs(u64::try_from(wait).unwrap_or(60)) };
        }
        if used >= limit / 2 && limit > 1 { Verdict::AllowedAndWarned { used } } else { Verdict::Allowed }
    }
}

/// Refusals in a row, and until when the next question waits.
///
/// The first two are answered by the next question at once: a person is changing settings. From the third on
/// we wait one minute, then two, four, and five at most, so that a job that starts every minute does not fill the org's login history
/// or lock the user out. A changed key or connection begins anew (it has another cache), and `--fresh` asks at once.
///
/// | in a row | pause |
/// |----------|-------|
/// | 1, 2     | none  |
/// | 3        | 60 s  |
/// | 4        | 120 s |
/// | 5        | 240 s |
/// | 6 ..     | 300 s |
pub fn pause_after_refusals(in_a_row: u32) -> Duration {
    match in_a_row {
        0..=2 => Duration::ZERO,
        more => Duration::from_secs(60 << (more - 3).min(3)).min(Duration::from_secs(300)),
    }
}

/// How often a session that worked may be minted anew within a minute before it is a storm.
pub const REMINTS_PER_MINUTE: usize = 3;

/// The shortest pause between two attempts to renew a token that still works. Seconds.
pub const RENEWAL_FLOOR: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    const T0: UnixSeconds = UnixSeconds::new(1_800_000_000);

    fn after(mints: u32) -> MintCount {
        let mut count = MintCount::default();
        (0..mints).for_each(|_| count.add(T0));
        count
    }

    #[test]
    fn half_is_warned_and_the_reserve_is_for_proofs() {
        let judge = |used, claimant| after(used).judge(T0, 600, claimant);
        assert_eq!(judge(299, Claimant::Work), Verdict::Allowed);
        assert_eq!(judge(300, Claimant::Work), Verdict::AllowedAndWarned { used: 300 });
        assert_eq!(judge(539, Claimant::Work), Verdict::AllowedAndWarned { used: 539 });
        assert!(matches!(judge(540, Claimant::Work), Verdict::Spent { used: 540, .. }));
        assert_eq!(judge(540, Claimant::Proof), Verdict::AllowedAndWarned { used: 540 });
        assert!(matches!(judge(600, Claimant::Proof), Verdict::Spent { .. }));
    }

    #[test]
    fn a_budget_of_one_allows_one() {
        assert_eq!(after(0).judge(T0, 1, Claimant::Work), Verdict::Allowed);
        assert!(matches!(after(1).judge(T0, 1, Claimant::Work), Verdict::Spent { .. }));
    }

    #[test]
    fn a_mint_that_was_never_sent_is_taken_back() {
        let mut count = after(2);
        count.take_back(T0);
        assert_eq!(count.used(T0), 1);
        count.take_back(T0);
        count.take_back(T0);
        assert_eq!(count, MintCount::default());
    }

    #[test]
    fn mints_are_forgotten_after_an_hour_and_the_wait_says_when() {
        let count = after(600);
        let Verdict::Spent { wait, .. } = count.judge(T0, 600, Claimant::Work) else { panic!("not spent") };
        assert!(wait.as_secs() > 3540 && wait.as_secs() <= 3660, "{wait:?}");
        assert_eq!(count.judge(T0.plus(wait), 600, Claimant::Work), Verdict::Allowed);
    }

    #[test]
    fn its_size_has_a_bound() {
        let mut count = MintCount::default();
        for second in 0..100_000 {
            count.add(T0.moved(second));
        }
        assert!(count.minutes.len() <= 62, "{}", count.minutes.len());
        assert!((3600..=3660).contains(&count.used(T0.moved(99_999))));
    }

    #[test]
    fn a_clock_set_back_empties_no_budget() {
        let count = after(600);
        assert!(matches!(count.judge(T0.moved(-600), 600, Claimant::Work), Verdict::Spent { .. }));
    }

    #[test]
    fn pauses_after_refusals_grow_to_five_minutes() {
        let pauses: Vec<u64> = (0..=8).map(|n| pause_after_refusals(n).as_secs()).collect();
        assert_eq!(pauses, [0, 0, 0, 60, 120, 240, 300, 300, 300]);
        assert_eq!(pause_after_refusals(u32::MAX).as_secs(), 300);
    }
}

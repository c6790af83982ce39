use std::time::Duration;

use crate::base::{Clock, UnixSeconds};

/// The shortest session timeout an org can set, and so what an unknown life counts as wherever somebody must be told.
///
/// Seconds. Salesforce help, "Modify Session Security Settings": 15 minutes to 24 hours.
pub const SHORTEST_SESSION: Duration = Duration::from_secs(900);

/// The longest session timeout an org can set. Seconds. Same source.
pub const LONGEST_SESSION: Duration = Duration::from_secs(86_400);

/// The session timeouts an administrator can choose. Seconds. Same source.
const SESSION_TIMEOUTS: [u64; 8] = [900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400];

/// How an access token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Used as it is.
    Fresh,
    /// Still good; a new one is minted meanwhile, and a failure to do so is nobody's trouble yet.
    Due,
    /// Not used any more.
    Expired,
}

/// Decides how an access token stands, from its age alone.
///
/// Salesforce's JWT bearer response carries no `expires_in`, so `lifetime` is what is known of it
/// (see [`Lifetime`]). A token is renewed `buffer` before that, in the background, so that callers never
/// wait on an end they could have seen coming.
///
/// | age                            | answer                 |
/// |--------------------------------|------------------------|
/// | `age < lifetime - buffer`      | [`Freshness::Fresh`]   |
/// | `lifetime - buffer ..lifetime` | [`Freshness::Due`]     |
/// | `lifetime ..`                  | [`Freshness::Expired`] |
///
/// A `buffer` longer than a third of `lifetime` is shortened to a third, so that a token of one minute
/// still serves for forty seconds.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sfmint::token::{Freshness, freshness};
///
/// let minutes = |m: u64| Duration::from_secs(60 * m);
/// assert_eq!(freshness(minutes(24), minutes(30), minutes(5)), Freshness::Fresh);
/// assert_eq!(freshness(minutes(26), minutes(30), minutes(5)), Freshness::Due);
/// assert_eq!(freshness(minutes(30), minutes(30), minutes(5)), Freshness::Expired);
/// ```
pub fn freshness(age: Duration, lifetime: Duration, buffer: Duration) -> Freshness {
    if age >= lifetime {
        Freshness::Expired
    } else if age >= lifetime - effective_buffer(lifetime, buffer) {
        Freshness::Due
    } else {
        Freshness::Fresh
    }
}

/// The buffer that is used: as configured, but never more than a third of the life.
pub fn effective_buffer(lifetime: Duration, buffer: Duration) -> Duration {
    buffer.min(lifetime / 3)
}

/// What is known of a token's life, best source first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// A JWT-format token says its own `exp`.
    Told(Duration),
    /// The connection's `session_timeout_seconds`.
    Configured(Duration),
    /// What 401s on this connection have taught: at most this long, and perhaps much shorter.
    Learned(Duration),
    /// Nobody knows; [`SHORTEST_SESSION`] wherever somebody must be told.
    Unknown,
}

impl Lifetime {
    /// The best of the three sources.
    pub fn best(told: Option<Duration>, configured: Option<Duration>, learned: Option<Duration>) -> Self {
        match (told, configured, learned) {
            (Some(told), _, _) => Lifetime::Told(told),
            (None, Some(configured), _) => Lifetime::Configured(configured),
            (None, None, Some(learned)) => Lifetime::Learned(learned),
            (None, None, None) => Lifetime::Unknown,
        }
    }

    /// The life to count with where a dead token would be nobody's to repair: handed to another program.
    pub fn to_count_with(self) -> Duration {
        self.promised().unwrap_or(SHORTEST_SESSION)
    }

    /// The life to count with where a 401 is answered by a new token anyway: our own API calls.
    ///
    /// Only here does a learned life count: a token that has lain longer is dead, one that has not may be.
    pub fn until_refused(self) -> Duration {
        match self {
            Lifetime::Told(life) | Lifetime::Configured(life) | Lifetime::Learned(life) => life,
            Lifetime::Unknown => LONGEST_SESSION,
        }
    }

    /// The life, where somebody who knows has said it: what others may be told.
    pub fn promised(self) -> Option<Duration> {
        match self {
            Lifetime::Told(life) | Lifetime::Configured(life) => Some(life),
            Lifetime::Learned(_) | Lifetime::Unknown => None,
        }
    }
}

/// What a refused session teaches: the longest timeout that fits in the time it lay idle. The real one is not longer.
///
/// It may be shorter, as far down as 15 minutes, so nobody else is told of it. Opaque sessions slide, so the time since
/// the last accepted call is what counts. Shorter than the shortest timeout there is, somebody ended the session, and
/// nothing is learned.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sfmint::token::learned_lifetime;
///
/// assert_eq!(learned_lifetime(Duration::from_secs(3 * 3600)), Some(Duration::from_secs(2 * 3600)));
/// assert_eq!(learned_lifetime(Duration::from_secs(60)), None);
/// ```
pub fn learned_lifetime(idle: Duration) -> Option<Duration> {
    SESSION_TIMEOUTS
        .iter()
        .rev()
        .map(|&seconds| Duration::from_secs(seconds))
        .find(|&timeout| timeout <= idle)
}

/// A moment on both clocks, to tell an age from later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The wall clock.
    pub wall: UnixSeconds,
    /// The uptime, and which start of the machine it counts from.
    pub uptime: Duration,
    /// See [`Clock::boot_id`].
    pub boot_id: String,
}

impl Stamp {
    /// Now.
    pub fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), uptime: clock.uptime(), boot_id: clock.boot_id().to_string() }
    }

    /// The age at `clock`'s now: the larger of what both clocks say.
    ///
    /// A wall clock set back makes nothing younger: the uptime has gone on. After a reboot only the wall clock
    /// is left, and a moment that lies in its future has no age that could be trusted: `None`.
    pub fn age(&self, clock: &dyn Clock) -> Option<Duration> {
        let wall = u64::try_from(clock.now().seconds_since(self.wall)).ok().map(Duration::from_secs);
        let same_boot = !self.boot_id.is_empty() && self.boot_id == clock.boot_id();
        let up = same_boot.then(|| clock.uptime().checked_sub(self.uptime)).flatten();
        wall.max(up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ManualClock;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn tokens_of_one_five_and_fifteen_minutes_are_renewed_at_two_thirds_of_their_life() {
        for life in [60, 300, 900] {
            let (life, buffer) = (seconds(life), seconds(300));
            assert_eq!(freshness(life * 2 / 3 - seconds(1), life, buffer), Freshness::Fresh, "{life:?}");
            assert_eq!(freshness(life * 2 / 3, life, buffer), Freshness::Due, "{life:?}");
            assert_eq!(freshness(life, life, buffer), Freshness::Expired, "{life:?}");
        }
    }

    #[test]
    fn a_long_token_is_renewed_five_minutes_before_its_end() {
        let (life, buffer) = (seconds(7200), seconds(300));
        assert_eq!(freshness(seconds(6899), life, buffer), Freshness::Fresh);
        assert_eq!(freshness(seconds(6900), life, buffer), Freshness::Due);
    }

    #[test]
    fn a_refusal_teaches_the_longest_timeout_that_fits() {
        assert_eq!(learned_lifetime(seconds(899)), None);
        assert_eq!(learned_lifetime(seconds(900)), Some(seconds(900)));
        assert_eq!(learned_lifetime(seconds(7_300)), Some(seconds(7_200)));
        assert_eq!(learned_lifetime(seconds(10 * 86_400)), Some(LONGEST_SESSION));
    }

    #[test]
    fn what_was_learned_is_an_upper_bound_and_promised_to_nobody() {
        let learned = Lifetime::best(None, None, Some(seconds(43_200)));
        assert_eq!((learned.promised(), learned.to_count_with()), (None, SHORTEST_SESSION));
        assert_eq!(learned.until_refused(), seconds(43_200));
        let configured = Lifetime::best(None, Some(seconds(7_200)), Some(seconds(900)));
        assert_eq!(
            (configured.promised(), configured.until_refused()),
            (Some(seconds(7_200)), seconds(7_200))
        );
    }

    // faults A20: a step backward never makes a token fresh again.
    #[test]
    fn a_clock_set_back_makes_no_token_younger() {
        let clock = ManualClock::at(UnixSeconds::new(1_800_000_000));
        let minted = Stamp::now(&clock);
        clock.advance(seconds(3600));
        clock.step(-7200);
        assert_eq!(minted.age(&clock), Some(seconds(3600)));
    }

    #[test]
    fn a_mint_in_the_future_of_another_boot_has_no_age() {
        let clock = ManualClock::at(UnixSeconds::new(1_800_000_000));
        let minted = Stamp { boot_id: "before the reboot".into(), ..Stamp::now(&clock) };
        clock.step(-10);
        assert_eq!(minted.age(&clock), None);
    }

    // faults A20, A21: a jump ahead, or a night asleep, makes it older.
    #[test]
    fn a_clock_that_jumps_ahead_makes_a_token_older() {
        let clock = ManualClock::at(UnixSeconds::new(1_800_000_000));
        let minted = Stamp::now(&clock);
        clock.step(91 * 86_400);
        assert_eq!(minted.age(&clock), Some(seconds(91 * 86_400)));
    }
}

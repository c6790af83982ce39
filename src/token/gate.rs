use std::time::Duration;

use crate::base::{AccessToken, Clock, OAuthError, TokenType, UnixSeconds};

use super::MintError;
use super::cache::{Kept, Record, Refused, Rejected};
use super::freshness::learned_lifetime;
use super::governor::{REMINTS_PER_MINUTE, RENEWAL_FLOOR, pause_after_refusals};
use super::useless::Useless;

/// How long a connection whose fresh sessions are refused is left alone. Seconds.
const SESSION_REFUSED_PAUSE: i64 = 300;

/// What speaks against asking Salesforce right now.
pub(super) fn gate(record: &Record, now: UnixSeconds) -> Result<(), MintError> {
    let times = record.reminted.iter().filter(|at| (0..60).contains(&now.seconds_since(**at))).count();
    if times > REMINTS_PER_MINUTE {
        return Err(MintError::SessionStorm { times: times as u32 });
    }
    if let Some(refused) = &record.session_refused {
        let since = now.seconds_since(refused.at);
        if (0..SESSION_REFUSED_PAUSE).contains(&since) {
            return Err(MintError::SessionRefused { reason: refused.reason() });
        }
    }
    if let Some(refused) = &record.refused
        && let Some(wait) = pause_left(refused.times, refused.at, now)
    {
        return Err(MintError::RefusedLately { reason: refused.reason(), times: refused.times, wait });
    }
    if let Some(Rejected { what, times, at }) = &record.rejected
        && let Some(wait) = pause_left(*times, *at, now)
    {
        return Err(MintError::UselessLately { what: what.clone(), times: *times, wait });
    }
    Ok(())
}

/// How much is left of the pause after so many denials, the last of them `at`.
fn pause_left(times: u32, at: UnixSeconds, now: UnixSeconds) -> Option<Duration> {
    let pause = i64::try_from(pause_after_refusals(times).as_secs()).unwrap_or(i64::MAX);
    let since = now.seconds_since(at);
    (0..pause).contains(&since).then(|| Duration::from_secs(u64::try_from(pause - since).unwrap_or(0)))
}

/// Whether enough time has passed since a renewal failed. A token that still works is no reason to ask often.
pub(super) fn may_renew(record: &Record, clock: &dyn Clock) -> bool {
    let floor = i64::try_from(RENEWAL_FLOOR.as_secs()).unwrap_or(i64::MAX);
    record.renewal_failed_at.is_none_or(|at| !(0..floor).contains(&clock.now().seconds_since(at)))
}

/// One more refusal in a row.
pub(super) fn counted(before: Option<Refused>, reason: &OAuthError, at: UnixSeconds) -> Refused {
    let times = before.map_or(0, |before| before.times).saturating_add(1);
    Refused { error: reason.error.clone(), description: reason.description.clone(), times, at }
}

/// One more token in a row that was given and not taken.
pub(super) fn rejected(before: Option<Rejected>, what: Useless, at: UnixSeconds) -> Rejected {
    let times = before.map_or(0, |before| before.times).saturating_add(1);
    Rejected { what, times, at }
}

/// Keeps what a session's end teaches about the org's timeout.
pub(super) fn learn(record: &mut Record, kept: &Kept, now: UnixSeconds) {
    if kept.token.token_type == TokenType::Jwt {
        return;
    }
    if let Some(timeout) = learned_lifetime(idle(kept, now)) {
        record.learned = Some(record.learned.map_or(timeout, |known| known.min(timeout)));
    }
}

/// Notes that the token in hand was accepted. After lying longer than the learned timeout, it proves that wrong.
pub(super) fn accept(record: &mut Record, token: &AccessToken, now: UnixSeconds) {
    let Some(kept) = record.kept.as_mut().filter(|kept| kept.token.expose() == token.expose()) else {
        return;
    };
    record.learned = record.learned.filter(|learned| idle(kept, now) <= *learned);
    kept.accepted_at = Some(now);
}

/// How long nobody is known to have used a token.
fn idle(kept: &Kept, now: UnixSeconds) -> Duration {
    let last = kept.accepted_at.unwrap_or(kept.minted.wall).max(kept.minted.wall);
    u64::try_from(now.seconds_since(last)).map(Duration::from_secs).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Explain, ManualClock};

    const T0: UnixSeconds = UnixSeconds::new(1_800_000_000);

    fn asked(record: &Record, after: i64) -> &'static str {
        gate(record, T0.moved(after)).map_or_else(|error| error.code(), |()| "asked")
    }

    #[test]
    fn a_record_without_trouble_lets_everybody_ask() {
        assert_eq!(asked(&Record::default(), 0), "asked");
    }

    #[test]
    fn a_fresh_session_that_was_refused_is_left_alone_for_five_minutes() {
        let reason = OAuthError::new("INVALID_SESSION_ID", None);
        let record = Record { session_refused: Some(counted(None, &reason, T0)), ..Record::default() };
        assert_eq!(
            [0, 299, 300].map(|after| asked(&record, after)),
            ["session.refused", "session.refused", "asked"]
        );
        assert_eq!(asked(&record, -1), "asked", "a clock that was set back locks nobody out");
    }

    #[test]
    fn a_storm_lasts_until_the_minute_has_passed() {
        let reminted = [0, 10, 20, 30].map(|after| T0.moved(after)).to_vec();
        let record = Record { reminted, ..Record::default() };
        assert_eq!(
            [30, 59, 60].map(|after| asked(&record, after)),
            ["session.storm", "session.storm", "asked"]
        );
    }

    #[test]
    fn the_third_refusal_in_a_row_is_the_first_that_makes_wait() {
        let reason = OAuthError::new("inactive_user", None);
        let mut record = Record::default();
        for (times, code) in [(1, "asked"), (2, "asked"), (3, "mint.user_inactive")] {
            record.refused = Some(counted(record.refused.take(), &reason, T0));
            assert_eq!(asked(&record, 1), code, "{times}");
        }
        assert_eq!(asked(&record, 60), "asked");
    }

    #[test]
    fn half_a_minute_lies_between_two_renewals_that_fail() {
        let clock = ManualClock::at(T0);
        let mut record = Record::default();
        assert!(may_renew(&record, &clock));
        record.renewal_failed_at = Some(T0);
        assert!(!may_renew(&record, &clock));
        clock.advance(Duration::from_secs(30));
        assert!(may_renew(&record, &clock));
    }
}

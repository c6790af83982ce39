//! Ages and remaining lives, in levels and in words. Pure.

use std::time::Duration;

use crate::assertion::CertificateFacts;
use crate::base::{Finding, Hint, Level, UnixSeconds};

/// Days before a certificate's end at which it is warned of, each once.
///
/// Two months, because whoever must upload the new one works in a change calendar; and Salesforce itself
/// neither refuses a lapsed certificate for certain nor writes a mail about it (field reports contradict each other).
pub const CERTIFICATE_WARNINGS: [i64; 5] = [60, 30, 14, 7, 1];

/// A certificate for a key that stays: Salesforce looks at the public half, so both certificates do, and nothing has to happen at one moment.
const ANOTHER_CERTIFICATE: &str = "make another for the same key (`openssl req -x509 -new -key KEY -days 365 -subj /CN=sfmint -out new.crt`) and upload it to the app";

/// The last warning that is due with `days_left` to go; `None` while there is time.
///
/// # Examples
///
/// ```
/// use sfmint::health::age::certificate_warning;
///
/// assert_eq!(certificate_warning(61), None);
/// assert_eq!(certificate_warning(60), Some(60));
/// assert_eq!(certificate_warning(8), Some(14));
/// assert_eq!(certificate_warning(0), Some(1));
/// ```
pub fn certificate_warning(days_left: i64) -> Option<i64> {
    CERTIFICATE_WARNINGS.into_iter().rev().find(|days| days_left <= *days)
}

/// Whole days until `end`; negative after it.
pub fn days_left(end: UnixSeconds, now: UnixSeconds) -> i64 {
    end.seconds_since(now).div_euclid(86_400)
}

/// Judges a certificate's validity at `now`.
///
/// | `now`                                     | level                          |
/// |-------------------------------------------|--------------------------------|
/// | before its first moment                   | fail                           |
/// | more than 60 days before its end          | ok                             |
/// | 60 days before its end, or less           | warn                           |
/// | after its end                             | fail                           |
///
/// A failing certificate does not stop a mint: Salesforce is the judge.
pub fn certificate(facts: &CertificateFacts, now: UnixSeconds) -> Finding {
    let days = days_left(facts.not_after, now);
    let until = |time: UnixSeconds| time.to_string();
    if now < facts.not_before {
        let says = format!("the certificate is valid only from {} on", until(facts.not_before));
        return Finding::new("certificate.not_yet_valid", Level::Fail, says).hint(Hint::new(
            "check this machine's clock; if it is right, wait, or make another certificate",
        ));
    }
    if now > facts.not_after {
        let ago = spoken(Duration::from_secs(now.seconds_since(facts.not_after).unsigned_abs()));
        let says = format!("the certificate ended {ago} ago, on {}", until(facts.not_after));
        return Finding::new("certificate.expired", Level::Fail, says).hint(Hint::new(ANOTHER_CERTIFICATE));
    }
    let says = format!("the certificate is valid until {}: {days} days left", until(facts.not_after));
    match certificate_warning(days) {
        None => Finding::new("certificate.validity", Level::Ok, says),
        Some(_) => {
            Finding::new("certificate.expires_soon", Level::Warn, says).hint(Hint::new(ANOTHER_CERTIFICATE))
        }
    }
}

/// A duration as people say it: its two largest units, the second left out where it is zero.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sfmint::health::age::spoken;
///
/// assert_eq!(spoken(Duration::from_secs(42)), "42 s");
/// assert_eq!(spoken(Duration::from_secs(3 * 60 + 20)), "3 min 20 s");
/// assert_eq!(spoken(Duration::from_secs(7200)), "2 h");
/// assert_eq!(spoken(Duration::from_secs(90 * 86_400 + 3600)), "90 days 1 h");
/// ```
pub fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let day = if days == 1 { "day" } else { "days" };
    let units = [(days, day), (hours, "h"), (minutes, "min"), (seconds % 60, "s")];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let said = units.iter().skip(first).take(2).enumerate();
    let said: Vec<String> = said
        .filter(|(at, (count, _))| *at == 0 || *count > 0)
        .map(|(_, (count, unit))| format!("{count} {unit}"))
        .collect();
    said.join(" ")
}

/// A token's age in a sentence: `minted 3 min ago, renewed in 1 h 52 min`.
pub fn token_age(age: Duration, due_in: Option<Duration>) -> String {
    let due = match due_in {
        None => "renewed when it is refused: nobody has told how long it lives".to_string(),
        Some(Duration::ZERO) => "due for renewal".to_string(),
        Some(due) => format!("renewed in {}", spoken(due)),
    };
    format!("minted {} ago, {due}", spoken(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const END: UnixSeconds = UnixSeconds::new(1_800_000_000);

    fn facts() -> CertificateFacts {
        let not_before = END.moved(-365 * DAY);
        CertificateFacts { not_before, not_after: END, sha256: "0".repeat(64), subject: "CN=x".into() }
    }

    // faults C8
    #[test]
    fn a_certificate_is_judged_by_the_day() {
        let cases = [
            (-366 * DAY, Level::Fail, "certificate.not_yet_valid"),
            (-365 * DAY, Level::Ok, "certificate.validity"),
            (-61 * DAY, Level::Ok, "certificate.validity"),
            (-60 * DAY, Level::Warn, "certificate.expires_soon"),
            (-1, Level::Warn, "certificate.expires_soon"),
            (0, Level::Warn, "certificate.expires_soon"),
            (1, Level::Fail, "certificate.expired"),
            (400 * DAY, Level::Fail, "certificate.expired"),
        ];
        for (offset, level, code) in cases {
            let finding = certificate(&facts(), END.moved(offset));
            assert_eq!((finding.level, finding.code), (level, code), "{offset}: {}", finding.says);
            assert_eq!(finding.hints.is_empty(), level == Level::Ok, "{offset}");
        }
        let finding = certificate(&facts(), END.moved(3 * DAY + 7200));
        assert!(finding.says.starts_with("the certificate ended 3 days 2 h ago"), "{}", finding.says);
    }

    #[test]
    fn every_warning_is_due_on_its_day_and_stays_until_the_next() {
        let due: Vec<Option<i64>> =
            [90, 61, 60, 31, 30, 15, 14, 8, 7, 2, 1, 0, -5].map(certificate_warning).to_vec();
        let expected = [
            None,
            None,
            Some(60),
            Some(60),
            Some(30),
            Some(30),
            Some(14),
            Some(14),
            Some(7),
            Some(7),
            Some(1),
            Some(1),
            Some(1),
        ];
        assert_eq!(due, expected);
    }

    #[test]
    fn ages_are_spoken_in_two_units() {
        let said = |seconds| spoken(Duration::from_secs(seconds));
        assert_eq!(said(0), "0 s");
        assert_eq!(said(60), "1 min");
        assert_eq!(said(3661), "1 h 1 min");
        assert_eq!(said(3601), "1 h");
        assert_eq!(said(86_400), "1 day");
        assert_eq!(said(172_800 + 59), "2 days");
        let age = token_age(Duration::from_secs(200), Some(Duration::from_secs(6720)));
        assert_eq!(age, "minted 3 min 20 s ago, renewed in 1 h 52 min");
        assert!(token_age(Duration::ZERO, None).contains("when it is refused"));
        assert_eq!(token_age(Duration::ZERO, Some(Duration::ZERO)), "minted 0 s ago, due for renewal");
    }
}

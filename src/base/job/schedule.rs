use std::fmt;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::base::{UnixSeconds, printable};

/// What becomes of runs that were missed while nothing ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// One run makes up for all of them.
    #[default]
    Once,
    /// They are left out; the next one comes at its time.
    Skip,
}

/// A schedule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleMistake {
    /// Neither five fields nor a word.
    #[error(
        "`{0}` is no schedule; accepted are five fields such as \"15 2 * * *\", or hourly, daily, weekly, monthly, yearly"
    )]
    Expression(String),
    /// A day that no calendar has.
    #[error("`{0}` never comes, as the 30th of February does not")]
    Never(String),
    /// Not in the IANA database.
    #[error("`{0}` is no time zone; accepted are names such as \"UTC\" and \"Europe/Zurich\"")]
    Zone(String),
}

/// When something runs by itself: a cron expression in a time zone.
///
/// # Where clocks are changed
///
/// | the hour field                | a skipped hour                          | a repeated hour              |
/// |-------------------------------|-----------------------------------------|------------------------------|
/// | names hours: `2`, `2,14`, `1-5` | runs once, at the first moment after it | runs once, the first time   |
/// | takes them all: `*`, `*/2`      | is no hour and has no run               | is two hours and has two    |
///
/// As Vixie cron does it: who names an hour wants one run a day, who names none wants one every so often.
#[derive(Clone, Debug)]
pub struct Schedule {
    text: String,
    cron: Cron,
    zone: TimeZone,
    names_hours: bool,
    /// How much later than its time a run may start, so that not all start at once.
    pub jitter: Duration,
    /// What becomes of runs that were missed.
    pub catch_up: CatchUp,
}

/// The words that stand for an expression.
pub const SCHEDULE_WORDS: [(&str, &str); 5] = [
    ("hourly", "0 * * * *"),
    ("daily", "0 0 * * *"),
    ("weekly", "0 0 * * 0"),
    ("monthly", "0 0 1 * *"),
    ("yearly", "0 0 1 1 *"),
];

impl Schedule {
    /// Reads a schedule: five cron fields, or `hourly`, `daily`, `weekly`, `monthly`, `yearly`; `zone` is an IANA name.
    ///
    /// # Errors
    ///
    /// [`ScheduleMistake`], with what is accepted.
    ///
    /// # Examples
    ///
    /// ```
    /// use sfmint::base::job::Schedule;
    ///
    /// let schedule = Schedule::parse("15 2 * * *", "Europe/Zurich").unwrap();
    /// let next = schedule.next_after("2026-11-22T21:00:00Z".parse().unwrap()).unwrap();
    /// assert_eq!(next.to_string(), "2026-11-23T01:15:00Z");
    /// ```
    pub fn parse(text: &str, zone: &str) -> Result<Self, ScheduleMistake> {
        let wrong = || ScheduleMistake::Expression(printable(text, 60));
        let word = text.trim();
        let known = SCHEDULE_WORDS.iter().find(|(known, _)| *known == word.trim_start_matches('@'));
        let pattern = known.map_or(word, |(_, pattern)| *pattern);
        let fields: Vec<&str> = pattern.split_whitespace().collect();
        let [_, hours, ..] = fields.as_slice() else { return Err(wrong()) };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(pattern).ok().filter(|_| fields.len() == 5).ok_or_else(wrong)?;
        let schedule = Self {
            text: word.to_string(),
            cron,
            zone: TimeZone::get(zone).map_err(|_| ScheduleMistake::Zone(printable(zone, 60)))?,
            names_hours: !hours.contains('*'),
            jitter: Duration::from_secs(30),
            catch_up: CatchUp::Once,
        };
        match schedule.next_after(UnixSeconds::new(0)) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleMistake::Never(printable(text, 60))),
        }
    }

    /// Sundays at midnight, UTC.
    pub fn weekly() -> Self {
        match Self::parse("weekly", "UTC") {
            Ok(schedule) => schedule,
            Err(_) => unreachable!("a word of this file"),
        }
    }

    /// The name of its time zone.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The first time after `after`, jitter not counted; `None` where there is none within the calendar.
    pub fn next_after(&self, after: UnixSeconds) -> Option<UnixSeconds> {
        let from = Timestamp::from_second(after.get()).ok()?;
        if !self.names_hours {
            let next = self.cron.find_next_occurrence(&from.to_zoned(self.zone.clone()), false).ok()?;
            return Some(UnixSeconds::new(next.timestamp().as_second()));
        }
        // The expression is followed on a clock that is never changed, and each time it names is then looked up on the real one.
        let mut face = self.zone.to_datetime(from).to_zoned(TimeZone::UTC).ok()?;
        loop {
            face = self.cron.find_next_occurrence(&face, false).ok()?;
            let at = self.moment_of(face.datetime())?;
            if at > from {
                return Some(UnixSeconds::new(at.as_second()));
            }
        }
    }

    /// When a clock of the zone first shows `face`, or, where it skips that, the first moment after what it skips.
    fn moment_of(&self, face: DateTime) -> Option<Timestamp> {
        let shown = self.zone.to_ambiguous_timestamp(face);
        match shown.offset() {
            AmbiguousOffset::Gap { .. } => {
                let beyond = shown.later().ok()?;
                let skip = self
                    .zone
                    .preceding(beyond.checked_add(jiff::SignedDuration::from_secs(1)).ok()?)
                    .next()?;
                Some(skip.timestamp())
            }
            _ => shown.earlier().ok(),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        let of = |schedule: &Self| {
            (schedule.text.clone(), schedule.zone().to_string(), schedule.jitter, schedule.catch_up)
        };
        of(self) == of(other)
    }
}

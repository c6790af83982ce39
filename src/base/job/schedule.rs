use std::fmt;
use std::time::Duration;

use croner::Cron;
use jiff::tz::TimeZone;

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
pub enum ScheduleMistake {
    /// Neither five fields nor a word.
    #[error(
        "`{0}` is no schedule; accepted are five fields such as \"15 2 * * *\", or hourly, daily, weekly, monthly"
    )]
    Expression(String),
    /// Not in the IANA database.
    #[error("`{0}` is no time zone; accepted are names such as \"UTC\" and \"Europe/Zurich\"")]
    Zone(String),
}

/// When something runs by itself: a cron expression in a time zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    text: String,
    cron: Cron,
    zone: TimeZone,
    /// How much later than its time a run may start, so that not all start at once.
    pub jitter: Duration,
    /// What becomes of runs that were missed.
    pub catch_up: CatchUp,
}

impl Schedule {
    /// Reads a schedule: five cron fields, or `hourly`, `daily`, `weekly`, `monthly`; `zone` is an IANA name.
    ///
    /// # Errors
    ///
    /// [`ScheduleMistake`], with what is accepted.
    pub fn parse(text: &str, zone: &str) -> Result<Self, ScheduleMistake> {
        let pattern = match text.trim() {
            "hourly" => "0 * * * *",
            "daily" => "0 0 * * *",
            "weekly" => "0 0 * * 0",
            "monthly" => "0 0 1 * *",
            other => other,
        };
        let cron = pattern.parse().map_err(|_| ScheduleMistake::Expression(printable(text, 60)))?;
        let zone = TimeZone::get(zone).map_err(|_| ScheduleMistake::Zone(printable(zone, 60)))?;
        Ok(Self {
            text: text.trim().to_string(),
            cron,
            zone,
            jitter: Duration::from_secs(30),
            catch_up: CatchUp::Once,
        })
    }

    /// Sundays at midnight, UTC.
    pub fn weekly() -> Self {
        match Self::parse("weekly", "UTC") {
            Ok(schedule) => schedule,
            Err(_) => unreachable!("a word of this file"),
        }
    }

    /// The first time after `after`; `None` where there is none within the calendar.
    pub fn next_after(&self, after: UnixSeconds) -> Option<UnixSeconds> {
        let after = jiff::Timestamp::from_second(after.get()).ok()?.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&after, false).ok()?;
        Some(UnixSeconds::new(next.timestamp().as_second()))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

use std::str::FromStr;

use crate::base::UnixSeconds;

/// A moment on the command line: said outright, or as so long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// This moment.
    Moment(UnixSeconds),
    /// So many seconds ago.
    Ago(i64),
}

impl Since {
    /// The moment, as seen from `now`.
    pub fn at(self, now: UnixSeconds) -> UnixSeconds {
        match self {
            Self::Moment(at) => at,
            Self::Ago(seconds) => now.moved(-seconds),
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "accepted is a day (2026-11-22), a time (2026-11-22T21:00:00Z), or how long ago: 90m, 12h, 7d, 2w"
                .to_string()
        };
        let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 7 * 86_400)];
        let unit = units.into_iter().find(|(unit, _)| text.ends_with(*unit));
        if let Some((unit, seconds)) = unit {
            let number: u32 = text.trim_end_matches(unit).parse().map_err(|_| wrong())?;
            return Ok(Self::Ago(i64::from(number) * seconds));
        }
        let whole = match text.contains('T') {
            true => text.to_string(),
            false => format!("{text}T00:00:00Z"),
        };
        whole.parse().map(Self::Moment).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_a_time_or_so_long_ago() {
        let now: UnixSeconds = "2026-11-22T21:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20T12:30:00+01:00", "2026-11-20T11:30:00Z"),
            ("90m", "2026-11-22T19:30:00Z"),
            ("2w", "2026-11-08T21:00:00Z"),
            ("0d", "2026-11-22T21:00:00Z"),
        ] {
            assert_eq!(text.parse::<Since>().unwrap().at(now).to_string(), expected, "{text}");
        }
        for text in ["", "yesterday", "d", "-1d", "2026-13-01", "7 d", "99999999999d"] {
            assert!(text.parse::<Since>().is_err(), "{text}");
        }
    }
}

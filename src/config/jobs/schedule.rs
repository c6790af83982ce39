use crate::base::job::{Schedule, ScheduleMistake};

use super::super::at::At;
use super::super::looks_secret::looks_secret;
use super::super::origin::Sourced;
use super::super::show::Printed;

/// What stands behind a key that says when: an expression or word, or that it never is.
#[derive(Clone, Debug)]
pub(in crate::config) enum When {
    /// By this schedule, whose zone is still to be said.
    By(String),
    /// Not at all.
    Never,
}

impl When {
    /// The schedule in its zone.
    ///
    /// # Errors
    ///
    /// Those of [`Schedule::parse`]; none where both were read before.
    pub fn schedule(&self, zone: &str) -> Result<Option<Schedule>, ScheduleMistake> {
        match self {
            Self::By(text) => Schedule::parse(text, zone).map(Some),
            Self::Never => Ok(None),
        }
    }
}

impl Printed for When {
    fn printed(&self) -> String {
        match self {
            Self::By(text) => text.clone(),
            Self::Never => "never".into(),
        }
    }
}

/// Reads five cron fields, a word, or that it never is.
pub(super) fn when(at: &mut At<'_, '_>) -> Option<Sourced<When>> {
    let text = at.text()?;
    if matches!(text, "never" | "none") {
        return Some(at.sourced(When::Never));
    }
    match Schedule::parse(text, "UTC") {
        Ok(schedule) => Some(at.sourced(When::By(schedule.to_string()))),
        Err(ScheduleMistake::Expression(found)) if looks_secret(text).is_none() => {
            let accepts = at.kind.accepts();
            at.mistake(format!("is `{found}`; accepted is {accepts}"))
        }
        Err(error) => at.refused(text, error),
    }
}

/// Reads the name of a time zone.
pub(super) fn zone(at: &mut At<'_, '_>) -> Option<Sourced<String>> {
    let text = at.text()?;
    match Schedule::parse("daily", text) {
        Ok(_) => Some(at.sourced(text.to_string())),
        Err(error) => at.refused(text, error),
    }
}

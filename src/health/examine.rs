use std::error::Error;

use serde::Serialize;

use crate::base::{Explain, Fault, Finding, Hint, Level};

/// Hears each finding as soon as it is there, in order.
pub type Say<'a> = &'a mut (dyn FnMut(&Finding) + Send);

/// Everything that was looked at, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
    /// Who must act on the first that failed; `None` where none did. Decides the exit code.
    pub fault: Option<Fault>,
}

impl Report {
    /// The worst level that was found.
    pub fn worst(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).max()
    }
}

/// A report being written: says each finding once, and remembers whose fault the first failure was.
pub(super) struct Examination<'a> {
    say: Say<'a>,
    report: Report,
}

impl<'a> Examination<'a> {
    pub fn new(say: Say<'a>) -> Self {
        Self { say, report: Report::default() }
    }

    pub fn note(&mut self, finding: Finding) {
        if finding.level == Level::Fail {
            self.report.fault.get_or_insert(Fault::Denied);
        }
        (self.say)(&finding);
        self.report.findings.push(finding);
    }

    /// Notes a failure that knows whose fault it is.
    pub fn fail(&mut self, finding: Finding, fault: Fault) {
        self.report.fault.get_or_insert(fault);
        self.note(finding);
    }

    /// Notes an error as a failure: what, why, what next.
    pub fn error(&mut self, error: &dyn Explain) {
        self.fail(from_error(error, Level::Fail), error.fault());
    }

    pub fn ok(&mut self, code: &'static str, says: impl Into<String>) {
        self.note(Finding::new(code, Level::Ok, says));
    }

    /// Notes what could not be looked at, and why.
    pub fn skipped(&mut self, code: &'static str, why: impl Into<String>) {
        self.note(Finding::new(code, Level::Skipped, why));
    }

    pub fn done(self) -> Report {
        self.report
    }
}

/// An error as a finding: its code, its message with every cause, its hints.
pub(super) fn from_error(error: &dyn Explain, level: Level) -> Finding {
    let mut says = error.to_string();
    let mut next: Option<&dyn Error> = error.source();
    while let Some(cause) = next {
        let cause_says = cause.to_string();
        // Some libraries print their cause as well as naming it.
        if !says.ends_with(&cause_says) {
            says = format!("{says}: {cause_says}");
        }
        next = cause.source();
    }
    let hints: Vec<Hint> = error.hints().iter().filter_map(without_ourselves).collect();
    Finding { hints, ..Finding::new(error.code(), level, says) }
}

/// A hint without its advice to run what is running just now; `None` where it says no more than that.
fn without_ourselves(hint: &Hint) -> Option<Hint> {
    let others: Vec<&str> =
        hint.as_str().split("; ").filter(|part| !part.starts_with("`sfmint doctor` ")).collect();
    (!others.is_empty()).then(|| Hint::new(others.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doctor_sends_nobody_to_the_doctor() {
        for (hint, left) in [
            ("`sfmint doctor` looks at every step, and `sfmint doctor --org` at the app's policies", None),
            ("check the network; `sfmint doctor` says how far a request gets", Some("check the network")),
            (
                "set `audience`; `sfmint doctor --probe` finds the pair",
                Some("set `audience`; `sfmint doctor --probe` finds the pair"),
            ),
            ("activate the user", Some("activate the user")),
        ] {
            let kept = without_ourselves(&Hint::new(hint));
            assert_eq!(kept.as_ref().map(Hint::as_str), left, "{hint}");
        }
    }
}

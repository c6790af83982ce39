//! What the tests of this room share.

use crate::base::{Connection, Finding, Level};
use crate::health::Report;

pub(super) use crate::api::test_org::connection;

/// `code level` of every finding, in order.
pub fn codes(report: &Report) -> Vec<String> {
    report.findings.iter().map(|finding| format!("{} {}", finding.code, finding.level)).collect()
}

/// Whether the report holds this code at this level.
pub fn has(report: &Report, code: &str, level: Level) -> bool {
    report.findings.iter().any(|finding| finding.code == code && finding.level == level)
}

/// The finding of that code.
pub fn finding<'a>(report: &'a Report, code: &str) -> &'a Finding {
    let found = report.findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {:#?}", report.findings))
}

/// Says nothing.
pub fn mute() -> impl FnMut(&Finding) + Send {
    |_| {}
}

/// A connection without a pinned API version.
pub fn unpinned(mut connection: Connection) -> Connection {
    connection.api_version = None;
    connection
}

use std::collections::BTreeSet;

use super::pages::{code_spans, read};
use super::rust_source::{macro_arguments, sources};

#[test]
fn every_log_field_is_described_and_none_is_invented() {
    let used = fields_in_code();
    let page = read("docs/reference/log-fields.md");
    let described: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .flat_map(|row| code_spans(row.split('|').next().unwrap_or_default()))
        .map(str::to_string)
        .collect();
    let missing: Vec<_> = used.difference(&described).collect();
    let invented: Vec<_> = described.difference(&used).collect();
    assert!(missing.is_empty(), "docs/reference/log-fields.md does not describe {missing:?}");
    assert!(
        invented.is_empty(),
        "docs/reference/log-fields.md describes {invented:?}, which no log line has"
    );
}

/// The names before `=` in the arguments of every logging macro.
fn fields_in_code() -> BTreeSet<String> {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.')
    };
    let mut fields = BTreeSet::new();
    for (_, source) in sources() {
        for name in ["trace", "debug", "info", "warn", "error", "span", "debug_span", "info_span"] {
            for arguments in macro_arguments(&source, name) {
                let pieces = arguments.split(',').filter_map(|piece| piece.split_once('='));
                fields.extend(pieces.map(|(name, _)| name.trim().to_string()).filter(|name| is_name(name)));
            }
        }
    }
    fields
}

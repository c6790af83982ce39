use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use crate::base::job::DestinationPlace;

use super::super::at::At;
use super::super::kind::Kind;
use super::super::later;
use super::super::origin::{Sourced, shown};
use super::super::show::Printed;

/// Kinds of destination, in the order in which they are told.
pub(super) const KINDS: [&str; 4] = ["sqlite", "csv", "jsonl", "stdout"];

/// Reads `{ sqlite = "path" }` and its like: exactly one kind.
pub(super) fn destination(at: &mut At<'_, '_>) -> Option<Sourced<DestinationPlace>> {
    let mut found = Vec::new();
    let before = at.reader.mistakes.len();
    for (key, value) in at.table()? {
        let name = key.get_ref().as_ref();
        if later::DESTINATION.contains(&name) {
            at.reader.mistake(key.span(), later::refusal(name));
        } else if KINDS.contains(&name) {
            found.extend(place(at, name, value));
        } else {
            at.reader.unknown_key(key, "`destination`", &KINDS);
        }
    }
    match (at.reader.mistakes.len() > before, found.as_slice()) {
        (true, _) => None,
        (false, [one]) => Some(at.sourced(one.clone())),
        (false, []) => at.mistake(format!("names no place; accepted is {}", at.kind.accepts())),
        (false, _) => at.mistake("names more than one place; each job has one"),
    }
}

fn place(at: &mut At<'_, '_>, name: &str, value: &Spanned<DeValue<'_>>) -> Option<DestinationPlace> {
    if name == "stdout" {
        let kind = Kind::OneOf(&["jsonl"]);
        let mut inner = At { reader: at.reader, name, kind: &kind, value };
        return inner.one_of(&[("jsonl", ())]).map(|_| DestinationPlace::Stdout);
    }
    let mut inner = At { reader: at.reader, name, kind: &Kind::Path, value };
    if inner.text()?.contains("://") {
        let says = "is an address; only paths on this machine are supported by this version of sfmint";
        return inner.mistake(says);
    }
    let path: PathBuf = inner.path()?.value;
    Some(match name {
        "sqlite" => DestinationPlace::Sqlite(path),
        "csv" => DestinationPlace::Csv(path),
        _ => DestinationPlace::Jsonl(path),
    })
}

impl Printed for DestinationPlace {
    fn printed(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite {}", shown(path)),
            Self::Csv(path) => format!("csv {}", shown(path)),
            Self::Jsonl(path) => format!("jsonl {}", shown(path)),
            other => other.to_string(),
        }
    }
}

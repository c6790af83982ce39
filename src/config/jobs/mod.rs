//! `[jobs.NAME]`: what is synced, how far, where to and when.
//!
//! Reads no data and opens no destination; what a query may be is for `base::job::Soql`, what a schedule is for
//! `base::job::Schedule`. Start at `keys.rs`, the table of what may be written, then at `resolve.rs`, where it becomes a `Job`.

mod clash;
mod destination;
mod draft;
mod keys;
mod names;
mod resolve;
mod schedule;
mod source;
mod words;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::base::JobName;

use super::at::At;
use super::document::Section;
use super::later;
use super::looks_secret::looks_secret;
use super::reader::Reader;

pub(super) use clash::{clashes, file_or_folder, into_the_store};
pub(super) use draft::JobDraft;
pub(super) use keys::JOB;
pub(super) use resolve::{ResolvedJob, resolve};

/// Reads every table of `[jobs]`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
) -> Vec<(JobName, Section<JobDraft>)> {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().filter_map(|(name, value)| job(reader, name, value)).collect(),
        DeValue::Array(_) => {
            let says = "`[[jobs]]` makes a list; accepted is `[jobs.NAME]`, one table for each";
            reader.mistake(key.span(), says);
            vec![]
        }
        _ => {
            reader.mistake(value.span(), "`jobs` is not a table; accepted is `[jobs.NAME]`");
            vec![]
        }
    }
}

fn job(
    reader: &mut Reader<'_>,
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
) -> Option<(JobName, Section<JobDraft>)> {
    let text = key.get_ref().as_ref();
    let name = match text.parse::<JobName>() {
        Ok(name) if looks_secret(text).is_none() => name,
        Ok(_) => {
            reader.mistake(key.span(), "this job's name looks like a secret (not shown)");
            return None;
        }
        Err(error) => {
            reader.mistake(key.span(), error.to_string());
            return None;
        }
    };
    let DeValue::Table(table) = value.get_ref() else {
        let says = match JOB.iter().any(|known| known.name == text) {
            true => format!("`{text}` stands in `[jobs]`; it belongs below `[jobs.NAME]`"),
            false => format!("job `{name}` is not a table; accepted is `[jobs.{name}]`"),
        };
        reader.mistake(key.span(), says);
        return None;
    };
    let mut section = Section { header: reader.place(key.span()), ..Section::default() };
    for (key, value) in table {
        if !read_key(reader, key, value, &mut section) {
            let accepted: Vec<&str> = JOB.iter().map(|key| key.name).collect();
            reader.unknown_key(key, &format!("`[jobs.{name}]`"), &accepted);
        }
    }
    Some((name, section))
}

/// Takes a key of a job, in its table or in `[defaults]`; says whether it is one.
pub(super) fn read_key(
    reader: &mut Reader<'_>,
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    section: &mut Section<JobDraft>,
) -> bool {
    let name = key.get_ref().as_ref();
    if let Some(known) = JOB.iter().find(|known| known.name == name) {
        section.said.push(name.to_string());
        (known.take)(&mut section.draft, &mut At { reader, name, kind: &known.kind, value });
        return true;
    }
    if later::JOB.contains(&name) {
        reader.mistake(key.span(), later::refusal(name));
        return true;
    }
    false
}

/// A job's key outside its table, or its table under a name of its own.
pub(super) fn misplaced(name: &str, found: &DeValue<'_>) -> Option<String> {
    let DeValue::Table(table) = found else {
        let is_ours = JOB.iter().any(|key| key.name == name);
        return is_ours
            .then(|| format!("`{name}` stands outside every table; it belongs below `[jobs.NAME]`"));
    };
    let name: JobName = name.parse().ok()?;
    let is_job = |table: &DeTable<'_>| {
        table.keys().any(|key| matches!(key.get_ref().as_ref(), "object" | "soql" | "destination"))
    };
    (is_job(table) && looks_secret(name.as_str()).is_none())
        .then(|| format!("unknown table `[{name}]`; did you mean `[jobs.{name}]`?"))
}

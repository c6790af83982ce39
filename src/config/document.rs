use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::base::ConnectionName;
#[cfg(feature = "sync")]
use crate::base::JobName;

use super::at::At;
use super::draft::{Draft, General};
#[cfg(feature = "sync")]
use super::jobs::{self, JobDraft};
use super::mistake::Weight;
use super::reader::Reader;
use super::{Mistake, Origin, keys, later, looks_secret::looks_secret};

/// Which file is being read, for what it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The config file: `[defaults]`, connections and jobs.
    Main,
    /// A file of connections.d: connections only.
    Connections,
    /// A file of jobs.d: jobs only.
    #[cfg(feature = "sync")]
    Jobs,
}

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub general: General,
    pub defaults: Section,
    pub connections: Vec<(ConnectionName, Section)>,
    #[cfg(feature = "sync")]
    pub job_defaults: Section<JobDraft>,
    #[cfg(feature = "sync")]
    pub jobs: Vec<(JobName, Section<JobDraft>)>,
}

/// What one table says about a connection or a job.
#[derive(Clone, Debug)]
pub(super) struct Section<D = Draft> {
    /// Where the table begins.
    pub header: Origin,
    pub draft: D,
    /// Every key that stands there, also those whose value was refused.
    pub said: Vec<String>,
}

impl<D: Default> Default for Section<D> {
    fn default() -> Self {
        Self { header: Origin::Default, draft: D::default(), said: Vec::new() }
    }
}

impl<D> Section<D> {
    pub fn says(&self, key: &str) -> bool {
        self.said.iter().any(|said| said == key)
    }
}

/// Reads a whole file. What could be read is returned, what could not is in the reader's mistakes.
pub(super) fn read(reader: &mut Reader<'_>) -> Document {
    let (text, role) = (&reader.file.text, reader.file.role);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let says = syntax(error.message(), text.get(span.clone()).unwrap_or_default());
        let mistake = Mistake::new(reader.place(span), says).with_weight(Weight::Syntax);
        reader.mistakes.push(mistake);
    }
    let mut document = Document::default();
    for (key, value) in root.get_ref() {
        let name = key.get_ref().as_ref();
        if let Some(says) = strays(name, role) {
            reader.mistake(key.span(), says);
            continue;
        }
        match (name, value.get_ref()) {
            ("defaults", DeValue::Table(table)) => read_defaults(reader, key, table, &mut document),
            ("connections", DeValue::Table(table)) => {
                for (name, value) in table {
                    document.connections.extend(read_connection(reader, name, value));
                }
            }
            ("connections", DeValue::Array(_)) => {
                reader.mistake(
                    key.span(),
                    "`[[connections]]` makes a list; accepted is `[connections.NAME]`, one table for each",
                );
            }
            (name @ ("defaults" | "connections"), _) => {
                reader.mistake(value.span(), format!("`{name}` is not a table; accepted is `[{name}]`"));
            }
            #[cfg(feature = "sync")]
            ("jobs", _) => document.jobs.extend(jobs::read(reader, key, value)),
            // A program that only mints reads the same file as the one that syncs.
            #[cfg(not(feature = "sync"))]
            ("jobs", _) => {}
            (name, found) => {
                let says = misplaced(name, found);
                match says {
                    Some(says) => reader.mistake(key.span(), says),
                    None => reader.unknown_key(key, "the file", TABLES),
                }
            }
        }
    }
    document
}

/// What a file may hold.
const TABLES: &[&str] = match cfg!(feature = "sync") {
    true => &["defaults", "connections", "jobs"],
    false => &["defaults", "connections"],
};

/// A table in a file that is for others.
fn strays(table: &str, role: Role) -> Option<&'static str> {
    match (role, table) {
        (Role::Connections, "defaults") => {
            Some("`[defaults]` belongs in sfmint.toml; files in connections.d hold connections")
        }
        #[cfg(feature = "sync")]
        (Role::Connections, "jobs") => {
            Some("`[jobs]` belongs in sfmint.toml or jobs.d; files in connections.d hold connections")
        }
        #[cfg(feature = "sync")]
        (Role::Jobs, "defaults") => Some("`[defaults]` belongs in sfmint.toml; files in jobs.d hold jobs"),
        #[cfg(feature = "sync")]
        (Role::Jobs, "connections") => {
            Some("`[connections]` belongs in sfmint.toml or connections.d; files in jobs.d hold jobs")
        }
        _ => None,
    }
}

/// A connection's key outside its table, or its table under a name of its own.
fn misplaced(name: &str, found: &DeValue<'_>) -> Option<String> {
    if keys::CONNECTION.iter().any(|key| key.name == name) {
        return Some(format!("`{name}` stands outside every table; it belongs below `[connections.NAME]`"));
    }
    #[cfg(feature = "sync")]
    if let Some(says) = jobs::misplaced(name, found) {
        return Some(says);
    }
    let DeValue::Table(table) = found else { return None };
    let holds_connection =
        table.keys().any(|key| matches!(key.get_ref().as_ref(), "login_url" | "client_id"));
    let name: ConnectionName = name.parse().ok()?;
    (holds_connection && looks_secret(name.as_str()).is_none())
        .then(|| format!("unknown table `[{name}]`; did you mean `[connections.{name}]`?"))
}

fn read_defaults(
    reader: &mut Reader<'_>,
    header: &Spanned<DeString<'_>>,
    table: &DeTable<'_>,
    document: &mut Document,
) {
    document.defaults.header = reader.place(header.span());
    #[cfg(feature = "sync")]
    {
        document.job_defaults.header = reader.place(header.span());
    }
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if let Some(known) = keys::GENERAL.iter().find(|known| known.name == name) {
            (known.take)(&mut document.general, &mut At { reader, name, kind: &known.kind, value });
        } else if later::SERVICE.contains(&name) {
            reader.mistake(key.span(), later::refusal(name));
        } else if !takes_for_jobs(reader, key, value, document) {
            let also: Vec<&str> = keys::GENERAL.iter().map(|key| key.name).chain(job_keys()).collect();
            read_key(reader, key, value, "`[defaults]`", &also, &mut document.defaults);
        }
    }
}

#[cfg(feature = "sync")]
fn takes_for_jobs(
    reader: &mut Reader<'_>,
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    document: &mut Document,
) -> bool {
    jobs::read_key(reader, key, value, &mut document.job_defaults)
}

/// A program that only mints reads the same file as the one that syncs.
#[cfg(not(feature = "sync"))]
fn takes_for_jobs(
    _reader: &mut Reader<'_>,
    key: &Spanned<DeString<'_>>,
    _value: &Spanned<DeValue<'_>>,
    _document: &mut Document,
) -> bool {
    later::FOR_JOBS.contains(&key.get_ref().as_ref())
}

#[cfg(not(feature = "sync"))]
fn job_keys() -> impl Iterator<Item = &'static str> {
    std::iter::empty()
}

#[cfg(feature = "sync")]
fn job_keys() -> impl Iterator<Item = &'static str> {
    jobs::JOB.iter().map(|key| key.name)
}

fn read_connection(
    reader: &mut Reader<'_>,
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
) -> Option<(ConnectionName, Section)> {
    let text = key.get_ref().as_ref();
    let name = match text.parse::<ConnectionName>() {
        Ok(name) if looks_secret(text).is_none() => name,
        Ok(_) => {
            reader.mistake(key.span(), "this connection's name looks like a secret (not shown)");
            return None;
        }
        Err(error) => {
            reader.mistake(key.span(), error.to_string());
            return None;
        }
    };
    let DeValue::Table(table) = value.get_ref() else {
        let stray = keys::CONNECTION.iter().any(|known| known.name == text);
        let says = match stray {
            true => format!("`{text}` stands in `[connections]`; it belongs below `[connections.NAME]`"),
            false => format!("connection `{name}` is not a table; accepted is `[connections.{name}]`"),
        };
        reader.mistake(key.span(), says);
        return None;
    };
    let mut section = Section { header: reader.place(key.span()), ..Section::default() };
    for (key, value) in table {
        read_key(reader, key, value, &format!("`[connections.{name}]`"), &[], &mut section);
    }
    Some((name, section))
}

fn read_key(
    reader: &mut Reader<'_>,
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    within: &str,
    also: &[&str],
    section: &mut Section,
) {
    let name = key.get_ref().as_ref();
    if let Some(known) = keys::CONNECTION.iter().find(|known| known.name == name) {
        section.said.push(name.to_string());
        (known.take)(&mut section.draft, &mut At { reader, name, kind: &known.kind, value });
    } else if later::CONNECTION.contains(&name) {
        section.said.push(name.to_string());
        reader.mistake(key.span(), later::refusal(name));
    } else {
        let accepted: Vec<&str> =
            keys::CONNECTION.iter().map(|key| key.name).chain(also.iter().copied()).collect();
        reader.unknown_key(key, within, &accepted);
    }
}

/// What the TOML parser said, in a sentence that names what to do. The line itself is never shown: it may
/// hold a secret.
fn syntax(message: &str, found: &str) -> String {
    let shown = found.len() <= 40
        && looks_secret(found).is_none()
        && found.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match message {
        "duplicate key" if shown && !found.is_empty() => format!("`{found}` stands twice"),
        _ if message.starts_with("string values must be quoted") => {
            "text must stand in quotes, \"like this\"; numbers are whole and plain, like 300".into()
        }
        _ if message.starts_with("invalid boolean") => "accepted is true or false, in small letters".into(),
        _ if message.contains("recurs") => "tables or lists nest too deeply".into(),
        _ => format!("not TOML: {message}"),
    }
}

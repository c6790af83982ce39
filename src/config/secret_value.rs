use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::{KeySource, Secret, SecretSource};

use super::at::At;
use super::draft::Proxy;
use super::kind::Kind;
use super::later;
use super::origin::Sourced;
use super::reader::Reader;
use super::tidy::tidy;

const PLACES: [&str; 3] = ["file", "env", "command"];

/// Reads a private key's place and what opens it.
pub(super) fn private_key(at: &mut At<'_, '_>) -> Option<Sourced<KeySource>> {
    let table = referring_table(at)?;
    let mistakes = at.reader.mistakes.len();
    let passphrase = table.get("passphrase").and_then(|value| {
        let mut inner = At { reader: at.reader, name: "passphrase", kind: &Kind::Secret, value };
        let table = referring_table(&mut inner)?;
        place(&mut inner, table, &[], "passphrase")
    });
    let pem = place(at, table, &["passphrase"], "private key")?;
    // A key whose passphrase is wrong is not a key without one.
    (at.reader.mistakes.len() == mistakes).then(|| at.sourced(KeySource { pem, passphrase }))
}

/// Reads a proxy's address: text without a password, or an environment variable that may hold one.
pub(super) fn proxy(at: &mut At<'_, '_>) -> Option<Sourced<Proxy>> {
    let (url, variable) = match at.value.get_ref() {
        DeValue::String(text) => (text.to_string(), None),
        DeValue::Table(table) => match place(at, table, &[], "proxy")? {
            SecretSource::Env { name, value } => match value {
                Some(value) => (value.expose().clone(), Some(name)),
                None => return at.mistake(format!("comes from environment variable {name}, which is not set")),
            },
            _ => return at.mistake("comes from a file or command, which is not supported by this version; accepted is an address, or { env = \"NAME\" }"),
        },
        _ => return at.wrong_shape(),
    };
    let url = Secret::new("proxy address", url);
    match proxy_mistake(url.expose(), variable.is_some()) {
        Some(why) => at.mistake(why),
        None => Some(at.sourced(Proxy { url, variable })),
    }
}

fn proxy_mistake(text: &str, may_hold_password: bool) -> Option<&'static str> {
    let Ok(url) = url::Url::parse(text) else {
        return Some("is not an address such as \"http://proxy.example:3128\"");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Some("is not an http or https address such as \"http://proxy.example:3128\"");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Some("has no host");
    }
    if !may_hold_password && (url.password().is_some() || !url.username().is_empty()) {
        return Some(
            "holds a user name or password (not shown), which is a secret; put the address into an environment variable and write { env = \"NAME\" }",
        );
    }
    None
}

/// The table that says where a secret is. Plain text in its place is refused and never shown.
fn referring_table<'r>(at: &mut At<'r, '_>) -> Option<&'r DeTable<'r>> {
    match at.value.get_ref() {
        DeValue::Table(table) => Some(table),
        DeValue::String(text) => {
            let pathlike = !text.contains("-----")
                && text.len() < 200
                && [".key", ".pem", ".txt"].iter().any(|end| text.ends_with(end));
            let hint = if pathlike { "; for a file write { file = \"path\" }" } else { "" };
            let accepts = at.kind.accepts();
            at.mistake(format!("is plain text (not shown), and secrets do not stand in this file{hint}; accepted is {accepts}"))
        }
        _ => at.wrong_shape(),
    }
}

/// Exactly one of `file`, `env` and `command`.
fn place(
    at: &mut At<'_, '_>,
    table: &DeTable<'_>,
    also: &[&str],
    secret: &'static str,
) -> Option<SecretSource> {
    let before = at.reader.mistakes.len();
    let mut places: Vec<(&str, &Spanned<DeValue<'_>>)> = Vec::new();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            name if also.contains(&name) => {}
            name if later::KEY.contains(&name) => at.reader.mistake(key.span(), later::refusal(name)),
            name => match PLACES.iter().find(|place| **place == name) {
                Some(place) => places.push((place, value)),
                None => {
                    let accepted: Vec<&str> = PLACES.iter().chain(also).copied().collect();
                    at.reader.unknown_key(key, &format!("`{}`", at.name), &accepted);
                }
            },
        }
    }
    if at.reader.mistakes.len() > before {
        return None;
    }
    match places.as_slice() {
        [(name, value)] => read_place(at.reader, name, value, secret),
        [] => at.mistake("says nowhere where the secret is; accepted is one of `file`, `env` and `command`"),
        _ => at.mistake(
            "says more than once where the secret is; accepted is one of `file`, `env` and `command`",
        ),
    }
}

fn read_place(
    reader: &mut Reader<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    secret: &'static str,
) -> Option<SecretSource> {
    match name {
        "file" => {
            let kind = Kind::Path;
            let path = At { reader, name, kind: &kind, value }.path()?;
            Some(SecretSource::File(path.value))
        }
        "env" => {
            let kind = Kind::Text { accepts: "the name of an environment variable" };
            let mut at = At { reader, name, kind: &kind, value };
            let variable = at.text()?;
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if variable.is_empty() || variable.len() > 128 || !variable.chars().all(fits) {
                return at.mistake("is not the name of an environment variable (its text is not shown): letters, digits and `_`");
            }
            if at.reader.environment.is_not_text(variable) {
                return at.mistake(format!("names {variable}, whose value is not UTF-8 text"));
            }
            at.reader.referenced.insert(variable.to_string());
            let value = at.reader.environment.get(variable).map(|text| Secret::new(secret, text.to_string()));
            Some(SecretSource::Env { name: variable.to_string(), value })
        }
        _ => {
            let kind = Kind::Texts { accepts: "a list of texts, program first: [\"prog\", \"arg\"]" };
            let mut at = At { reader, name, kind: &kind, value };
            let mut argv = at.texts()?.value;
            if argv[0].is_empty() || argv.iter().any(|argument| argument.contains('\0')) {
                return at.mistake("names no program");
            }
            // A bare name is looked for in PATH; anything with a slash is a path like all others here.
            if argv[0].contains('/') {
                argv[0] = tidy(&at.reader.file.base.join(&argv[0])).to_string_lossy().into_owned();
            }
            Some(SecretSource::Command(argv))
        }
    }
}

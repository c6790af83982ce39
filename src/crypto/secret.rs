use super::secret_command::{self, COMMAND_TIMEOUT};
use super::secret_file::read_secret_file;
use super::{KeyError, KeyMistake, Mistake, Place};
use crate::base::{Secret, SecretSource};

/// Fetches a secret from where the configuration says it is.
///
/// # Shape
///
/// The bytes as they are, but for one line break at the end of a file or of a command's output.
///
/// # Limits
///
/// 1 MiB; a command has 10 s, no shell, no stdin, and its stderr is not kept. Blocks while it waits.
///
/// # Errors
///
/// The secret is not there, empty, or others can read its file ([`KeyMistake::ReadableByOthers`], *denied*).
pub fn read_secret(source: &SecretSource) -> Result<Secret<Vec<u8>>, KeyError> {
    let bytes = match source {
        SecretSource::Env { value: None, .. } => Err(KeyMistake::NotSet),
        SecretSource::Env { value: Some(value), .. } => Ok(value.expose().as_bytes().to_vec()),
        SecretSource::File(path) => {
            read_secret_file(path).map(|(bytes, _)| without_line_break(bytes.expose()).to_vec())
        }
        SecretSource::Command(argv) => {
            secret_command::run(argv, COMMAND_TIMEOUT).map(|bytes| without_line_break(&bytes).to_vec())
        }
    };
    match bytes {
        Ok(bytes) if bytes.is_empty() => Err(KeyMistake::Empty.at(Place::of(source))),
        Ok(bytes) => Ok(Secret::new("secret", bytes)),
        Err(mistake) => Err(mistake.at(Place::of(source))),
    }
}

/// Fetches a passphrase: a secret that is text.
///
/// # Errors
///
/// Those of [`read_secret`], and [`KeyMistake::PassphraseNotText`].
pub fn read_passphrase(source: &SecretSource) -> Result<Secret<String>, KeyError> {
    passphrase_text(read_secret(source)?.expose()).map_err(|mistake| mistake.at(Place::of(source)))
}

/// A passphrase from a secret's bytes.
pub(crate) fn passphrase_text(bytes: &[u8]) -> Result<Secret<String>, KeyMistake> {
    let text = std::str::from_utf8(without_line_break(bytes)).map_err(|_| KeyMistake::PassphraseNotText)?;
    Ok(Secret::new("passphrase", text.to_string()))
}

fn without_line_break(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::base::{Explain, Fault};

    fn env(value: Option<&str>) -> SecretSource {
        let value = value.map(|text| Secret::new("environment variable", text.to_string()));
        SecretSource::Env { name: "ACME_KEY".into(), value }
    }

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_a_secret() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b" two words \r\n\r\n").unwrap();
        let read = read_secret(&SecretSource::File(file.path().into())).unwrap();
        assert_eq!(read.expose(), b" two words \r\n");
        let command = SecretSource::Command(["/bin/echo", "hunter2"].map(String::from).to_vec());
        assert_eq!(read_passphrase(&command).unwrap().expose(), "hunter2");
    }

    #[test]
    fn what_is_missing_is_named_and_never_shown() {
        let error = read_secret(&env(None)).unwrap_err();
        assert_eq!(error.to_string(), "environment variable ACME_KEY is not set");
        assert_eq!((error.code(), error.fault()), ("key.not_found", Fault::Misuse));
        assert_eq!(
            read_secret(&env(Some(""))).unwrap_err().to_string(),
            "environment variable ACME_KEY is empty"
        );
        let silent = SecretSource::Command(vec!["/bin/true".into()]);
        assert_eq!(read_secret(&silent).unwrap_err().to_string(), "output of command `/bin/true` is empty");
        let read = read_secret(&env(Some("hunter2"))).unwrap();
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}

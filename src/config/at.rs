use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::printable;

use super::Origin;
use super::kind::Kind;
use super::looks_secret::looks_secret;
use super::nearest::did_you_mean;
use super::origin::Sourced;
use super::reader::Reader;
use super::tidy::tidy;

/// One value being read: takes it as what its key says it is, or records the mistake.
pub(super) struct At<'r, 'a> {
    pub reader: &'r mut Reader<'a>,
    pub name: &'r str,
    pub kind: &'r Kind,
    pub value: &'r Spanned<DeValue<'r>>,
}

impl<'r> At<'r, '_> {
    pub fn origin(&self) -> Origin {
        self.reader.place(self.value.span())
    }

    pub fn sourced<T>(&self, value: T) -> Sourced<T> {
        Sourced { value, origin: self.origin() }
    }

    pub fn mistake<T>(&mut self, says: impl Display) -> Option<T> {
        self.reader.mistake(self.value.span(), format!("`{}` {says}", self.name));
        None
    }

    /// Another shape than this key has: says which was found, never what stood there.
    pub fn wrong_shape<T>(&mut self) -> Option<T> {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.mistake(format!("is {found}; accepted is {}", self.kind.accepts()))
    }

    pub fn table(&mut self) -> Option<&'r DeTable<'r>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.wrong_shape(),
        }
    }

    pub fn text(&mut self) -> Option<&'r str> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text),
            _ => self.wrong_shape(),
        }
    }

    /// A text that one of base's words is made of; the word's own parser says what is wrong with it.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self) -> Option<Sourced<T>> {
        let text = self.text()?;
        match text.parse() {
            Ok(value) => Some(self.sourced(value)),
            Err(error) => self.refused(text, error),
        }
    }

    /// A text that is not what it should be; shown in the error's words, unless it may be a secret.
    pub fn refused<T>(&mut self, text: &str, error: impl Display) -> Option<T> {
        if looks_secret(text).is_some() || text.contains("://") && text.contains('@') {
            let accepts = self.kind.accepts();
            return self
                .mistake(format!("holds what looks like a secret (not shown); accepted is {accepts}"));
        }
        self.mistake(format!("is refused: {error}"))
    }

    /// A whole number within the key's limits.
    pub fn number(&mut self) -> Option<Sourced<u64>> {
        let limits = match self.kind {
            Kind::Number { min, max } => *min..=*max,
            _ => 0..=u64::MAX,
        };
        let accepts = self.kind.accepts();
        match self.value.get_ref() {
            DeValue::Integer(digits) => {
                let number = i128::from_str_radix(digits.as_str(), digits.radix()).ok();
                let fits = number.and_then(|n| u64::try_from(n).ok()).filter(|n| limits.contains(n));
                match fits {
                    Some(number) => Some(self.sourced(number)),
                    None => {
                        self.mistake(format!("is {}; accepted is {accepts}", printable(digits.as_str(), 24)))
                    }
                }
            }
            DeValue::String(text) if text.parse::<u64>().is_ok() => {
                self.mistake(format!("is a number in quotes; accepted is {accepts}, without quotes"))
            }
            _ => self.wrong_shape(),
        }
    }

    /// One of a few words, with what each stands for.
    pub fn one_of<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<Sourced<T>> {
        let text = self.text()?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(self.sourced(*meaning));
        }
        let found = match looks_secret(text) {
            Some(_) => "another text".to_string(),
            None => format!("`{}`", printable(text, 40)),
        };
        let near = did_you_mean(text, words.iter().map(|(word, _)| *word));
        self.mistake(format!("is {found}; accepted is {}{near}", self.kind.accepts()))
    }

    /// A list of texts, none of them empty, at least one.
    pub fn texts(&mut self) -> Option<Sourced<Vec<String>>> {
        let DeValue::Array(items) = self.value.get_ref() else { return self.wrong_shape() };
        let texts: Option<Vec<String>> =
            items.iter().map(|item| item.get_ref().as_str().map(String::from)).collect();
        match texts {
            Some(texts) if !texts.is_empty() => Some(self.sourced(texts)),
            Some(_) => self.mistake(format!("is an empty list; accepted is {}", self.kind.accepts())),
            None => {
                self.mistake(format!("holds something else than text; accepted is {}", self.kind.accepts()))
            }
        }
    }

    /// A path; a relative one starts at the config file's folder.
    pub fn path(&mut self) -> Option<Sourced<PathBuf>> {
        let written = self.written_path()?;
        let path = tidy(&self.reader.file.base.join(written));
        Some(self.sourced(path))
    }

    /// A path as written, once it is one.
    pub fn written_path(&mut self) -> Option<&'r str> {
        let text = self.text()?;
        match text {
            "" => self.mistake("is an empty path"),
            _ if text.contains("-----BEGIN") => {
                self.mistake("holds PEM text; a path to a file is expected (the text is not shown)")
            }
            _ if text.contains(['\0', '\n']) => self.mistake("holds a character that no path has"),
            _ if text.starts_with("~/") || text == "~" => {
                self.mistake("starts with `~`, which is a shell's word; write the whole path")
            }
            _ => Some(text),
        }
    }
}

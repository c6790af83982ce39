use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use crate::base::printable;

use super::file::SourceFile;
use super::looks_secret::looks_secret;
use super::nearest::did_you_mean;
use super::{Environment, Mistake, Origin};

/// One file being read: what it may refer to, and what was wrong so far.
pub(super) struct Reader<'a> {
    pub file: &'a SourceFile,
    pub environment: &'a Environment,
    pub mistakes: Vec<Mistake>,
    /// Environment variables that the file names.
    pub referenced: BTreeSet<String>,
}

impl Reader<'_> {
    pub fn place(&self, span: Range<usize>) -> Origin {
        self.file.place(span)
    }

    pub fn mistake(&mut self, span: Range<usize>, says: impl Into<String>) {
        let mistake = Mistake::new(self.place(span), says);
        self.mistakes.push(mistake);
    }

    /// A key that is not in the table. Its value is not looked at: it may be a secret.
    pub fn unknown_key(&mut self, key: &Spanned<impl AsRef<str>>, within: &str, accepted: &[&str]) {
        let name = key.get_ref().as_ref();
        let says = match name.len() > 60 || looks_secret(name).is_some() {
            true => format!(
                "a line that starts with neither a key nor a table (its text is not shown); {within} takes {}",
                accepted.join(", ")
            ),
            false => match (instead(name), did_you_mean(name, accepted.iter().copied())) {
                (Some(instead), _) => format!("unknown key `{name}` in {within}; {instead}"),
                (None, near) if near.is_empty() => {
                    format!(
                        "unknown key `{}` in {within}, which takes {}",
                        printable(name, 60),
                        accepted.join(", ")
                    )
                }
                (None, near) => format!("unknown key `{}`{near}", printable(name, 60)),
            },
        };
        self.mistake(key.span(), says);
    }
}

/// What other tools call our keys, and keys that nobody needs here.
fn instead(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "consumer_key" | "consumerkey" | "app_id" => "the consumer key is `client_id`",
        "private_key" | "privatekey" | "key_file" | "keyfile" | "jwt_key_file" | "private_key_file" => {
            "the private key is `key = { file = \"...\" }`"
        }
        "cert" | "crt" | "certificate_file" => "the certificate is `certificate = \"path\"`",
        "user" | "subject" | "sub" => "the Salesforce Username is `username`",
        "aud" => "whom assertions are addressed to is `audience`",
        "url" | "instance_url" | "domain" | "host" | "my_domain" => {
            "where tokens are asked for is `login_url`"
        }
        "passphrase" | "key_passphrase" => {
            "a passphrase stands inside: `key = { file = \"...\", passphrase = { env = \"...\" } }`"
        }
        "client_secret" | "consumer_secret" | "password" | "security_token" | "refresh_token" => {
            "nothing of the kind is needed, the key signs: remove it, and change it if this file was shared"
        }
        _ => return None,
    })
}

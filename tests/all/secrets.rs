//! The search for secrets in what a run leaves behind: raw, in base64 of every alignment, in hex, and URL-encoded.

use std::path::Path;

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

/// The built-in org, as its tokens begin.
const ORG: &str = "00D8d0000000001";

/// The ending of a file that holds what a program printed whose work is to print a token.
pub const PRINTED: &str = "printed";

/// Larger files are no output of ours: programs that were copied into the folder.
const LARGEST: u64 = 8 << 20;

/// The secrets of one run.
#[derive(Default)]
pub struct Secrets {
    forms: Vec<(String, Vec<u8>, bool)>,
}

impl Secrets {
    /// Adds a text. A token may stand on stdout and in its own cache file; nothing else may, anywhere.
    pub fn add(&mut self, kind: &str, text: &str, is_token: bool) {
        self.add_bytes(kind, text.as_bytes(), is_token);
    }

    /// Adds what every token and every assertion of the built-in org begins with, so that also those are found which
    /// nobody wrote down.
    pub fn add_beginnings(&mut self) {
        self.add("an access token", &format!("{ORG}!"), true);
        // {"alg":"RS256","typ":"JWT","kid":"emulator","tty": and {"typ":"JWT","alg":"RS256"}
        self.add(
            "a JWT-format access token",
            "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVtdWxhdG9yIiwidHR5Ij",
            true,
        );
        self.add("an assertion", "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.", false);
    }

    fn add_bytes(&mut self, kind: &str, secret: &[u8], is_token: bool) {
        assert!(secret.len() >= 8, "{kind} is too short to be searched for");
        let mut form = |name: &str, bytes: Vec<u8>| {
            if bytes.len() >= 8 && !self.forms.iter().any(|(_, known, _)| *known == bytes) {
                self.forms.push((format!("{kind} ({name})"), bytes, is_token));
            }
        };
        form("raw", secret.to_vec());
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        form("HEX", hex.to_uppercase().into_bytes());
        form("hex", hex.into_bytes());
        form("URL", url::form_urlencoded::byte_serialize(secret).collect::<String>().into_bytes());
        for skip in 0..3 {
            // Whole groups of three bytes are the same letters wherever the secret begins in a longer text.
            let whole = &secret[skip..skip + (secret.len() - skip) / 3 * 3];
            form("base64", Base64Unpadded::encode_string(whole).into_bytes());
            form("base64url", Base64UrlUnpadded::encode_string(whole).into_bytes());
        }
    }

    /// Adds a private key: each line of its PEM, and its private numbers.
    pub fn add_key(&mut self, path: &Path) {
        let pem = std::fs::read_to_string(path).unwrap();
        let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-') && line.len() > 20).collect();
        for line in &body {
            self.add("a line of the private key", line, false);
        }
        let der = base64ct::Base64::decode_vec(&body.concat()).unwrap_or_default();
        // Modulus and public exponent, which anybody may see, end before byte 300.
        for window in der.get(300..).unwrap_or_default().chunks_exact(48) {
            self.add_bytes("the private key", window, false);
        }
    }

    /// The first secret that `bytes` hold. `tokens_too`: also tokens must not be there.
    pub fn found_in(&self, bytes: &[u8], tokens_too: bool) -> Option<&str> {
        self.forms
            .iter()
            .filter(|(_, _, is_token)| tokens_too || !is_token)
            .find(|(_, needle, _)| holds(bytes, needle))
            .map(|(kind, ..)| kind.as_str())
    }

    /// The line of a text that holds the first secret.
    pub fn line(&self, text: &[u8]) -> String {
        let line = text.split(|byte| *byte == b'\n').find(|line| self.found_in(line, true).is_some());
        String::from_utf8_lossy(line.unwrap_or_default()).into_owned()
    }

    /// Panics where `bytes` hold a secret.
    pub fn sweep(&self, what: &str, bytes: &[u8], tokens_too: bool) {
        assert!(!self.forms.is_empty());
        if let Some(kind) = self.found_in(bytes, tokens_too) {
            panic!(
                "a secret: {what} holds {kind}:\n{}",
                String::from_utf8_lossy(&bytes[..bytes.len().min(4000)])
            );
        }
    }

    /// Sweeps every file below a folder. In the cache files of `tokens/` the token is at home; a file of `own`, where
    /// people put what they have, may hold a key, and what they had printed to there.
    pub fn sweep_folder(&self, folder: &Path, own: &Path) -> usize {
        let mut swept = 0;
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.to_string_lossy().into_owned();
            self.sweep("a file's name", name.as_bytes(), true);
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if metadata.is_dir() {
                swept += self.sweep_folder(&path, own);
            } else if metadata.is_file() && metadata.len() <= LARGEST {
                let bytes = std::fs::read(&path).unwrap_or_default();
                let is_persons_own = folder == own;
                if is_persons_own && holds(&bytes, b"PRIVATE KEY-----") {
                    continue;
                }
                let is_cache = name.contains("/tokens/") && name.contains(".json");
                let is_printed = path.extension().is_some_and(|end| end == PRINTED);
                self.sweep(&name, &bytes, !is_cache && !is_printed && !is_persons_own);
                swept += 1;
            }
        }
        swept
    }
}

/// Whether `needle` is somewhere in `bytes`.
fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

// A search that finds nothing proves nothing unless it can find.
#[test]
fn the_search_finds_each_form_at_each_place() {
    let mut secrets = Secrets::default();
    let secret = "00D8d0000000001!AQ4AQabcdefghijklmnopqrstuvwxyz";
    secrets.add("token", secret, true);
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    for hidden in [
        format!("x{secret}y"),
        format!("token={url}&"),
        hex.to_uppercase(),
        hex,
        Base64Unpadded::encode_string(secret.as_bytes()),
        Base64Unpadded::encode_string(format!("a{secret}").as_bytes()),
        Base64UrlUnpadded::encode_string(format!("ab{secret}zz").as_bytes()),
    ] {
        assert!(secrets.found_in(hidden.as_bytes(), true).is_some(), "{hidden}");
        assert!(secrets.found_in(hidden.as_bytes(), false).is_none(), "{hidden}");
    }
    assert!(secrets.found_in(b"00D8d0000000001 is an org", true).is_none());
    let mut secrets = Secrets::default();
    secrets.add_key(&crate::org::fixture("pkcs8.pem"));
    let der = std::fs::read(crate::org::fixture("key.der")).unwrap();
    assert!(secrets.found_in(&der, true).is_some());
    assert!(
        secrets.found_in(&std::fs::read(crate::org::fixture("certificate.der")).unwrap(), true).is_none()
    );
}

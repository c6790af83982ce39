use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::found::Format;

/// One block of PEM: what stands on its BEGIN line, and the base64 below it, cleaned.
pub(super) struct Block {
    /// `PRIVATE KEY`, `CERTIFICATE` and the like.
    pub label: String,
    base64: Zeroizing<Vec<u8>>,
    encrypted_header: bool,
}

/// Why there is no block to look at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoBlocks {
    Empty,
    Truncated,
    Format(Format),
    Unknown,
}

/// All PEM blocks of `bytes`, in every shape that files, environment variables and secret managers give them.
///
/// Besides RFC 7468's own form: a byte order mark (UTF-16 too, as PowerShell writes), CRLF, the two characters
/// `\n` for a line break, spaces for line breaks, text and quotes around the blocks, and the base64 of all that.
pub(super) fn blocks(bytes: &[u8]) -> Result<Vec<Block>, NoBlocks> {
    let text = plain(bytes);
    if let Some(blocks) = scan(&text)? {
        return Ok(blocks);
    }
    let trimmed = text.trim_ascii();
    if trimmed.is_empty() {
        return Err(NoBlocks::Empty);
    }
    if let Some(format) = Format::of(trimmed) {
        return Err(NoBlocks::Format(format));
    }
    let inner = unwrap_base64(trimmed).ok_or(NoBlocks::Unknown)?;
    let inner = plain(&inner);
    match scan(&inner)? {
        Some(blocks) => Ok(blocks),
        None => Err(match Format::of(&inner) {
            Some(Format::DerKey) => NoBlocks::Format(Format::BareBase64),
            Some(format) => NoBlocks::Format(format),
            None => NoBlocks::Unknown,
        }),
    }
}

/// `bytes` without a byte order mark, as one byte a character.
fn plain(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let wide = |from: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        Zeroizing::new(units.map(|unit| u8::try_from(unit).unwrap_or(b'?')).collect())
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => Zeroizing::new(rest.to_vec()),
        _ => Zeroizing::new(bytes.to_vec()),
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The blocks of `text`; `None` where there is not even the start of one.
fn scan(text: &[u8]) -> Result<Option<Vec<Block>>, NoBlocks> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(start) = find(rest, BEGIN) {
        let after = &rest[start + BEGIN.len()..];
        let Some(label) = label(after) else {
            let unfinished = after.len() <= MAX_LABEL && find(after, b"\n").is_none();
            if unfinished {
                return Err(NoBlocks::Truncated);
            }
            rest = after;
            continue;
        };
        let body = &after[label.len() + DASHES.len()..];
        let end = find(body, END).ok_or(NoBlocks::Truncated)?;
        if find(&body[..end], BEGIN).is_some() {
            return Err(NoBlocks::Truncated);
        }
        let closing = &body[end + END.len()..];
        if !(closing.starts_with(label) && closing[label.len()..].starts_with(DASHES)) {
            return Err(NoBlocks::Truncated);
        }
        blocks.push(Block {
            label: String::from_utf8_lossy(label).into_owned(),
            base64: clean(&body[..end]),
            encrypted_header: find(&body[..end], b"Proc-Type:").is_some()
                && find(&body[..end], b"ENCRYPTED").is_some(),
        });
        rest = &closing[label.len() + DASHES.len()..];
    }
    if blocks.is_empty() && find(text, b"-----BEGIN").is_some() {
        return Err(NoBlocks::Truncated);
    }
    Ok((!blocks.is_empty()).then_some(blocks))
}

/// Longer than any label in use.
const MAX_LABEL: usize = 40;

/// The label that starts `text`, up to its dashes.
fn label(text: &[u8]) -> Option<&[u8]> {
    let window = &text[..text.len().min(MAX_LABEL + DASHES.len())];
    let label = &window[..find(window, DASHES)?];
    let known = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ';
    (!label.is_empty() && label.iter().all(known)).then_some(label)
}

/// A block's base64 without line breaks of any kind.
fn clean(body: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut rest = body.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => {
                while rest.next_if_eq(&b'\\').is_some() {}
                rest.next_if(|next| matches!(next, b'n' | b'r' | b't'));
            }
            byte if byte.is_ascii_whitespace() => {}
            byte => out.push(byte),
        }
    }
    out
}

/// What `text` is the base64 of, in the plain or the URL alphabet, padded or not.
fn unwrap_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.strip_prefix(b"base64:").unwrap_or(text);
    let mut base64 = clean(text);
    base64.retain(|byte| !matches!(byte, b'"' | b'\'' | b'='));
    for byte in base64.iter_mut() {
        match *byte {
            b'-' => *byte = b'+',
            b'_' => *byte = b'/',
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => {}
            _ => return None,
        }
    }
    // One character alone at the end is the mark of a copy that was cut; what is before it can still be named.
    if base64.len() % 4 == 1 {
        base64.pop();
    }
    let mut out = Zeroizing::new(vec![0; base64.len()]);
    let unused = base64ct::Base64Unpadded::decode(&*base64, &mut out).ok()?.len();
    out.truncate(unused);
    (!out.is_empty()).then_some(out)
}

impl Block {
    /// Whether this is a private key of any kind.
    pub fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY") && self.label != "OPENSSH PRIVATE KEY"
    }

    /// Whether this is a certificate.
    pub fn is_certificate(&self) -> bool {
        matches!(self.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE")
    }

    /// Whether OpenSSL's traditional encryption is on it.
    pub fn is_traditionally_encrypted(&self) -> bool {
        self.encrypted_header
    }

    /// The DER of a secret block: constant time, and no copy is left behind.
    pub fn secret_der(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut der = Zeroizing::new(vec![0; self.base64.len()]);
        let length = Base64::decode(&*self.base64, &mut der).ok()?.len();
        der.truncate(length);
        (!der.is_empty()).then_some(der)
    }

    /// The DER of a certificate.
    pub fn certificate_der(&self) -> Option<Vec<u8>> {
        let text =
            [b"-----BEGIN CERTIFICATE-----\n", &self.base64[..], b"\n-----END CERTIFICATE-----\n"].concat();
        match rustls_pemfile::read_one_from_slice(&text) {
            Ok(Some((rustls_pemfile::Item::X509Certificate(der), _))) => Some(der.to_vec()),
            _ => None,
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "-----BEGIN PRIVATE KEY-----\nAQID\nBAUG\n-----END PRIVATE KEY-----\n";

    fn ders(bytes: &[u8]) -> Vec<Vec<u8>> {
        let blocks = blocks(bytes).unwrap_or_else(|error| panic!("{error:?}"));
        blocks.iter().map(|block| block.secret_der().expect("base64").to_vec()).collect()
    }

    #[test]
    fn a_block_reads_the_same_in_every_shape_people_have() {
        let wide: Vec<u8> = ONE.bytes().flat_map(|byte| [byte, 0]).collect();
        let base64 = Base64::encode_string(ONE.as_bytes());
        let shapes: Vec<Vec<u8>> = vec![
            ONE.into(),
            ONE.replace('\n', "\r\n").into(),
            ONE.replace('\n', "\r").into(),
            ONE.replace('\n', "\\n").into(),
            ONE.replace('\n', "\\\\n").into(),
            ONE.replace('\n', "\\r\\n").into(),
            ONE.replace('\n', " ").into(),
            format!("\u{feff}{ONE}").into(),
            format!("\"{}\"", ONE.replace('\n', "\\n")).into(),
            format!("{{\"private_key\": \"{}\"}}", ONE.replace('\n', "\\n")).into(),
            format!("Bag Attributes\n    friendlyName: x\n{ONE}").into(),
            [&[0xff, 0xfe], wide.as_slice()].concat(),
            base64.clone().into(),
            format!("{base64}\n").into(),
            base64.trim_end_matches('=').into(),
            base64.as_bytes().chunks(20).collect::<Vec<_>>().join(&b'\n'),
            Base64::encode_string(ONE.replace('\n', "\r\n").as_bytes()).into(),
        ];
        for shape in shapes {
            assert_eq!(ders(&shape), [[1, 2, 3, 4, 5, 6]], "{}", String::from_utf8_lossy(&shape));
        }
    }

    #[test]
    fn every_cut_is_called_a_cut() {
        // faults C1
        for length in "-----BEGIN".len()..ONE.trim_end().len() {
            let cut = &ONE.as_bytes()[..length];
            assert_eq!(blocks(cut).err(), Some(NoBlocks::Truncated), "{}", String::from_utf8_lossy(cut));
        }
    }

    #[test]
    fn a_block_that_swallows_the_next_one_is_cut() {
        let text = format!("-----BEGIN PRIVATE KEY-----\nAQID\n{ONE}");
        assert_eq!(blocks(text.as_bytes()).err(), Some(NoBlocks::Truncated));
    }

    #[test]
    fn what_is_no_pem_is_named() {
        for empty in ["", " \n\t", "\u{feff}", "\u{feff}\r\n"] {
            assert_eq!(blocks(empty.as_bytes()).err(), Some(NoBlocks::Empty), "{empty:?}");
        }
        assert_eq!(blocks(b"hello, world").err(), Some(NoBlocks::Unknown));
        let bare = Base64::encode_string(&[0x30, 0x82, 4, 0xbe, 2, 1, 0, 0x30, 0]);
        assert_eq!(blocks(bare.as_bytes()).err(), Some(NoBlocks::Format(Format::BareBase64)));
    }
}

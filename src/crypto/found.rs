use std::fmt;

/// A file that is no PEM at all, told by its first bytes; each has a command that turns it into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// PKCS#12, as `.p12` and `.pfx` come.
    Pkcs12,
    /// A Java keystore, JKS or JCEKS. Salesforce's own "Export to Keystore" gives one.
    JavaKeystore,
    /// PuTTY's `.ppk`.
    Putty,
    /// A private key in DER.
    DerKey,
    /// A certificate in DER.
    DerCertificate,
    /// The base64 of a key, its BEGIN and END lines lost.
    BareBase64,
    /// A JSON Web Key or other JSON.
    Json,
    /// An OpenSSH public key line.
    SshPublicKey,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Pkcs12 => "a PKCS#12 file",
            Format::JavaKeystore => "a Java keystore",
            Format::Putty => "a PuTTY key",
            Format::DerKey => "a private key in DER",
            Format::DerCertificate => "a certificate in DER",
            Format::BareBase64 => "the base64 of a key without its BEGIN and END lines",
            Format::Json => "JSON",
            Format::SshPublicKey => "an OpenSSH public key",
        })
    }
}

impl Format {
    /// What `bytes` are, where their beginning tells it.
    ///
    /// # Source
    ///
    /// RFC 7292 §4 (PFX: version 3), RFC 5958 §2 and RFC 8017 §A.1.2 (keys: version 0 or 1), RFC 5280 §4.1
    /// (certificate: a sequence in a sequence); `sun.security.provider.JavaKeyStore` for the magic numbers.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) || bytes.starts_with(&[0xce, 0xce, 0xce, 0xce]) {
            return Some(Format::JavaKeystore);
        }
        if bytes.starts_with(b"PuTTY-User-Key-File-") {
            return Some(Format::Putty);
        }
        if bytes.starts_with(b"ssh-") || bytes.starts_with(b"ecdsa-sha2-") {
            return Some(Format::SshPublicKey);
        }
        if bytes.first() == Some(&b'{') {
            return Some(Format::Json);
        }
        match sequence(bytes)? {
            [0x02, 0x01, 0x03, 0x30, ..] => Some(Format::Pkcs12),
            [0x02, 0x01, 0x00 | 0x01, ..] => Some(Format::DerKey),
            // EncryptedPrivateKeyInfo: an algorithm whose OID is of PKCS#5 or PKCS#12.
            [0x30, _, 0x06, 0x09 | 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05 | 0x0c, ..] => {
                Some(Format::DerKey)
            }
            [0x30, ..] => Some(Format::DerCertificate),
            _ => None,
        }
    }
}

/// The content of a DER or BER sequence that begins `bytes`.
fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [0x30, 0x80, rest @ ..] => Some(rest),
        [0x30, length, rest @ ..] if *length < 0x80 => Some(rest),
        [0x30, length, rest @ ..] if (0x81..=0x84).contains(length) => rest.get(usize::from(length & 0x7f)..),
        _ => None,
    }
}

/// The words for a PEM label: what a person would call the block.
pub(super) fn block_name(label: &str) -> String {
    let name = match label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => "a CERTIFICATE",
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => "a CERTIFICATE REQUEST",
        "PUBLIC KEY" => "a PUBLIC KEY",
        "RSA PUBLIC KEY" => "an RSA PUBLIC KEY",
        "X509 CRL" => "a certificate revocation list",
        "PKCS7" | "CMS" => "a PKCS7 bundle of certificates",
        "EC PARAMETERS" => "EC PARAMETERS",
        "DH PARAMETERS" | "DSA PARAMETERS" => "key PARAMETERS",
        other => return format!("a block called {}", crate::base::printable(other, 40)),
    };
    name.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_format() {
        let cases: [(&[u8], Option<Format>); 10] = [
            (&[0x30, 0x82, 9, 9, 2, 1, 3, 0x30, 0x82], Some(Format::Pkcs12)),
            (&[0x30, 0x80, 2, 1, 3, 0x30, 0x80], Some(Format::Pkcs12)),
            (&[0x30, 0x82, 4, 0xbe, 2, 1, 0, 0x30], Some(Format::DerKey)),
            (&[0x30, 0x82, 4, 0xa4, 2, 1, 0, 2, 0x82], Some(Format::DerKey)),
            (&[0x30, 0x82, 3, 3, 0x30, 0x82], Some(Format::DerCertificate)),
            (&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], Some(Format::JavaKeystore)),
            (b"PuTTY-User-Key-File-3: ssh-rsa", Some(Format::Putty)),
            (b"{\"kty\":\"RSA\"}", Some(Format::Json)),
            (b"ssh-rsa AAAA", Some(Format::SshPublicKey)),
            (b"hello", None),
        ];
        for (bytes, format) in cases {
            assert_eq!(Format::of(bytes), format, "{bytes:02x?}");
        }
    }
}

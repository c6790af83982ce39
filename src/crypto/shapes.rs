//! Every shape of key that people have, as OpenSSL and OpenSSH write it, and every wrong thing, by name.

use base64ct::{Base64, Encoding};
use rsa::pkcs1::{self, UintRef};
use rsa::pkcs8::der::Encode;

use super::*;
use crate::base::{Explain, Fault, Secret};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/fixtures/keys/", $name)).as_slice()
    };
}

fn passphrase(text: &str) -> Secret<String> {
    Secret::new("passphrase", text.into())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The error for `bytes`, as a person sees it, and its code.
fn refusal(bytes: &[u8]) -> (String, &'static str) {
    let error = read_private_key(bytes, None).unwrap_err();
    (error.to_string(), error.code())
}

#[test]
fn one_key_reads_the_same_from_every_shape() {
    let expected = read_certificate(fixture!("certificate.pem")).unwrap().key_id();
    let (pkcs8, pkcs1) = (text(fixture!("pkcs8.pem")), text(fixture!("pkcs1.pem")));
    let certificate = text(fixture!("certificate.pem"));
    let mut shapes: Vec<(&str, String)> = vec![
        ("PKCS#8", pkcs8.clone()),
        ("PKCS#1", pkcs1.clone()),
        ("a bundle of openssl pkcs12", text(fixture!("bundle.pem"))),
        ("certificate, then key", format!("{certificate}{pkcs8}")),
        ("key, then certificate", format!("{pkcs1}{certificate}")),
        ("the same key twice", format!("{pkcs1}{pkcs8}")),
    ];
    for (name, pem) in shapes.clone() {
        // faults C2
        shapes.push((name, format!("\u{feff}{pem}")));
        shapes.push((name, pem.replace('\n', "\r\n")));
        shapes.push((name, pem.replace('\n', "\\n")));
        shapes.push((name, pem.replace('\n', " ")));
        shapes.push((name, Base64::encode_string(pem.as_bytes())));
    }
    for (name, pem) in shapes {
        let key =
            read_private_key(pem.as_bytes(), None).unwrap_or_else(|error| panic!("{name}: {error}\n{pem}"));
        assert_eq!((key.key_id(), key.bits()), (expected.clone(), 2048), "{name}");
    }
    assert_eq!(read_private_key(fixture!("bits-4096.pem"), None).unwrap().bits(), 4096);
}

#[test]
fn encrypted_keys_open_with_their_passphrase_and_with_no_other() {
    let expected = read_private_key(fixture!("pkcs8.pem"), None).unwrap().key_id();
    let files = [
        fixture!("encrypted-aes256-sha256.pem"),
        fixture!("encrypted-aes192-sha512.pem"),
        fixture!("encrypted-aes128-sha1.pem"),
        fixture!("encrypted-scrypt.pem"),
    ];
    for file in files {
        let one_line = text(file).replace('\n', "\\n");
        for pem in [file, one_line.as_bytes()] {
            let key = read_private_key(pem, Some(&passphrase("opensesame"))).unwrap();
            assert_eq!(key.key_id(), expected);
        }
        let (message, code) = refusal(file);
        assert_eq!(
            (message.as_str(), code),
            ("the key is encrypted, and no passphrase is given", "key.encrypted")
        );
        // faults C5
        for wrong in ["", "opensesame ", "Opensesame"] {
            let error = read_private_key(file, Some(&passphrase(wrong))).unwrap_err();
            assert_eq!(error.to_string(), "the key is encrypted, and the passphrase given does not open it");
            assert_eq!((error.code(), error.fault()), ("key.passphrase", Fault::Misuse));
        }
    }
}

#[test]
fn each_wrong_thing_is_called_by_its_name() {
    let cases: [(&str, &[u8], &str, &str); 24] = [
        (
            "certificate",
            fixture!("certificate.pem"),
            "holds a CERTIFICATE, not a private key",
            "key.wrong_block",
        ),
        (
            "request",
            fixture!("request.pem"),
            "holds a CERTIFICATE REQUEST, not a private key",
            "key.wrong_block",
        ),
        ("public", fixture!("public.pem"), "holds a PUBLIC KEY, not a private key", "key.wrong_block"),
        (
            "public 1",
            fixture!("public-pkcs1.pem"),
            "holds an RSA PUBLIC KEY, not a private key",
            "key.wrong_block",
        ),
        (
            "PKCS7",
            fixture!("pkcs7.pem"),
            "holds a PKCS7 bundle of certificates, not a private key",
            "key.wrong_block",
        ),
        (
            "OpenSSH",
            fixture!("openssh.pem"),
            "holds an OPENSSH PRIVATE KEY, a format that only OpenSSH reads",
            "key.wrong_block",
        ),
        (
            "OpenSSH public",
            fixture!("openssh-public.txt"),
            "is an OpenSSH public key, not a private key in PEM",
            "key.wrong_format",
        ),
        // faults C6
        ("EC", fixture!("ec.pem"), "holds an EC key; Salesforce accepts RSA only", "key.not_rsa"),
        ("EC, SEC 1", fixture!("ec-sec1.pem"), "holds an EC key; Salesforce accepts RSA only", "key.not_rsa"),
        (
            "Ed25519",
            fixture!("ed25519.pem"),
            "holds an Ed25519 key; Salesforce accepts RSA only",
            "key.not_rsa",
        ),
        ("DSA", fixture!("dsa.pem"), "holds a DSA key; Salesforce accepts RSA only", "key.not_rsa"),
        (
            "DSA, old",
            fixture!("dsa-traditional.pem"),
            "holds a DSA key; Salesforce accepts RSA only",
            "key.not_rsa",
        ),
        (
            "PSS",
            fixture!("rsa-pss.pem"),
            "holds an RSASSA-PSS-only (so not RS256) key; Salesforce accepts RSA only",
            "key.not_rsa",
        ),
        (
            "1024",
            fixture!("bits-1024.pem"),
            "holds an RSA key of 1024 bits; 2048 is the least that is accepted",
            "key.too_small",
        ),
        (
            "PKCS#12",
            fixture!("bundle.pkcs12"),
            "is a PKCS#12 file, not a private key in PEM",
            "key.wrong_format",
        ),
        (
            "JKS",
            b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01",
            "is a Java keystore, not a private key in PEM",
            "key.wrong_format",
        ),
        (
            "PuTTY",
            b"PuTTY-User-Key-File-3: ssh-rsa\n",
            "is a PuTTY key, not a private key in PEM",
            "key.wrong_format",
        ),
        ("DER", fixture!("key.der"), "is a private key in DER, not a private key in PEM", "key.wrong_format"),
        (
            "DER 1",
            fixture!("key-pkcs1.der"),
            "is a private key in DER, not a private key in PEM",
            "key.wrong_format",
        ),
        (
            "DER, locked",
            fixture!("encrypted.der"),
            "is a private key in DER, not a private key in PEM",
            "key.wrong_format",
        ),
        (
            "DER cert",
            fixture!("certificate.der"),
            "is a certificate in DER, not a private key in PEM",
            "key.wrong_format",
        ),
        ("nothing", b"", "is empty", "key.empty"),
        ("only a mark", b"\xef\xbb\xbf\r\n", "is empty", "key.empty"),
        ("a letter", b"Dear administrator,\n", "holds no PEM block", "key.wrong_block"),
    ];
    for (name, bytes, message, code) in cases {
        assert_eq!(refusal(bytes), (format!("the key {message}"), code), "{name}");
    }
    let two = [fixture!("pkcs8.pem"), fixture!("other.pem")].concat();
    assert_eq!(refusal(&two), ("the key holds 2 different private keys".into(), "key.several_keys"));
    let base64 = Base64::encode_string(fixture!("key.der"));
    let bare = "the key is the base64 of a key without its BEGIN and END lines, not a private key in PEM";
    assert_eq!(refusal(base64.as_bytes()), (bare.into(), "key.wrong_format"));
}

#[test]
fn old_and_costly_encryption_is_named_and_never_tried() {
    // faults C3, C4
    let cases = [
        (
            fixture!("traditional.pem"),
            "is encrypted in the traditional way (Proc-Type: 4,ENCRYPTED), which is not supported",
        ),
        (fixture!("encrypted-des3.pem"), "is encrypted with triple DES (PBES2), which is not supported"),
        (
            fixture!("encrypted-pbe-3des.pem"),
            "is encrypted with SHA-1 and triple DES (PKCS#12), which is not supported",
        ),
        (
            fixture!("encrypted-costly.pem"),
            "takes too much work to decrypt (20000000 rounds of PBKDF2; 10000000 are the most)",
        ),
    ];
    for (file, message) in cases {
        let error = read_private_key(file, Some(&passphrase("opensesame"))).unwrap_err();
        assert_eq!(
            (error.to_string(), error.code()),
            (format!("the key {message}"), "key.legacy_encryption")
        );
        assert!(error.hints()[0].as_str().contains("openssl pkcs8 -topk8"), "{:?}", error.hints());
    }
}

#[test]
fn a_half_written_file_ends_early_wherever_it_is_cut() {
    // faults C1
    for pem in [fixture!("pkcs8.pem"), fixture!("bundle.pem")] {
        let whole = pem.trim_ascii_end();
        let first = whole.windows(10).position(|window| window == b"-----BEGIN").unwrap() + 10;
        for length in (first..whole.len()).step_by(7).chain([whole.len() - 1]) {
            let mistake = read_private_key(&whole[..length], None).map(|_| ()).unwrap_err();
            let between_blocks = matches!(mistake.mistake(), KeyMistake::WrongBlock { .. });
            assert!(mistake.code() == "key.truncated" || between_blocks, "{length}: {mistake}");
        }
    }
}

#[test]
fn a_damaged_key_is_refused_for_its_damage() {
    let pem = text(fixture!("pkcs8.pem"));
    let lines: Vec<&str> = pem.lines().collect();
    let without_a_line = [&lines[..10], &lines[11..]].concat().join("\n");
    assert_eq!(refusal(without_a_line.as_bytes()).1, "key.damaged");
    assert_eq!(refusal(pem.replace("\nMII", "\n!II").as_bytes()).1, "key.damaged");
    assert_eq!(refusal(b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n").1, "key.damaged");
}

/// The fixture's key with some of its numbers changed.
fn forged(change: impl FnOnce(&mut [Vec<u8>; 8])) -> (String, &'static str) {
    let good = pkcs1::RsaPrivateKey::try_from(fixture!("key-pkcs1.der")).unwrap();
    let parts = [
        good.modulus,
        good.public_exponent,
        good.private_exponent,
        good.prime1,
        good.prime2,
        good.exponent1,
        good.exponent2,
        good.coefficient,
    ];
    let mut numbers = parts.map(|part| part.as_bytes().to_vec());
    change(&mut numbers);
    let number = |index: usize| UintRef::new(&numbers[index]).unwrap();
    let key = pkcs1::RsaPrivateKey {
        modulus: number(0),
        public_exponent: number(1),
        private_exponent: number(2),
        prime1: number(3),
        prime2: number(4),
        exponent1: number(5),
        exponent2: number(6),
        coefficient: number(7),
        other_prime_infos: None,
    };
    refusal(write::armor("RSA PRIVATE KEY", &key.to_der().unwrap()).as_bytes())
}

#[test]
fn numbers_that_do_not_belong_together_are_refused() {
    let message = |what: &str| {
        (
            format!("the key holds an RSA key whose numbers do not belong together ({what})"),
            "key.inconsistent",
        )
    };
    for part in 5..8 {
        let flipped = forged(|numbers| *numbers[part].last_mut().unwrap() ^= 2);
        assert_eq!(flipped, message("its CRT parts"), "part {part}");
    }
    assert_eq!(forged(|numbers| *numbers[0].last_mut().unwrap() ^= 2), message("modulus and primes"));
    assert_eq!(forged(|numbers| numbers.swap(2, 3)), message("modulus and primes"));
    assert_eq!(forged(|numbers| numbers[3] = vec![1]), message("modulus and primes"));
    assert_eq!(forged(|numbers| *numbers[2].last_mut().unwrap() ^= 2), message("its exponents"));
    for exponent in [vec![1], vec![2], vec![1, 0, 0]] {
        let (text, code) = forged(|numbers| numbers[1] = exponent.clone());
        assert!(text.contains("exponent") && code == "key.inconsistent", "{exponent:?}: {text}");
    }
    assert_eq!(forged(|numbers| numbers[1] = vec![1; 200]), message("its public exponent"));
    assert_eq!(forged(|numbers| numbers[2] = vec![1; 5000]), message("a part is longer than the modulus"));
    let huge = forged(|numbers| numbers[0] = vec![0xff; 1025]);
    assert_eq!(
        huge,
        ("the key holds an RSA key of 8200 bits; 8192 is the most that is accepted".into(), "key.too_large")
    );
}

#[test]
fn a_wrong_thing_comes_with_the_command_to_run_on_it() {
    let path = std::path::Path::new("/run/my keys/it's");
    let hint = |bytes: &[u8]| {
        let error = read_private_key(bytes, None).unwrap_err().at(Place::file(path));
        error.hints()[0].as_str().to_string()
    };
    let p12 = hint(fixture!("bundle.pkcs12"));
    assert_eq!(
        p12,
        r"run `(umask 077; openssl pkcs12 -in '/run/my keys/it'\''s' -nodes -out new.pem)` and use new.pem"
    );
    assert!(hint(fixture!("openssh.pem")).contains("ssh-keygen -p -m PKCS8 -f new.key"));
    assert!(hint(fixture!("certificate.pem")).contains("`certificate`"));
}

#[test]
fn a_certificate_tells_what_openssl_tells() {
    let certificate = read_certificate(fixture!("certificate.pem")).unwrap();
    assert_eq!(certificate.subject(), "O=Acme, CN=throw-away");
    assert_eq!(certificate.issuer(), certificate.subject());
    assert_eq!(read_certificate(fixture!("certificate.der")).unwrap(), certificate);
    assert_eq!(read_certificate(fixture!("bundle.pem")).unwrap(), certificate);
    assert_eq!(read_certificate(certificate.pem().as_bytes()).unwrap(), certificate);
    assert_eq!(certificate.pem().as_bytes(), fixture!("certificate.pem"));
    // openssl x509 -in certificate.pem -noout -serial -dates -fingerprint [-sha256]
    assert_eq!(certificate.serial(), "32bf18c9ee68019d2d821748caca3bb6a304a21a");
    assert_eq!(certificate.not_before().to_string(), "2026-11-22T23:22:41Z");
    assert_eq!(certificate.not_after().to_string(), "2126-10-29T23:22:41Z");
    assert_eq!(certificate.sha1(), "a540fcc5e42f02300c5275b546414a24324ed640");
    assert_eq!(certificate.sha256(), "b119a6a7035b10e87318c000ce4a8b9a0445bf1399e30b0dd5db9e686cf935ec");
}

#[test]
fn what_is_no_certificate_is_named() {
    let refusal = |bytes: &[u8]| {
        let error = read_certificate(bytes).unwrap_err();
        (error.to_string(), error.code())
    };
    let cut = &fixture!("certificate.pem")[..600];
    let cases: [(&[u8], &str, &str); 7] = [
        (fixture!("pkcs8.pem"), "holds a private key, not a certificate", "certificate.wrong_block"),
        (
            fixture!("request.pem"),
            "holds a CERTIFICATE REQUEST, not a certificate",
            "certificate.wrong_block",
        ),
        (fixture!("bundle.pkcs12"), "holds a PKCS#12 file, not a certificate", "certificate.wrong_block"),
        (cut, "ends early: its last block has no END line", "certificate.unreadable"),
        (b"", "is empty", "certificate.unreadable"),
        (
            b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "holds a damaged CERTIFICATE",
            "certificate.unreadable",
        ),
        (&[0x30, 0x03, 0x30, 0x01, 0x00], "holds a damaged CERTIFICATE", "certificate.unreadable"),
    ];
    for (bytes, message, code) in cases {
        assert_eq!(refusal(bytes), (format!("the certificate {message}"), code));
    }
}

#[test]
fn no_error_and_no_debug_text_holds_a_byte_of_the_key() {
    let pem = text(fixture!("encrypted-aes256-sha256.pem"));
    let secret_lines: Vec<&str> = pem.lines().filter(|line| line.len() == 64).collect();
    let damaged = pem.replace("-----END", "====END");
    for bytes in [pem.as_bytes(), damaged.as_bytes(), &pem.as_bytes()[..500]] {
        let error = read_private_key(bytes, Some(&passphrase("hunter2"))).unwrap_err();
        let shown = format!("{error} {error:?} {error:#?} {:?}", error.hints());
        assert!(
            !shown.contains("hunter2") && secret_lines.iter().all(|line| !shown.contains(line)),
            "{shown}"
        );
    }
    let key = read_private_key(fixture!("pkcs8.pem"), None).unwrap();
    assert_eq!(format!("{key:?}"), format!("PrivateKey(RSA 2048, {})", key.key_id().short()));
}

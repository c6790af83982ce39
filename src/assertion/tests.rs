//! Signatures are judged by the `rsa` crate, which had no part in making them.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use base64ct::{Base64UrlUnpadded, Encoding};

use super::*;
use crate::base::*;
use crate::crypto::{KeyMistake, PrivateKey, issue, read_private_key, verify};

const KEY: &str = include_str!("../../tests/fixtures/keys/pkcs8.pem");
const OTHER: &str = include_str!("../../tests/fixtures/keys/other.pem");
const CERTIFICATE: &str = include_str!("../../tests/fixtures/keys/certificate.pem");
const OTHER_CERTIFICATE: &str = include_str!("../../tests/fixtures/keys/other-certificate.pem");

fn key(pem: &str) -> PrivateKey {
    read_private_key(pem.as_bytes(), None).unwrap()
}

/// A folder with a key and a certificate, as a user has it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(key: &str, certificate: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("key.pem", key);
        folder.write("certificate.pem", certificate);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// In place, as an editor or `cp` writes.
    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Whole, by rename.
    fn publish(&self, name: &str, content: &str) {
        self.write("new", content);
        std::fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    fn open(&self) -> Result<LocalKey, crate::crypto::KeyError> {
        LocalKey::open(&from_file(&self.path("key.pem")), Some(&self.path("certificate.pem")))
    }
}

fn from_file(path: &Path) -> KeySource {
    KeySource { pem: SecretSource::File(path.into()), passphrase: None }
}

fn signed_by(signature: &[u8], key: &PrivateKey) -> bool {
    verify::key_signed(key.public_key_spki_der(), b"message", signature)
}

#[tokio::test]
async fn a_signature_verifies_by_a_library_that_did_not_make_it() {
    let folder = Folder::with(KEY, CERTIFICATE);
    let signer = folder.open().unwrap();
    let signature = signer.sign(b"message").await.unwrap();
    assert!(signed_by(&signature, &key(KEY)));
    assert!(!signed_by(&signature, &key(OTHER)));
    assert!(!verify::key_signed(key(KEY).public_key_spki_der(), b"another message", &signature));
    assert_eq!(signer.key_id(), key(KEY).key_id());
    let facts = signer.certificate().unwrap();
    assert_eq!(facts.subject, "O=Acme, CN=throw-away");
    assert!(facts.not_before < facts.not_after);
}

#[tokio::test]
async fn an_assertion_is_header_claims_and_signature() {
    let folder = Folder::with(KEY, CERTIFICATE);
    let signer = folder.open().unwrap();
    let claims = Claims {
        iss: "3MVG9abcdefghijklmnop".parse().unwrap(),
        sub: "integration@acme.example".parse().unwrap(),
        aud: "https://login.salesforce.com".parse().unwrap(),
        exp: UnixSeconds::new(1_795_381_370),
    };
    let assertion = assertion(&claims, &signer).await.unwrap();
    let (signed, signature) = assertion.expose().rsplit_once('.').unwrap();
    let (header, body) = signed.split_once('.').unwrap();
    let decode = |part: &str| Base64UrlUnpadded::decode_vec(part).unwrap();
    assert_eq!(String::from_utf8(decode(header)).unwrap(), r#"{"typ":"JWT","alg":"RS256"}"#);
    assert_eq!(
        String::from_utf8(decode(body)).unwrap(),
        r#"{"iss":"3MVG9abcdefghijklmnop","sub":"integration@acme.example","aud":"https://login.salesforce.com","exp":1795381370}"#
    );
    let spki = key(KEY);
    assert!(verify::key_signed(spki.public_key_spki_der(), signed.as_bytes(), &decode(signature)));
    assert!(!format!("{assertion:?} {signer:?}").contains(signature));
}

// faults C7
#[test]
fn a_certificate_of_another_key_is_refused_before_anything_else() {
    let folder = Folder::with(KEY, OTHER_CERTIFICATE);
    let error = folder.open().unwrap_err();
    let (key, certificate) = (folder.path("key.pem"), folder.path("certificate.pem"));
    assert_eq!(
        error.to_string(),
        format!(
            "file {} does not belong to the certificate in file {}",
            key.display(),
            certificate.display()
        )
    );
    assert_eq!((error.code(), error.fault()), ("key.certificate_mismatch", Fault::Misuse));
    assert!(error.hints()[0].as_str().contains("CN=somebody else"));
    // A bundle is held to the same: its certificate is the key's, or it is a mistake.
    folder.write("bundle.pem", &format!("{KEY}{OTHER_CERTIFICATE}"));
    let bundle = LocalKey::open(&from_file(&folder.path("bundle.pem")), None).unwrap_err();
    assert_eq!(bundle.code(), "key.certificate_mismatch");
    folder.write("chain.pem", &format!("{KEY}{OTHER_CERTIFICATE}{CERTIFICATE}"));
    let chain = LocalKey::open(&from_file(&folder.path("chain.pem")), None).unwrap();
    assert_eq!(chain.certificate().unwrap().subject, "O=Acme, CN=throw-away");
}

// faults C13
#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_to_run() {
    let folder = Folder::with(KEY, CERTIFICATE);
    let path = folder.path("key.pem");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = folder.open().unwrap_err();
    assert_eq!(error.to_string(), format!("file {} can be read by others (mode 0644)", path.display()));
    assert_eq!((error.code(), error.fault()), ("key.readable_by_others", Fault::Denied));
    assert!(error.hints()[0].as_str().contains(&format!("chmod 600 {}", path.display())));
}

#[test]
fn a_passphrase_may_lie_in_a_file_or_a_variable() {
    let folder = Folder::with(include_str!("../../tests/fixtures/keys/encrypted-scrypt.pem"), CERTIFICATE);
    let open = |passphrase: Option<SecretSource>| {
        let pem = SecretSource::File(folder.path("key.pem"));
        LocalKey::open(&KeySource { pem, passphrase }, None).map(|signer| signer.key_id())
    };
    folder.write("passphrase", "opensesame\n");
    let variable = Secret::new("passphrase", "opensesame".to_string());
    let expected = key(KEY).key_id();
    assert_eq!(open(Some(SecretSource::File(folder.path("passphrase")))).unwrap(), expected);
    assert_eq!(open(Some(SecretSource::Env { name: "P".into(), value: Some(variable) })).unwrap(), expected);
    assert_eq!(open(None).unwrap_err().code(), "key.encrypted");
    let unset = open(Some(SecretSource::Env { name: "ACME_PASS".into(), value: None })).unwrap_err();
    assert_eq!(unset.to_string(), "environment variable ACME_PASS is not set");
}

#[test]
fn a_key_may_come_from_a_variable_or_a_command() {
    let folder = Folder::with(KEY, CERTIFICATE);
    let one_line = Secret::new("variable", KEY.replace('\n', "\\n"));
    let variable = SecretSource::Env { name: "SFMINT_PRIVATE_KEY".into(), value: Some(one_line) };
    let command =
        SecretSource::Command(vec!["/bin/cat".into(), folder.path("key.pem").display().to_string()]);
    for pem in [variable, command] {
        let signer = LocalKey::open(&KeySource { pem, passphrase: None }, None).unwrap();
        assert_eq!(signer.key_id(), key(KEY).key_id());
        assert_eq!(signer.certificate(), None);
    }
}

#[tokio::test]
async fn a_renamed_pair_is_used_from_the_next_signature_on() {
    let folder = Folder::with(KEY, CERTIFICATE);
    let signer = folder.open().unwrap();
    folder.publish("certificate.pem", OTHER_CERTIFICATE);
    // Between the two renames the pair does not match: the old key signs on.
    assert!(signed_by(&signer.sign(b"message").await.unwrap(), &key(KEY)));
    assert_eq!(signer.certificate().unwrap().subject, "O=Acme, CN=throw-away");
    folder.publish("key.pem", OTHER);
    assert!(signed_by(&signer.sign(b"message").await.unwrap(), &key(OTHER)));
    assert_eq!(signer.key_id(), key(OTHER).key_id());
    assert_eq!(signer.certificate().unwrap().subject, "CN=somebody else");
}

// faults C1
#[tokio::test]
async fn a_half_written_key_leaves_the_old_one_in_place() {
    let folder = Folder::with(KEY, CERTIFICATE);
    let signer = LocalKey::open(&from_file(&folder.path("key.pem")), None).unwrap();
    for half in ["", &OTHER[..20], &OTHER[..900], &OTHER[..OTHER.len() - 10]] {
        folder.write("key.pem", half);
        assert!(signed_by(&signer.sign(b"message").await.unwrap(), &key(KEY)), "{} bytes", half.len());
    }
    std::fs::remove_file(folder.path("key.pem")).unwrap();
    assert!(signed_by(&signer.sign(b"message").await.unwrap(), &key(KEY)));
    folder.write("key.pem", OTHER);
    assert!(signed_by(&signer.sign(b"message").await.unwrap(), &key(OTHER)));
}

/// Counts warnings, and keeps their words.
#[derive(Clone, Default)]
struct Warnings(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Words(String);
        impl tracing::field::Visit for Words {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0.push_str(&format!("{field}={value:?} "));
            }
        }
        let mut words = Words(String::new());
        event.record(&mut words);
        self.0.lock().unwrap().push(words.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_key_that_went_bad_is_logged_once_and_without_its_content() {
    let folder = Folder::with(KEY, CERTIFICATE);
    let signer = folder.open().unwrap();
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || {
        folder.write("key.pem", &OTHER[..900]);
        for _ in 0..10 {
            assert_eq!(signer.key_id(), key(KEY).key_id());
        }
        std::fs::set_permissions(folder.path("key.pem"), std::fs::Permissions::from_mode(0o604)).unwrap();
        for _ in 0..10 {
            assert_eq!(signer.key_id(), key(KEY).key_id());
        }
    });
    let warnings = warnings.0.lock().unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("key.truncated") && warnings[1].contains("key.readable_by_others"),
        "{warnings:?}"
    );
    let content: Vec<&str> = OTHER.lines().filter(|line| line.len() == 64).collect();
    assert!(content.iter().all(|line| warnings.iter().all(|warning| !warning.contains(line))));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_no_stamp_shows_is_found_when_the_stamps_have_settled() {
    let folder = Folder::with(KEY, CERTIFICATE);
    let path = folder.path("key.pem");
    let signer = LocalKey::open(&from_file(&path), None).unwrap();
    signer.forget_the_change(|| folder.write("key.pem", OTHER));
    assert!(signed_by(&signer.sign(b"message").await.unwrap(), &key(KEY)));
    tokio::time::advance(std::time::Duration::from_secs(3)).await;
    assert!(signed_by(&signer.sign(b"message").await.unwrap(), &key(OTHER)));
}

/// Two versions of a Kubernetes secret volume, and what `..data` leads to.
struct Volume {
    folder: tempfile::TempDir,
    version: usize,
}

impl Volume {
    fn new() -> Self {
        let mut volume = Self { folder: tempfile::tempdir().unwrap(), version: 0 };
        volume.swap();
        for name in ["tls.key", "tls.crt"] {
            symlink(format!("..data/{name}"), volume.path(name)).unwrap();
        }
        volume
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As kubelet does: a new folder, a new link beside, renamed onto `..data`, the old folder removed.
    fn swap(&mut self) {
        let old = self.path(&format!("..{}", self.version));
        self.version += 1;
        let (key, certificate) = self.pair();
        let name = format!("..{}", self.version);
        std::fs::create_dir(self.path(&name)).unwrap();
        for (file, content) in [("tls.key", key), ("tls.crt", certificate)] {
            let path = self.path(&name).join(file);
            // Hundreds of swaps within a tick of the file system's clock, inodes used again: only the size tells them apart.
            std::fs::write(&path, format!("{content}{}", "\n".repeat(self.version))).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
        }
        symlink(&name, self.path("..data_tmp")).unwrap();
        std::fs::rename(self.path("..data_tmp"), self.path("..data")).unwrap();
        let _ = std::fs::remove_dir_all(old);
    }

    fn pair(&self) -> (&'static str, &'static str) {
        if self.version % 2 == 1 { (KEY, CERTIFICATE) } else { (OTHER, OTHER_CERTIFICATE) }
    }
}

// faults C9
#[tokio::test]
async fn a_thousand_swaps_of_a_mounted_secret_each_show_in_the_next_signature() {
    let mut volume = Volume::new();
    let signer = LocalKey::open(&from_file(&volume.path("tls.key")), Some(&volume.path("tls.crt"))).unwrap();
    let keys = [key(KEY), key(OTHER)];
    for _ in 0..1000 {
        volume.swap();
        let expected = &keys[(volume.version + 1) % 2];
        assert!(signed_by(&signer.sign(b"message").await.unwrap(), expected), "swap {}", volume.version);
        assert_eq!(signer.key_id(), expected.key_id());
    }
}

// faults C9
#[test]
fn swaps_in_the_middle_of_a_read_never_mix_a_pair() {
    let mut volume = Volume::new();
    let (source, certificate) = (from_file(&volume.path("tls.key")), volume.path("tls.crt"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let origin = reload::Origin::new(&source, Some(&certificate)).unwrap();
            let mut overtaken = 0;
            while !done.load(Ordering::SeqCst) {
                match origin.load() {
                    Ok(_) => {}
                    // Eight times in a row: allowed, the old key stays.
                    Err(error) if matches!(error.mistake(), KeyMistake::Changing) => overtaken += 1,
                    Err(error) => panic!("after {overtaken} times overtaken: {error}"),
                }
            }
            origin.load().map(|(loaded, _)| loaded.key_id)
        });
        for _ in 0..300 {
            volume.swap();
            std::thread::yield_now();
        }
        done.store(true, Ordering::SeqCst);
        assert_eq!(reader.join().unwrap().unwrap(), key(volume.pair().0).key_id());
    });
}

#[test]
fn a_key_of_our_own_making_signs_and_lies_safe() {
    let now: UnixSeconds = "2026-11-22T21:00:00Z".parse().unwrap();
    let request =
        issue::Issue { subject: r"CN=sfmint prod,O=Acme\, Inc,C=DE".into(), days: 730, bits: 2048, now };
    let (key, certificate) = issue::self_signed(&request).unwrap();
    assert_eq!(certificate.key_id(), key.key_id());
    assert_eq!(certificate.subject(), "CN=sfmint prod, O=Acme, Inc, C=DE");
    assert_eq!(certificate.not_before().to_string(), "2026-11-22T20:55:00Z");
    assert_eq!(certificate.not_after().to_string(), "2028-11-21T21:00:00Z");
    assert_ne!(issue::certify(&key, &request).unwrap().serial(), certificate.serial());

    let folder = tempfile::tempdir().unwrap();
    let (key_path, certificate_path) = (folder.path().join("a.key"), folder.path().join("a.crt"));
    crate::crypto::write_key_file(&key_path, &key).unwrap();
    crate::crypto::write_certificate_file(&certificate_path, &certificate).unwrap();
    assert_eq!(std::fs::metadata(&key_path).unwrap().permissions().mode() & 0o777, 0o600);
    let signer = LocalKey::open(&from_file(&key_path), Some(&certificate_path)).unwrap();
    assert_eq!(signer.key_id(), key.key_id());

    let again = crate::crypto::write_key_file(&key_path, &key).unwrap_err();
    assert_eq!(again.code(), "key.exists");
    let mut left: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.crt", "a.key"]);
}

#[test]
fn a_certificate_that_makes_no_sense_is_not_made() {
    let now = UnixSeconds::new(1_795_381_200);
    let code = |subject: &str, days, bits| {
        issue::self_signed(&issue::Issue { subject: subject.into(), days, bits, now }).unwrap_err().code()
    };
    for subject in ["", "  ", "O=Acme", "CN=", "CN=a,CN=b", "CN=a,X=b", "CN=a,C=Germany", "CN=a,b", "CN=a\nb"]
    {
        assert_eq!(code(subject, 365, 2048), "issue.subject", "{subject:?}");
    }
    assert_eq!(code("CN=a", 365, 1024), "issue.bits");
    assert_eq!(code("CN=a", 0, 2048), "issue.days");
    assert_eq!(code("CN=a", 100_000, 2048), "issue.days");
}

//! What one assertion costs in process: the signature with a held key, the whole assertion, and the same by
//! `jsonwebtoken::encode`, which parses the key again each time.
//!
//! `cargo bench --no-default-features --bench sign`. For signatures per second beside `openssl speed`, see
//! `benches/speed/sign_rate.rs`.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sfmint::assertion::{LocalKey, Signer, assertion};
use sfmint::base::{Claims, KeySource, Secret, SecretSource, UnixSeconds};
use sfmint::crypto::read_private_key;

const KEYS: [(&str, &str); 2] = [
    ("rsa2048", include_str!("../tests/fixtures/keys/pkcs8.pem")),
    ("rsa4096", include_str!("../tests/fixtures/keys/bits-4096.pem")),
];

fn held(pem: &str) -> LocalKey {
    let value = Some(Secret::new("private key", pem.to_string()));
    let source = KeySource { pem: SecretSource::Env { name: "KEY".into(), value }, passphrase: None };
    LocalKey::open(&source, None).expect("a key of the fixtures")
}

/// As a user has it: in a file, whose stamp is asked for before each signature.
fn held_file(directory: &Path, name: &str, pem: &str) -> LocalKey {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let path = directory.join(name);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&path).expect("a new file");
    file.write_all(pem.as_bytes()).expect("room for a key");
    LocalKey::open(&KeySource { pem: SecretSource::File(path), passphrase: None }, None).expect("a key")
}

fn claims() -> Claims {
    Claims {
        iss: "3MVG9abcdefghijklmnop".parse().expect("a consumer key"),
        sub: "integration@acme.example".parse().expect("a username"),
        aud: "https://acme.my.salesforce.com".parse().expect("an audience"),
        exp: UnixSeconds::new(1_795_381_370),
    }
}

fn sign(c: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (claims, message) = (claims(), [0x5a; 256]);
    for (name, pem) in KEYS {
        let mut group = c.benchmark_group(name);
        let (signer, from_file) = (held(pem), held_file(directory.path(), name, pem));
        group.bench_function("signature, key held", |b| {
            b.iter(|| runtime.block_on(signer.sign(black_box(&message))).expect("a signature"));
        });
        group.bench_function("signature, key held, file watched", |b| {
            b.iter(|| runtime.block_on(from_file.sign(black_box(&message))).expect("a signature"));
        });
        group.bench_function("assertion, key held, file watched", |b| {
            b.iter(|| runtime.block_on(assertion(black_box(&claims), &from_file)).expect("an assertion"));
        });
        let pkcs8 = read_private_key(pem.as_bytes(), None).expect("a key").pkcs8_der().clone();
        let key = pkcs8::PrivateKeyInfo::try_from(pkcs8.expose().as_slice()).expect("PKCS#8");
        let key = EncodingKey::from_rsa_der(key.private_key);
        let header = Header::new(Algorithm::RS256);
        group.bench_function("assertion, jsonwebtoken::encode", |b| {
            b.iter(|| jsonwebtoken::encode(&header, black_box(&claims), &key).expect("an assertion"));
        });
        group.bench_function("reading and checking the key", |b| {
            b.iter(|| read_private_key(black_box(pem.as_bytes()), None).expect("a key"));
        });
        group.finish();
    }
}

criterion_group!(benches, sign);
criterion_main!(benches);

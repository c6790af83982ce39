//! Whatever stands in a key or certificate file: no panic, no hang, and what is accepted is a key that signs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sfmint::base::{Explain, Secret};
use sfmint::crypto::{Format, KEY_BITS, PrivateKey, read_certificates, read_private_key};

fuzz_target!(|bytes: &[u8]| {
    let passphrase = Secret::new("passphrase", "opensesame".to_string());
    for passphrase in [None, Some(&passphrase)] {
        match read_private_key(bytes, passphrase) {
            Ok(key) => accepted(&key),
            Err(error) => {
                let _ = (error.code(), error.fault(), error.hints(), error.to_string());
            }
        }
    }
    if let Ok(certificates) = read_certificates(bytes) {
        for certificate in certificates {
            let again = read_certificates(certificate.pem().as_bytes()).expect("our own PEM");
            assert_eq!(again, [certificate]);
        }
    }
    let _ = Format::of(bytes);
});

/// What was read once reads again as the same key.
fn accepted(key: &PrivateKey) {
    assert!(KEY_BITS.contains(&key.bits()));
    let again = read_private_key(key.pkcs8_pem().expose().as_bytes(), None).expect("our own PEM");
    assert_eq!(again.key_id(), key.key_id());
}

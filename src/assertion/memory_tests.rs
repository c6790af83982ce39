//! What is left of a key in memory once nobody holds it.
//!
//! The search runs in a process of its own, which is this test binary: in this one other tests hold keys.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use base64ct::{Base64, Encoding};
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PrivateKeyParts;

use super::LocalKey;
use crate::base::{KeySource, SecretSource};

const CHILD: &str = "assertion::memory_tests::nothing_of_a_key_is_left_in_memory_once_it_is_dropped";
const TOLD: &str = "SFMINT_MEMORY_TEST";

/// What is searched for is held like this only, so that the search does not find itself.
const MASK: u8 = 0xa5;

fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ MASK).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// How often each needle is in this process's memory, the buffer of the search apart.
fn found(needles: &[(String, Vec<u8>)]) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = needles.iter().map(|(name, _)| (name.clone(), 0)).collect();
    let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut buffer = vec![0_u8; 1 << 20];
    let own = buffer.as_ptr() as u64..buffer.as_ptr() as u64 + buffer.len() as u64;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (mut at, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        while at < end {
            let want = (end - at).min(buffer.len() as u64) as usize;
            let Ok(n) = memory.seek(SeekFrom::Start(at)).and_then(|_| memory.read(&mut buffer[..want]))
            else {
                break;
            };
            for (place, window) in buffer[..n].windows(16).enumerate() {
                let first = window[0] ^ MASK;
                for (number, (_, needle)) in needles.iter().enumerate() {
                    let same = first == needle[0] && window.iter().zip(needle).all(|(a, b)| a ^ MASK == *b);
                    if same && !own.contains(&(at + place as u64)) {
                        counts[number].1 += 1;
                    }
                }
            }
            if n == want && at + n as u64 == end {
                break;
            }
            at += (n as u64).saturating_sub(16).max(1);
        }
        buffer.fill(0);
    }
    counts
}

/// Parses, signs, drops; says what was there before and after.
fn search(key: &Path, needles: &[(String, Vec<u8>)]) {
    let source = KeySource { pem: SecretSource::File(key.into()), passphrase: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let signer = LocalKey::open(&source, None).unwrap();
        super::Signer::sign(&signer, b"message").await.unwrap();
        let held: usize = found(needles).iter().map(|(_, count)| count).sum();
        assert!(held > 0, "the search does not find a key that is held");
        drop(signer);
    });
    for (name, count) in found(needles) {
        println!("> {count} {name}");
    }
}

// faults C19
#[test]
#[allow(clippy::disallowed_methods, reason = "the only word a child of the test binary can be given")]
fn nothing_of_a_key_is_left_in_memory_once_it_is_dropped() {
    if let Ok(told) = std::env::var(TOLD) {
        let mut words = told.split(' ');
        let key = words.next().unwrap();
        let needles: Vec<_> =
            words.map(|word| word.split_once('=').unwrap()).map(|(a, b)| (a.to_string(), unhex(b))).collect();
        search(Path::new(key), &needles);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.key");
    let text = include_str!("../../tests/fixtures/keys/pkcs8.pem");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(text).unwrap();
    let mut needles = Vec::new();
    let numbers = key.primes().iter().chain([key.d()]);
    for (name, number) in ["p", "q", "d"].into_iter().zip(numbers) {
        // As DER has it, and as a machine's numbers lie in memory. The middle: its ends may be what an allocator wrote over.
        needles.push((name.to_string(), masked(&number.to_bytes_be()[40..56])));
        needles.push((format!("{name}-reversed"), masked(&number.to_bytes_le()[40..56])));
    }
    let line = text.lines().nth(20).unwrap();
    assert!(Base64::decode_vec(line).is_ok());
    needles.push(("pem".to_string(), masked(&line.as_bytes()[20..36])));
    let told: Vec<String> = needles.iter().map(|(name, needle)| format!("{name}={}", hex(needle))).collect();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture", "--test-threads", "1"])
        .env(TOLD, format!("{} {}", path.display(), told.join(" ")))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let left: Vec<&str> =
        said.lines().filter_map(|line| line.split_once("> ").map(|(_, said)| said)).collect();
    assert_eq!(left.len(), needles.len(), "{said}");
    assert!(left.iter().all(|line| line.starts_with("0 ")), "left in memory: {left:?}");
}

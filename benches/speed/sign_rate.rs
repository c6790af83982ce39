//! Signatures and assertions per second on one core, key held, to stand beside `openssl speed -seconds 3 rsa2048`.
//!
//! `cargo run --release --no-default-features --example sign_rate -- [BITS] [SECONDS]`, BITS 2048, 3072 or 4096. One JSON
//! object a line: `{"what":"signature","bits":2048,"count":7310,"seconds":3.0001,"per_second":2436.6}`. Seconds are
//! those of this thread on its CPU, as `openssl speed` counts them, so that a busy machine judges both alike.

use std::io::Write;

use rustix::time::{ClockId, clock_gettime};
use sfmint::assertion::{LocalKey, Signer, assertion};
use sfmint::base::{Claims, KeySource, SecretSource, UnixSeconds};
use sfmint::crypto::{Issue, issue, write_key_file};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let bits: u32 = arguments.next().map_or(Ok(2048), |text| text.parse())?;
    let seconds: f64 = arguments.next().map_or(Ok(3.0), |text| text.parse())?;

    let request = Issue { subject: "sign rate".into(), days: 1, bits, now: UnixSeconds::new(1_795_381_200) };
    let (key, _) = issue::self_signed(&request)?;
    let path = std::env::temp_dir().join(format!("sign-rate-{}.key", std::process::id()));
    write_key_file(&path, &key)?;
    let signer =
        LocalKey::open(&KeySource { pem: SecretSource::File(path.clone()), passphrase: None }, None)?;

    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let message = [0x5a; 256];
    let outcome =
        rate("signature", bits, seconds, || Ok(runtime.block_on(signer.sign(&message)).map(drop)?)).and_then(
            |()| {
                let claims = Claims {
                    iss: "3MVG9abcdefghijklmnop".parse()?,
                    sub: "integration@acme.example".parse()?,
                    aud: "https://acme.my.salesforce.com".parse()?,
                    exp: UnixSeconds::new(1_795_381_370),
                };
                rate("assertion", bits, seconds, || {
                    Ok(runtime.block_on(assertion(&claims, &signer)).map(drop)?)
                })
            },
        );
    std::fs::remove_file(path)?;
    outcome
}

fn rate(
    what: &str,
    bits: u32,
    seconds: f64,
    mut once: impl FnMut() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<(), Box<dyn std::error::Error>> {
    for _ in 0..100 {
        once()?;
    }
    let start = cpu_seconds();
    let mut count = 0_u64;
    let mut spent = 0.0;
    while spent < seconds {
        for _ in 0..10 {
            once()?;
        }
        count += 10;
        spent = cpu_seconds() - start;
    }
    let per_second = count as f64 / spent;
    let line = format!(
        r#"{{"what":"{what}","bits":{bits},"count":{count},"seconds":{spent:.4},"per_second":{per_second:.1}}}"#
    );
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

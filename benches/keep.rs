//! What a caller pays for a token that is there: in process, all clones sharing one.
//!
//! `cargo bench --bench keep`. The token is minted once, against the built-in org.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use criterion::{Criterion, criterion_group, criterion_main};
use sfmint::TokenSource;
use sfmint::base::Connection;
use sfmint::config::Environment;
use sfmint::crypto::{Issue, issue};
use sfmint::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME, Org, OrgConfig};
use sfmint::token::{Need, SystemClock};

fn kept(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let clock = Arc::new(SystemClock::new());
    let request =
        Issue { subject: "bench".into(), days: 1, bits: 2048, now: sfmint::base::Clock::now(&*clock) };
    let (key, certificate) = issue::self_signed(&request).expect("a key");
    let mut config = OrgConfig::default();
    config.apps.iter_mut().for_each(|app| app.certificate = Some(certificate.pem()));
    let org = runtime
        .block_on(Org::start(config, clock, "127.0.0.1:0".parse().expect("an address")))
        .expect("an org");

    let environment = Environment::from_pairs([
        ("SFMINT_LOGIN_URL", org.url()),
        ("SFMINT_CLIENT_ID", DEMO_CONSUMER_KEY.into()),
        ("SFMINT_USERNAME", DEMO_USERNAME.into()),
        ("SFMINT_PRIVATE_KEY", key.pkcs8_pem().expose().to_string()),
    ]);
    let connection =
        Connection { state_dir: None, ..Connection::from_environment(&environment).expect("a connection") };
    let tokens = TokenSource::new(connection).expect("a source");
    runtime.block_on(tokens.token()).expect("a token");

    criterion.bench_function("the token in hand, looked at", |bencher| {
        bencher.iter(|| tokens.kept(&Need::default()).expect("a token"));
    });
    criterion.bench_function("the token in hand, awaited", |bencher| {
        bencher.iter(|| {
            let mut context = Context::from_waker(Waker::noop());
            match pin!(tokens.token()).poll(&mut context) {
                Poll::Ready(token) => token.expect("a token"),
                Poll::Pending => panic!("a kept token is not waited for"),
            }
        });
    });
    runtime.block_on(org.stop());
}

criterion_group!(benches, kept);
criterion_main!(benches);

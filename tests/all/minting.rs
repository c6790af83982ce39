//! One mint, and everything an endpoint can do to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sfmint::assertion::{CertificateFacts, SignError, Signer};
use sfmint::base::{BoxFuture, Clock, Credential, Explain, KeyId, KeySource, Network, SecretSource};
use sfmint::emulator::{DEMO_CONSUMER_KEY, Effect, Injection, TokenTwist};
use sfmint::token::{Minter, Need};
use sfmint::{Fault, MintError};

use crate::org::World;

const TOKEN: &str = "/services/oauth2/token";

async fn mint(world: &World) -> Result<sfmint::AccessToken, MintError> {
    let tokens = world.source(world.in_memory());
    Ok(tokens.hand(Need { fresh: true, ..Need::default() }).await?.token)
}

fn status(status: u16, headers: &[(&str, &str)], body: &str) -> Effect {
    let headers: BTreeMap<String, String> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Effect::Status { status, headers, body: body.into() }
}

// faults A4: an answer cut at any byte is no answer.
#[tokio::test]
async fn an_answer_cut_at_any_byte_is_asked_for_again() {
    let world = World::new().await;
    for after_bytes in [0, 1, 17, 60, 150, 250] {
        let before = world.posts();
        world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Truncate { after_bytes }));
        mint(&world).await.unwrap_or_else(|error| panic!("{after_bytes}: {error}"));
        assert_eq!(world.posts() - before, 2, "cut after {after_bytes} bytes");
    }
}

// faults A1, A4
#[tokio::test]
async fn a_reset_connection_is_asked_again_also_where_the_answer_was_lost() {
    let world = World::new().await;
    for after_processing in [false, true] {
        let before = world.posts();
        world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Reset { after_processing }));
        mint(&world).await.unwrap();
        assert_eq!(world.posts() - before, 2);
    }
}

// faults A7: which answers pass by themselves, and which are somebody's to change.
#[tokio::test]
async fn statuses_are_told_apart() {
    for (code, posts, fault) in [
        (200, 1, Fault::Misuse),
        (204, 1, Fault::Misuse),
        (400, 1, Fault::Misuse),
        (403, 1, Fault::Misuse),
        (404, 1, Fault::Misuse),
        (408, 3, Fault::Transient),
        (420, 3, Fault::Transient),
        (429, 3, Fault::Transient),
        (500, 3, Fault::Transient),
        (502, 3, Fault::Transient),
        (503, 3, Fault::Transient),
        (504, 3, Fault::Transient),
    ] {
        let world = World::new().await;
        let page = "<html><script>assertion</script></html>";
        world.org.admin().inject(Injection::always(TOKEN, status(code, &[("Retry-After", "0")], page)));
        let error = mint(&world).await.unwrap_err();
        assert_eq!((error.code(), error.fault(), world.posts()), ("mint.not_oauth", fault, posts), "{code}");
        assert!(!format!("{error:?}").contains("script"), "the page is kept: {error:?}");
    }
}

// faults A11
#[tokio::test]
async fn answers_that_are_no_token_are_refused_by_name() {
    let deep = format!("{{\"access_token\":{}", "[".repeat(60_000));
    let long = format!("{{\"access_token\":\"{}\"}}", "x".repeat(70_000));
    for (body, code) in [
        ("{}", "mint.incomplete"),
        ("{\"access_token\":null}", "mint.incomplete"),
        ("[]", "mint.not_oauth"),
        ("", "mint.not_oauth"),
        ("\u{feff}{}", "mint.not_oauth"),
        ("{\"access_token\":\"x\",\"access_token\":\"y\"}", "mint.not_oauth"),
        (&deep, "mint.not_oauth"),
        (&long, "mint.too_large"),
    ] {
        let world = World::new().await;
        let json = [("Content-Type", "application/json")];
        world.org.admin().inject(Injection::next(TOKEN, 1, status(200, &json, body)));
        let error = mint(&world).await.unwrap_err();
        assert_eq!((error.code(), world.posts()), (code, 1), "{}", &body[..body.len().min(60)]);
    }
}

// faults A11, A12
#[tokio::test]
async fn endless_answers_and_bombs_are_cut_short() {
    for effect in [Effect::Huge { bytes: 1 << 30 }, Effect::GzipBomb { bytes: 1 << 30 }] {
        let world = World::new().await;
        world.org.admin().inject(Injection::next(TOKEN, 1, effect));
        let error = mint(&world).await.unwrap_err();
        assert_eq!((error.code(), error.fault(), world.posts()), ("mint.too_large", Fault::Misuse, 1));
    }
    let peak = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 600 * 1024, "the org and we together used {kib} KiB");
}

// faults A13: neither followed nor carried anywhere, for each status and place.
#[tokio::test]
async fn no_redirect_is_followed() {
    let world = World::new().await;
    let other = World::new().await;
    for code in [301, 302, 303, 307, 308] {
        for to in [format!("{}{TOKEN}", other.org.url()), "//evil.example/x".into(), "/elsewhere".into()] {
            let before = world.posts();
            world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Redirect { status: code, to }));
            let error = mint(&world).await.unwrap_err();
            assert_eq!((error.code(), world.posts() - before), ("mint.redirected", 1), "{code}");
        }
    }
    assert_eq!((other.posts(), other.org.admin().log().len()), (0, 0));
}

// faults A3, A5: virtual time for the client; the org hangs in real time, which costs none.
#[tokio::test]
async fn an_org_that_never_answers_or_drips_is_given_ten_seconds_a_try() {
    for effect in [Effect::Hang, Effect::Slow { chunk_bytes: 1, delay_ms: 1000 }] {
        let world = World::new().await;
        world.org.admin().inject(Injection::always(TOKEN, effect));
        let mut connection = world.in_memory();
        connection.policy.mint_attempts = 2;
        let tokens = world.source(connection);
        let waiting = tokio::spawn(async move { tokens.token().await });
        for try_number in 1..=2 {
            crate::org::until("the request", || world.posts() == try_number).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(!waiting.is_finished());
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(11)).await;
            tokio::time::resume();
            // The pause before the second try is at most one second, which passes here too.
            tokio::time::sleep(Duration::from_millis(20)).await;
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(1)).await;
            tokio::time::resume();
        }
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!((error.code(), world.posts()), ("mint.unreachable", 2));
    }
}

#[tokio::test]
async fn tokens_of_another_kind_are_not_handed_out_and_not_kept() {
    for token_type in ["DPoP", "dpop", "mac", "", "Bearer\u{202e}"] {
        let world = World::new().await;
        let twist = TokenTwist::TokenType { token_type: token_type.into() };
        world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Token { twist }));
        let tokens = world.source(world.connection());
        let error = tokens.token().await.unwrap_err();
        assert_eq!((error.code(), world.posts()), ("mint.token_kind", 1), "{token_type}");
        assert!(tokens.record().kept.is_none());
    }
}

// faults A8: one request for each denial, whatever its name.
#[tokio::test]
async fn no_denial_is_asked_twice() {
    for row in sfmint::token::diagnosis::REFUSALS {
        let (error, part) = row.pairs[0];
        let error = if error == "*" { "invalid_grant" } else { error };
        let body = serde_json::json!({ "error": error, "error_description": part }).to_string();
        let world = World::new().await;
        let json = [("Content-Type", "application/json"), ("Retry-After", "0")];
        world.org.admin().inject(Injection::always(TOKEN, status(400, &json, &body)));
        let told = mint(&world).await.unwrap_err();
        assert_eq!(told.code(), row.code);
        let expected = if row.code == "mint.server_error" { 3 } else { 1 };
        assert_eq!(world.posts(), expected, "{}", row.code);
        assert!(!told.hints().is_empty(), "{}", row.code);
    }
}

// A clock of the far future, or none at all, in the Date header must not end in a panic or a loop.
#[tokio::test]
async fn absurd_dates_are_survived() {
    for date in [
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "yesterday",
        "Sun, 22 Nov 2026 21:00:00 +2500",
    ] {
        let world = World::new().await;
        let body = r#"{"error":"invalid_grant","error_description":"invalid assertion"}"#;
        let headers = [("Date", date), ("Content-Type", "application/json")];
        world.org.admin().inject(Injection::always(TOKEN, status(400, &headers, body)));
        let error = mint(&world).await.unwrap_err();
        assert_eq!(error.code(), "mint.assertion");
        assert!(world.posts() <= 2, "{date}: {} requests", world.posts());
    }
}

#[tokio::test]
async fn a_rude_org_is_no_trouble() {
    let mut config = sfmint::emulator::OrgConfig::rude();
    config.rules.strict_exp = true;
    let world = World::of(config).await;
    let tokens = world.source(world.connection());
    for _ in 0..25 {
        tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap();
    }
    assert_eq!(world.minted(), 25);
}

/// A server that speaks TLS with one certificate; what it is asked never matters.
async fn tls_server(chain: Vec<rcgen::Certificate>, key: rcgen::KeyPair) -> std::net::SocketAddr {
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
    let chain: Vec<CertificateDer<'static>> = chain.iter().map(|one| one.der().clone()).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = tokio_rustls::rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let body = r#"{"error":"inactive_org","error_description":"it was reached"}"#;
                    let answer = format!(
                        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let mut request = [0; 8192];
                    let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
                    let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await;
                    let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
                }
            });
        }
    });
    address
}

// faults A16: a server that cannot prove itself gets no assertion, and no switch changes that; the clock is named.
#[tokio::test]
async fn a_server_that_cannot_prove_itself_gets_nothing() {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(vec![]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::from_params(&authority, &authority_key);
    let leaf = |name: &str, from: i32, to: i32| {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut leaf = rcgen::CertificateParams::new(vec![name.to_string()]).unwrap();
        leaf.not_before = rcgen::date_time_ymd(from, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(to, 1, 1);
        (leaf.signed_by(&key, &issuer).unwrap(), key)
    };
    let world = World::new().await;
    let ca_file = world.folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority_certificate.pem()).unwrap();
    for (name, from, to, trusted, code) in [
        ("localhost", 2020, 2099, true, "mint.org_inactive"),
        ("localhost", 2020, 2099, false, "tls.not_trusted"),
        ("other.example", 2020, 2099, true, "tls.not_trusted"),
        ("localhost", 2001, 2002, true, "tls.clock"),
        ("localhost", 2098, 2099, true, "tls.clock"),
    ] {
        let (certificate, key) = leaf(name, from, to);
        let address = tls_server(vec![certificate], key).await;
        let mut connection = world.in_memory();
        connection.login_url = format!("https://localhost:{}", address.port()).parse().unwrap();
        connection.audience = (&connection.login_url).into();
        connection.network = Network {
            ca_file: Some(if trusted { ca_file.clone() } else { crate::org::fixture("certificate.pem") }),
            ..Network::default()
        };
        connection.policy.mint_attempts = 3;
        let clock: Arc<dyn Clock> = world.clock.clone();
        let attempted = Minter::new(Arc::new(connection), clock).mint(0).await;
        let error = attempted.result.unwrap_err();
        assert_eq!(error.code(), code, "{name} {from}-{to}: {error:?}");
        assert_eq!(attempted.posts, 1);
        if code == "tls.clock" {
            assert!(error.to_string().contains("2026-11-22T21:00:00Z"), "{error}");
        }
    }
}

/// Another key from the moment its first signature is made; `panics`: that moment is its last.
#[derive(Debug)]
struct Fickle {
    keys: [Arc<dyn Signer>; 2],
    signed: std::sync::atomic::AtomicUsize,
    changes: usize,
    panics: bool,
}

impl Fickle {
    fn new(world: &World, changes: usize, panics: bool) -> Arc<Self> {
        let key = |fixture: &str, certificate: &str| {
            let path = crate::org::key_in(world.folder.path(), fixture, &format!("{fixture}.key"));
            let credential = Credential {
                key: KeySource { pem: SecretSource::File(path), passphrase: None },
                certificate: Some(crate::org::fixture(certificate)),
                ..world.credential()
            };
            sfmint::assertion::open(&credential).unwrap()
        };
        let keys = [key("pkcs8.pem", "certificate.pem"), key("other.pem", "other-certificate.pem")];
        Arc::new(Self { keys, signed: Default::default(), changes, panics })
    }

    fn signed(&self) -> usize {
        self.signed.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn current(&self) -> &dyn Signer {
        &*self.keys[self.signed().min(self.changes) % 2]
    }
}

impl Signer for Fickle {
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        Box::pin(async move {
            let signature = self.current().sign(message).await;
            let before = self.signed.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            assert!(before > 0 || !self.panics, "a signer of somebody else's");
            signature
        })
    }

    fn key_id(&self) -> KeyId {
        self.current().key_id()
    }

    fn certificate(&self) -> Option<CertificateFacts> {
        self.current().certificate()
    }
}

// A key file that is swapped between the signature and the look at its name: history names the key that signed.
#[tokio::test]
async fn a_key_that_changes_while_it_signs_signs_again_and_is_called_by_its_name() {
    for (changes, signatures, named) in [(0, 1, Some(0)), (1, 2, Some(1)), (2, 2, None)] {
        let world = World::new().await;
        let signer = Fickle::new(&world, changes, false);
        let certificate = ["certificate.pem", "other-certificate.pem", "other-certificate.pem"][changes];
        let certificate = std::fs::read_to_string(crate::org::fixture(certificate)).unwrap();
        world.org.admin().set_certificate(DEMO_CONSUMER_KEY, Some(&certificate), 0).unwrap();
        let clock: Arc<dyn Clock> = world.clock.clone();
        let minter = Minter::new(Arc::new(world.in_memory()), clock);
        let attempted = minter.with_signer("main", signer.clone()).mint(0).await;
        attempted.result.unwrap();
        assert_eq!((signer.signed(), attempted.posts), (signatures, 1), "{changes} changes");
        let expected = named.map(|which: usize| signer.keys[which].key_id());
        assert_eq!(attempted.key_id, expected, "{changes} changes");
    }
}

// faults B16: what panics is one mint, not the process; nothing of the panic is told, and the next caller is served.
#[tokio::test]
async fn a_signer_that_panics_ends_its_own_mint_only() {
    let world = World::new().await;
    let signer = Fickle::new(&world, 0, true);
    let clock: Arc<dyn Clock> = world.clock.clone();
    let minter = Minter::new(Arc::new(world.in_memory()), clock.clone()).with_signer("main", signer);
    let tokens = sfmint::TokenSource::over(minter, clock, Some(world.store.clone())).unwrap();
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let tokens = tokens.clone();
            tokio::spawn(async move { tokens.token().await })
        })
        .collect();
    for caller in callers {
        if let Err(error) = caller.await.unwrap() {
            assert_eq!((error.code(), error.fault()), ("mint.abandoned", Fault::Bug));
        }
    }
    tokens.token().await.unwrap();
    assert_eq!((world.posts(), world.minted()), (1, 1));
}

/// One whole HTTP message with a body of known length.
async fn message(stream: &mut tokio::net::TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap().parse().unwrap() {
                return bytes;
            }
        }
        assert!(tokio::io::AsyncReadExt::read_buf(stream, &mut bytes).await.unwrap() > 0, "it ends early");
    }
}

// faults A23: servers close connections between requests, and say so or not; the next mint uses another.
#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_no_trouble() {
    use tokio::io::AsyncWriteExt;
    let world = World::new().await;
    let org: std::net::SocketAddr = world.org.url().trim_start_matches("http://").parse().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (taken, count) = (Arc::new(std::sync::atomic::AtomicUsize::new(0)), 5);
    let connections = taken.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            connections.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            // One answer, which promises to stay, and then nobody is there any more.
            let mut server = tokio::net::TcpStream::connect(org).await.unwrap();
            server.write_all(&message(&mut client).await).await.unwrap();
            client.write_all(&message(&mut server).await).await.unwrap();
        }
    });
    world.org.admin().change_rules(|rules| rules.public_url = Some(url.clone()));
    let mut connection = world.in_memory();
    connection.login_url = url.parse().unwrap();
    connection.audience = (&connection.login_url).into();
    connection.policy.mint_attempts = 1;
    let tokens = world.source(connection);
    for _ in 0..count {
        tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.posts(), count);
    assert_eq!(taken.load(std::sync::atomic::Ordering::SeqCst) as u64, count);
}

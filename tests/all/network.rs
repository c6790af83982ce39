//! Networks that swallow, and proxies that say no.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, getsockname, listen, socket};
use sfmint::base::{Explain, Network, Secret};
use sfmint::token::{CONNECT_TIMEOUT, Need};
use sfmint::{AccessToken, Connection, Fault, MintError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::org::World;
use crate::places::Desk;

async fn mint(world: &World, connection: Connection) -> Result<AccessToken, MintError> {
    Ok(world.source(connection).hand(Need { fresh: true, ..Need::default() }).await?.token)
}

/// A port whose connections are never taken: the queue is full, so the system drops what arrives, as a firewall does.
fn black_hole() -> (SocketAddr, Vec<rustix::fd::OwnedFd>) {
    let here = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&listener, &here).unwrap();
    listen(&listener, 0).unwrap();
    let address: SocketAddr = SocketAddr::try_from(getsockname(&listener).unwrap()).unwrap();
    let mut held = vec![listener];
    for _ in 0..4 {
        let filler = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        rustix::io::ioctl_fionbio(&filler, true).unwrap();
        // In progress or taken: either fills the queue.
        let _ = connect(&filler, &address);
        held.push(filler);
    }
    (address, held)
}

// faults A2: a connection that is swallowed ends after the connect timeout, as one that is refused does.
#[tokio::test]
async fn a_swallowed_connection_ends_after_five_seconds() {
    let world = World::new().await;
    let (address, _held) = black_hole();
    let mut connection = world.in_memory();
    connection.login_url = format!("http://{address}").parse().unwrap();
    connection.policy.mint_attempts = 1;
    #[allow(clippy::disallowed_methods)] // Real time is what is asked here.
    let started = Instant::now();
    let error = mint(&world, connection).await.unwrap_err();
    let took = started.elapsed();
    assert_eq!((error.code(), error.fault()), ("mint.unreachable", Fault::Transient));
    assert!(took >= CONNECT_TIMEOUT && took < CONNECT_TIMEOUT + Duration::from_secs(4), "{took:?}");
}

// faults A18: a proxy that wants to know who asks.
#[tokio::test]
async fn a_proxy_that_says_407_is_no_answer_and_its_password_is_never_told() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let (mut client, _) = proxy.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let answer =
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        TcpStream::write_all(&mut client, answer).unwrap();
        String::from_utf8(head).unwrap()
    });
    let world = World::new().await;
    let mut connection = world.in_memory();
    connection.login_url = "https://acme.my.salesforce.com".parse().unwrap();
    connection.policy.mint_attempts = 1;
    let proxy = Secret::new("proxy", format!("http://worker:opensesame@{address}"));
    connection.network = Network { proxy: Some(proxy), ..Network::default() };
    let error = mint(&world, connection).await.unwrap_err();
    let head = asked.join().unwrap();
    assert!(head.starts_with("CONNECT acme.my.salesforce.com:443 "), "{head}");
    assert_eq!((error.code(), error.fault()), ("mint.unreachable", Fault::Transient));
    assert!(!format!("{error:?} {error}").contains("opensesame"), "{error:?}");
}

/// A proxy that opens TLS: it answers CONNECT itself, shows a certificate of its own authority, and passes on what it reads.
struct Opener {
    address: SocketAddr,
    authority: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Opener {
    async fn before(org: SocketAddr) -> Self {
        use tokio_rustls::rustls::ServerConfig;
        use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
        let own_key = rcgen::KeyPair::generate().unwrap();
        let mut own = rcgen::CertificateParams::new(vec![]).unwrap();
        own.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = own.self_signed(&own_key).unwrap().pem();
        let issuer = rcgen::Issuer::from_params(&own, &own_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec![HOST.to_string()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap().der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![leaf], key).unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = heads.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (acceptor, told) = (acceptor.clone(), told.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(client.read_u8().await.unwrap());
                    }
                    told.lock().unwrap().push(String::from_utf8(head).unwrap());
                    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                    // Whoever does not trust the authority ends here.
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let mut server = tokio::net::TcpStream::connect(org).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { address, authority, heads }
    }
}

const HOST: &str = "acme.my.salesforce.com";

// faults A18: companies whose proxy opens TLS name its authority in `ca_file`; nobody else's is trusted.
#[test]
fn a_proxy_that_opens_tls_is_trusted_by_its_authority_only_and_its_password_is_never_told() {
    const PASSWORD: &str = "proxy-pass-1a2b3c4d";
    let mut desk = Desk::new();
    desk.secret("the proxy's password", PASSWORD);
    let org = desk.org_url().trim_start_matches("http://").parse().unwrap();
    let opener = desk.wait(Opener::before(org));
    desk.admin().change_rules(|rules| rules.public_url = Some(format!("https://{HOST}")));
    let proxy = format!("http://jo:{PASSWORD}@{}", opener.address);
    desk.write("ca.pem", &opener.authority);
    for (ca_file, by_environment, code) in [
        ("", false, 78),
        ("", true, 78),
        ("ca_file = \"ca.pem\"", false, 0),
        ("ca_file = \"ca.pem\"", true, 0),
    ] {
        desk.variables.clear();
        desk.variables.insert("SFMINT_CONFIG".into(), desk.path().join("sfmint.toml").into());
        desk.variables.insert("SFMINT_STATE_DIR".into(), desk.path().join("state").into());
        let name = if by_environment { "HTTPS_PROXY" } else { "OUR_PROXY" };
        desk.variables.insert(name.into(), proxy.clone().into());
        let said = if by_environment { "" } else { "proxy = { env = \"OUR_PROXY\" }" };
        let config =
            desk.config(&format!("{ca_file}\n{said}")).replace(&desk.url(), &format!("https://{HOST}"));
        desk.write("sfmint.toml", &config);
        let before = desk.admin().counters().minted();
        let ran = desk.sfmint(&["-vvv", "--json", "token", "--fresh"]);
        assert_eq!(ran.code(), code, "{ca_file} {name}: {}", ran.err());
        let minted = desk.admin().counters().minted() - before;
        if code == 0 {
            assert_eq!(minted, 1);
        } else {
            assert_eq!((minted, desk.admin().counters().token_posts), (0, 0), "no assertion was shown to it");
            assert!(
                ran.err().contains("tls.not_trusted") && ran.err().contains("`ca_file`"),
                "{}",
                ran.err()
            );
        }
        let head = opener.heads.lock().unwrap().pop().unwrap();
        assert!(head.starts_with(&format!("CONNECT {HOST}:443 ")), "{head}");
        assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic "), "{head}");
    }
}

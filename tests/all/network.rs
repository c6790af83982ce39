//! Networks that swallow, and proxies that say no.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, getsockname, listen, socket};
use sfmint::base::{Explain, Network, Secret};
use sfmint::token::{CONNECT_TIMEOUT, Need};
use sfmint::{AccessToken, Connection, Fault, MintError};

use crate::org::World;

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

//! Stands between sfmint and the org and writes down what goes over the wire, so that the secrets of a run are known.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A relay on loopback; ends with its runtime.
pub struct Relay {
    accepting: tokio::task::JoinHandle<()>,
    address: SocketAddr,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    pub async fn before(org: &str) -> Self {
        let to: SocketAddr = org.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<u8>>> = Arc::default();
        let tape = seen.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, to, tape.clone()));
            }
        });
        Self { accepting, address, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Nobody listens any more.
    pub fn stop(&self) {
        self.accepting.abort();
    }

    /// Every assertion that was posted and every token that was given.
    pub fn secrets(&self) -> (Vec<String>, Vec<String>) {
        let seen = String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned();
        (after(&seen, "assertion=", "& \r\nPH"), after(&seen, "\"access_token\":\"", "\""))
    }
}

/// What follows each `mark`, up to one of `ends`; only what is long enough to be a secret.
fn after(text: &str, mark: &str, ends: &str) -> Vec<String> {
    let dots = mark == "assertion=";
    let found = text.split(mark).skip(1).filter_map(|rest| {
        // An assertion is three words of base64url; the next message follows it without a break.
        let end = match dots {
            true => rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))),
            false => rest.find(|c| ends.contains(c)),
        };
        let word = &rest[..end.unwrap_or(rest.len())];
        let word = if dots { word.split("HTTP").next().unwrap_or(word) } else { word };
        (word.len() > 40 && word.len() < 20_000).then(|| word.to_string())
    });
    found.collect()
}

async fn pass(client: TcpStream, to: SocketAddr, tape: Arc<Mutex<Vec<u8>>>) {
    let Ok(server) = TcpStream::connect(to).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(copy(from_client, to_server, &tape), copy(from_server, to_client, &tape));
}

async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    tape: &Mutex<Vec<u8>>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) => break,
            // The org reset the connection: so do we.
            Err(_) => {
                let _ = to.as_ref().set_zero_linger();
                break;
            }
            Ok(n) => {
                note(tape, &buffer[..n]);
                if to.write_all(&buffer[..n]).await.is_err() {
                    break;
                }
            }
        }
    }
    let _ = to.shutdown().await;
}

/// Endless answers are not written down to their end.
fn note(tape: &Mutex<Vec<u8>>, bytes: &[u8]) {
    let mut tape = tape.lock().unwrap();
    if tape.len() < 4 << 20 {
        tape.extend_from_slice(bytes);
    }
}

//! A stand-in for an org in this room's tests: it answers exactly the bytes that a test wants, also such as no
//! honest server would send.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::assertion::{CertificateFacts, SignError, Signer};
use crate::base::{
    BoxFuture, Clock, Connection, Credential, Credentials, InstanceHosts, KeyId, KeySource, Network,
    SecretSource, TokenCacheKind, TokenPolicy,
};
use crate::store::Store;
use crate::token::{Minter, SystemClock, TokenSource};

use super::Client;

/// The org and the user that tokens are for.
pub(crate) const ORG: &str = "00D8d0000000001EAA";
pub(crate) const USER: &str = "0058d000000001AAAQ";
pub(crate) const USERNAME: &str = "integration@acme.example";

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The token it came with: `T3` for the third that was minted.
    pub fn token(&self) -> String {
        let header = self.header("authorization").unwrap_or_default();
        header.rsplit('!').next().unwrap_or_default().to_string()
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A parameter of the query string, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// An answer, byte for byte.
#[derive(Clone, Debug)]
pub(crate) struct Reply(Vec<u8>);

impl Reply {
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut head =
            format!("HTTP/1.1 {status} Test\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        Self([head.as_bytes(), b"\r\n", body].concat())
    }

    pub fn json(body: impl AsRef<str>) -> Self {
        Self::new(200, &[("content-type", "application/json;charset=UTF-8")], body.as_ref())
    }

    pub fn refused(status: u16, code: &str, says: &str) -> Self {
        let body = serde_json::json!([{ "message": says, "errorCode": code }]).to_string();
        Self::new(status, &[("content-type", "application/json;charset=UTF-8")], body)
    }

    pub fn dead_session() -> Self {
        Self::refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
    }

    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self(bytes.as_ref().to_vec())
    }

    /// Only the first `bytes` of it; then the connection ends.
    pub fn cut(mut self, bytes: usize) -> Self {
        self.0.truncate(bytes);
        self
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

type Handler = dyn Fn(&Asked) -> Option<Reply> + Send + Sync;

/// A running org. Ends with the runtime of its test.
pub(crate) struct TestOrg {
    pub url: String,
    seen: Arc<Mutex<Vec<Asked>>>,
    mints: Arc<AtomicU32>,
}

impl TestOrg {
    /// Starts an org that answers what `handler` says, and mints tokens `T1`, `T2`, ... where that says nothing.
    pub async fn start(handler: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, mints) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::<AtomicU32>::default());
        let handler: Arc<Handler> = Arc::new(handler);
        let (all, count, at) = (seen.clone(), mints.clone(), url.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, all, count, at) = (handler.clone(), all.clone(), count.clone(), at.clone());
                tokio::spawn(async move { serve(stream, &*handler, &all, &count, &at).await });
            }
        });
        Self { url, seen, mints }
    }

    pub fn mints(&self) -> u32 {
        self.mints.load(Ordering::SeqCst)
    }

    /// Every request but the mints.
    pub fn calls(&self) -> Vec<Asked> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|asked| !asked.target.ends_with("/oauth2/token")).cloned().collect()
    }

    pub fn connection(&self) -> Connection {
        connection(&self.url)
    }

    pub fn tokens(&self) -> TokenSource {
        tokens(self.connection(), Arc::new(SystemClock::new()), None)
    }

    pub fn client(&self) -> Client {
        Client::new(self.tokens())
    }
}

pub(crate) fn connection(url: &str) -> Connection {
    let login: crate::base::LoginUrl = url.parse().unwrap();
    Connection {
        name: "test".parse().unwrap(),
        audience: (&login).into(),
        login_url: login,
        username: USERNAME.parse().unwrap(),
        credentials: Credentials::one(Credential {
            name: "main".into(),
            client_id: "3MVG9test".parse().unwrap(),
            key: KeySource { pem: SecretSource::File("none.key".into()), passphrase: None },
            certificate: None,
        }),
        policy: TokenPolicy { cache: TokenCacheKind::Memory, ..TokenPolicy::default() },
        instance_hosts: InstanceHosts::default(),
        network: Network::default(),
        api_version: Some(crate::base::ApiVersion::new(67)),
        state_dir: None,
    }
}

pub(crate) fn tokens(
    connection: Connection,
    clock: Arc<dyn Clock>,
    store: Option<Arc<dyn Store>>,
) -> TokenSource {
    let minter = Minter::new(Arc::new(connection), clock.clone()).with_signer("main", Arc::new(TestSigner));
    TokenSource::over(minter, clock, store).unwrap()
}

/// Signs nothing: the test org does not look.
#[derive(Debug)]
pub(crate) struct TestSigner;

impl Signer for TestSigner {
    fn sign<'a>(&'a self, _: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        Box::pin(async { Ok(vec![0; 256]) })
    }

    fn key_id(&self) -> KeyId {
        KeyId::of_spki(b"test")
    }

    fn certificate(&self) -> Option<CertificateFacts> {
        None
    }
}

impl fmt::Debug for TestOrg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestOrg({})", self.url)
    }
}

async fn serve(
    mut stream: TcpStream,
    handler: &Handler,
    all: &Mutex<Vec<Asked>>,
    mints: &AtomicU32,
    url: &str,
) {
    let Some(asked) = read(&mut stream).await else { return };
    all.lock().unwrap().push(asked.clone());
    let reply = handler(&asked).unwrap_or_else(|| match asked.path() {
        "/services/oauth2/token" => {
            let number = mints.fetch_add(1, Ordering::SeqCst) + 1;
            mint(url, &format!("T{number}"))
        }
        _ => Reply::refused(404, "NOT_FOUND", "The requested resource does not exist"),
    });
    let _ = stream.write_all(&reply.0).await;
    let _ = stream.shutdown().await;
}

/// What the token endpoint says when it gives a token.
pub(crate) fn mint(url: &str, token: &str) -> Reply {
    let id = format!("{url}/id/{ORG}/{USER}");
    let body = serde_json::json!({
        "access_token": format!("{}!{token}", &ORG[..15]), "scope": "api id", "instance_url": url, "id": id,
        "token_type": "Bearer",
    });
    Reply::json(body.to_string())
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let target = first.nth(1)?.to_string();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_string(), value.trim().to_string()))
        .collect();
    let mut asked = Asked { target, headers, body: String::new() };
    let length: usize = asked.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while bytes.len() < head_end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    asked.body = String::from_utf8_lossy(&bytes[head_end + 4..]).into_owned();
    Some(asked)
}

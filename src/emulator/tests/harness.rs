use std::sync::{Arc, OnceLock};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::base::{Clock, ManualClock, UnixSeconds};
use crate::emulator::{DEMO_CONNECTED_APP_KEY, DEMO_CONSUMER_KEY, DEMO_USERNAME, Org, OrgConfig};

/// A key pair with its certificate.
pub struct Identity {
    pub key_pem: String,
    pub certificate: String,
    pkcs1: Vec<u8>,
}

impl Identity {
    /// The key for a library that is not the org's own.
    pub fn signer(&self) -> EncodingKey {
        EncodingKey::from_rsa_der(&self.pkcs1)
    }
}

fn identity(name: &str) -> Identity {
    use rsa::pkcs1::EncodeRsaPrivateKey;
    use rsa::pkcs8::DecodePrivateKey;
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec![name.to_string()]).unwrap().self_signed(&key).unwrap().pem();
    let key_pem = key.serialize_pem();
    let pkcs1 = rsa::RsaPrivateKey::from_pkcs8_pem(&key_pem).unwrap().to_pkcs1_der().unwrap();
    Identity { pkcs1: pkcs1.as_bytes().to_vec(), key_pem, certificate }
}

/// The key whose certificate stands on the ready org's apps in these tests.
pub fn own() -> &'static Identity {
    static OWN: OnceLock<Identity> = OnceLock::new();
    OWN.get_or_init(|| identity("own.example"))
}

/// Another key.
pub fn other() -> &'static Identity {
    static OTHER: OnceLock<Identity> = OnceLock::new();
    OTHER.get_or_init(|| identity("other.example"))
}

pub struct World {
    pub org: Org,
    pub clock: Arc<ManualClock>,
    pub http: reqwest::Client,
}

pub async fn world() -> World {
    world_of(OrgConfig::default()).await
}

/// An org whose apps all hold the certificate of [`own`].
pub async fn world_of(config: OrgConfig) -> World {
    let config = config.with_certificate(&own().certificate);
    let clock = Arc::new(ManualClock::at("2026-11-22T21:00:00Z".parse().unwrap()));
    let org = Org::start(config, clock.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent("org-judge/1.0")
        .build()
        .unwrap();
    World { org, clock, http }
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// Error and description of a token answer.
    pub fn pair(&self) -> (String, String) {
        let body = self.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_string();
        (text("error"), text("error_description"))
    }

    /// Code and message of a REST answer.
    pub fn rest_error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |key: &str| body[0][key].as_str().unwrap_or_default().to_string();
        (self.status, text("errorCode"), text("message"))
    }
}

impl World {
    pub fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    pub fn claims(&self) -> Value {
        json!({
            "iss": DEMO_CONSUMER_KEY, "sub": DEMO_USERNAME, "aud": self.org.url(), "exp": self.now().get() + 170,
        })
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, text: answer.text().await.unwrap() }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.org.url())
    }

    pub async fn post_assertion(&self, assertion: &str) -> Answer {
        self.send(self.token_request(assertion)).await
    }

    pub fn token_request(&self, assertion: &str) -> reqwest::RequestBuilder {
        let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)];
        self.http.post(self.at("/services/oauth2/token")).form(&form)
    }

    /// Posts to the token endpoint as if it were at another host.
    pub async fn post_at_host(&self, host: &str, claims: &Value) -> Answer {
        self.send(self.token_request(&sign(claims)).header("host", host)).await
    }

    pub async fn post_claims(&self, claims: &Value) -> Answer {
        self.post_assertion(&sign(claims)).await
    }

    pub async fn mint_for(&self, username: &str) -> String {
        let mut claims = self.claims();
        claims["sub"] = username.into();
        let answer = self.post_claims(&claims).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"].as_str().unwrap().to_string()
    }

    pub async fn mint(&self) -> String {
        self.mint_for(DEMO_USERNAME).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(self.http.get(self.at(path)).bearer_auth(token)).await
    }

    pub async fn query(&self, token: &str, soql: &str) -> Answer {
        let url = url::Url::parse_with_params(&self.at("/services/data/v67.0/query"), [("q", soql)]).unwrap();
        self.send(self.http.get(url).bearer_auth(token)).await
    }

    /// Whether a token opens REST.
    pub async fn opens(&self, token: &str) -> bool {
        self.get(token, "/services/data/v67.0").await.status == 200
    }

    pub async fn admin(&self, path: &str, body: Value) -> Answer {
        self.send(self.http.post(self.at(&format!("/_emulator/{path}"))).json(&body)).await
    }
}

pub fn sign(claims: &Value) -> String {
    sign_with(claims, own())
}

pub fn sign_with(claims: &Value, identity: &Identity) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &identity.signer()).unwrap()
}

/// An error and its description, as Salesforce says them.
pub fn pair(error: &str, description: &str) -> (String, String) {
    (error.into(), description.into())
}

/// The claims of a caller that comes through the classic connected app.
pub fn classic(world: &World, aud: &str) -> Value {
    let mut claims = world.claims();
    claims["iss"] = DEMO_CONNECTED_APP_KEY.into();
    claims["aud"] = aud.into();
    claims
}

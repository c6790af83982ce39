use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, warn};

use crate::assertion::{self, CertificateFacts, Signer};
use crate::base::{AccessToken, Claims, Clock, Connection, Credential, Explain, KeyId, Secret, TokenParts};

use super::diagnosis::diagnose;
use super::endpoint::{self, Answer};
use super::http::http_client;
use super::response;
use super::{MintError, RetryPolicy};

/// From how many seconds on a clock is called wrong. Below it lies what a slow answer and whole seconds make up.
pub const SKEW_THAT_MATTERS: i64 = 30;

/// Makes access tokens for one connection. Does not keep them; see [`TokenSource`](super::TokenSource) for that.
#[derive(Debug)]
pub struct Minter {
    connection: Arc<Connection>,
    clock: Arc<dyn Clock>,
    http: OnceLock<reqwest::Client>,
    signers: Mutex<Vec<(String, Arc<dyn Signer>)>>,
}

/// A mint that worked.
#[derive(Debug)]
pub struct Minted {
    /// The token.
    pub token: AccessToken,
    /// The certificate its assertion was signed with, where the connection names one.
    pub certificate: Option<CertificateFacts>,
}

/// A mint from its first attempt to its last, as history records it.
#[derive(Debug)]
pub struct Attempted {
    /// What came of it.
    pub result: Result<Minted, MintError>,
    /// How many requests were sent.
    pub posts: u32,
    /// How long all of it took.
    pub duration: Duration,
    /// The org's clock minus ours, as last measured. Seconds.
    pub skew: Option<i64>,
    /// The credential that was used last.
    pub credential: Credential,
    /// The key that signed last; `None` where none could be read.
    pub key_id: Option<KeyId>,
}

impl Minter {
    /// A minter for `connection`. Reads no key and makes no HTTP client before the first mint.
    pub fn new(connection: Arc<Connection>, clock: Arc<dyn Clock>) -> Self {
        Self { connection, clock, http: OnceLock::new(), signers: Mutex::default() }
    }

    /// The same minter with an HTTP client of yours. It must not follow redirects.
    pub fn with_http(self, http: reqwest::Client) -> Self {
        Self { http: OnceLock::from(http), ..self }
    }

    /// The same minter with a signer of yours for the credential of that name.
    pub fn with_signer(self, credential: &str, signer: Arc<dyn Signer>) -> Self {
        self.lock_signers().push((credential.to_string(), signer));
        self
    }

    /// Now, by this machine's clock.
    pub(super) fn now(&self) -> crate::base::UnixSeconds {
        self.clock.now()
    }

    /// What is minted for.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The signer of a credential; its key is read at the first call.
    ///
    /// # Errors
    ///
    /// [`MintError::Key`]: the key cannot be read, or does not belong to its certificate.
    pub fn signer(&self, credential: &Credential) -> Result<Arc<dyn Signer>, MintError> {
        let mut signers = self.lock_signers();
        if let Some((_, signer)) = signers.iter().find(|(name, _)| *name == credential.name) {
            return Ok(signer.clone());
        }
        let signer = assertion::open(credential).map_err(|error| MintError::Key(Arc::new(error)))?;
        signers.push((credential.name.clone(), signer.clone()));
        Ok(signer)
    }

    fn lock_signers(&self) -> std::sync::MutexGuard<'_, Vec<(String, Arc<dyn Signer>)>> {
        self.signers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn http(&self) -> Result<&reqwest::Client, MintError> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let http = http_client(&self.connection.network, self.connection.login_url.url())?;
        Ok(self.http.get_or_init(|| http))
    }

    /// Mints one access token: signs an assertion and exchanges it at the token endpoint, with the tries that are worth it.
    ///
    /// Does not cache and does not count; see [`TokenSource`](super::TokenSource).
    ///
    /// # Shape
    ///
    /// `skew` is the org's clock minus ours as last measured, in seconds; assertions are dated by it.
    ///
    /// Requests: one; up to `mint_attempts` while faults are passing ([`RetryPolicy`]); one more where the measured clock
    /// explains the refusal; one more through the standby credential where there is one and it may be the one
    /// Salesforce knows. Nothing else is repeated.
    ///
    /// # Errors
    ///
    /// Every [`MintError`] but those of keeping: see their docs for the fault of each.
    ///
    /// # Source
    ///
    /// RFC 7523 §2.1 and §3; Salesforce help, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration".
    pub async fn mint(&self, skew: i64) -> Attempted {
        let started = Instant::now();
        let policy = RetryPolicy::new(self.connection.policy.mint_attempts);
        let mut attempt = Attempt {
            credential: self.connection.credentials.active(),
            skew,
            measured: None,
            key_id: None,
            posts: 0,
            certificate: None,
        };
        let (mut tries, mut tried_clock, mut tried_other) = (0, false, false);
        let result = loop {
            tries += 1;
            let (error, asked) = match self.post_once(&mut attempt).await {
                Ok(token) => break Ok(Minted { token, certificate: attempt.certificate.take() }),
                Err(failure) => failure,
            };
            let row = error.salesforce().and_then(diagnose);

            let org_now = self.clock.now().moved(attempt.measured.unwrap_or(attempt.skew));
            if let Some(certificate) = &attempt.certificate
                && row.is_some_and(|row| row.code == "mint.assertion")
                && !(certificate.not_before..=certificate.not_after).contains(&org_now)
            {
                warn!(
                    connection.name = %self.connection.name,
                    cert.days_left = certificate.not_after.seconds_since(org_now).div_euclid(86_400),
                    "the certificate of `{}` is valid from {} to {}, and not now: that explains the refusal",
                    self.connection.name, certificate.not_before, certificate.not_after
                );
            }

            let off_by = attempt.measured.unwrap_or(attempt.skew) - attempt.skew;
            if !tried_clock
                && off_by.abs() > SKEW_THAT_MATTERS
                && row.is_some_and(|row| row.clock_can_explain)
            {
                tried_clock = true;
                attempt.skew += off_by;
                warn!(
                    connection.name = %self.connection.name,
                    clock.skew_s = attempt.skew,
                    "this machine's clock differs from the org's by {} s: signing once more by the org's clock",
                    attempt.skew
                );
                continue;
            }
            let standby = self.connection.credentials.standby();
            if let Some(standby) =
                standby.filter(|_| !tried_other && row.is_some_and(|row| row.other_credential_may_work))
            {
                tried_other = true;
                warn!(
                    connection.name = %self.connection.name,
                    "credential `{}` was refused ({error}): trying `{}`", attempt.credential.name, standby.name
                );
                attempt.credential = standby;
                continue;
            }
            if !error.is_worth_another_try() {
                break Err(error);
            }
            let Some(pause) = policy.pause(tries, started.elapsed(), asked, jitter()) else {
                break Err(error);
            };
            debug!(connection.name = %self.connection.name, http.attempt = tries, pause_ms = pause.as_millis() as u64, "mint failed, trying again: {error}");
            tokio::time::sleep(pause).await;
        };
        Attempted {
            result,
            posts: attempt.posts,
            duration: started.elapsed(),
            skew: attempt.measured,
            credential: attempt.credential.clone(),
            key_id: attempt.key_id,
        }
    }

    /// Signs one assertion and posts it once. Says with an error how long the other side asked us to wait.
    async fn post_once(
        &self,
        attempt: &mut Attempt<'_>,
    ) -> Result<AccessToken, (MintError, Option<Duration>)> {
        let alone = |error| (error, None);
        let signer = self.signer(attempt.credential).map_err(alone)?;
        let org_now = self.clock.now().moved(attempt.skew);
        let claims = self.connection.claims(attempt.credential, org_now);
        let assertion = attempt.sign(&claims, &*signer).await.map_err(alone)?;

        let url = self.connection.login_url.endpoint("/services/oauth2/token");
        let http = self.http().map_err(alone)?;
        attempt.posts += 1;
        let answer = endpoint::post(http, &url, &assertion, &*self.clock).await.map_err(alone)?;
        attempt.measured = answer.skew.or(attempt.measured);
        let skew = attempt.measured.unwrap_or(attempt.skew);
        let asked = answer.retry_after;
        self.understand(answer, skew).map_err(|error| (error, asked))
    }

    fn understand(&self, answer: Answer, skew: i64) -> Result<AccessToken, MintError> {
        let body = answer.body.expose();
        if answer.status != 200 {
            return Err(match response::refusal(body) {
                Some(reason) => MintError::Refused { reason },
                None => MintError::NotOAuth { status: answer.status },
            });
        }
        let response = response::success(body, &self.connection.instance_hosts, &self.connection.login_url)?;
        let minted_at = self.clock.now();
        let told = response.exp.map(|exp| exp.moved(-skew));
        let configured = self.connection.policy.session_timeout.map(|timeout| minted_at.plus(timeout));
        Ok(AccessToken::new(TokenParts {
            value: response.access_token,
            token_type: response.token_type,
            instance_url: response.instance_url,
            org_id: response.org_id,
            user_id: response.user_id,
            username: self.connection.username.clone(),
            scope: response.scope,
            minted_at,
            expires_at: told.or(configured),
        }))
    }
}

/// What changes from request to request within one mint.
struct Attempt<'a> {
    credential: &'a Credential,
    skew: i64,
    measured: Option<i64>,
    key_id: Option<KeyId>,
    posts: u32,
    certificate: Option<CertificateFacts>,
}

impl Attempt<'_> {
    /// Signs, and notes which key it was.
    ///
    /// A key file may be swapped while we sign. The signature is known to be of the key that stood there before and
    /// stands there after; where these are two, it is made once more, by the new one. A key that changes during that as
    /// well is not named: history rather says nothing than the wrong name.
    async fn sign(&mut self, claims: &Claims, signer: &dyn Signer) -> Result<Secret<String>, MintError> {
        let mut again = true;
        loop {
            let before = signer.key_id();
            let assertion = assertion::assertion(claims, signer)
                .await
                .map_err(|error| MintError::Sign(Arc::new(error)))?;
            let certificate = signer.certificate();
            if signer.key_id() == before {
                (self.key_id, self.certificate) = (Some(before), certificate);
                return Ok(assertion);
            }
            if !again {
                (self.key_id, self.certificate) = (None, None);
                return Ok(assertion);
            }
            again = false;
        }
    }
}

/// An even share of `0.0..1.0`, from the process's own random hash keys: enough to spread pauses, no secret rests on it.
pub(crate) fn jitter() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::header::LOCATION;
use serde_json::Value;
use tokio::sync::OnceCell;
use tracing::{debug, info, warn};

use crate::base::{AccessToken, ApiVersion, Clock, Connection, Explain, InstanceUrl};
use crate::token::{
    Handed, Need, RetryPolicy, SHORTEST_SESSION, SystemClock, TokenSource, http_client, jitter,
};

use super::exchange::{self, Exchanged, Failure, Want};
use super::verdict::{self, Verdict};
use super::{ApiError, Request, Response, Streaming, Usage, rest, version};

/// How long the pauses of one call may be together, a server's Retry-After included. Seconds.
///
/// A wait that does not fit is not begun: whoever called can decide better what to do with five minutes.
pub const LONGEST_PAUSES: Duration = Duration::from_secs(300);

/// How often a call that fails for a passing reason is made.
const ATTEMPTS: u32 = 3;

/// What a call needs of a token: any that may still work, because a 401 is answered here.
const NEED: Need = Need {
    min_valid: Duration::ZERO,
    fresh: false,
    until_refused: true,
    wait_for_renewal: false,
    claimant: crate::token::Claimant::Work,
};

/// Calls the API of one org, each call with a valid token.
///
/// Cheap to clone; all clones share connections and token. A dead session is answered by one new token for all
/// calls under way and by one replay of each; passing faults of calls that only read are tried three times.
/// Never follows a redirect, never sends the token to a host other than its own.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = sfmint::TokenSource::new(sfmint::Connection::from_env()?)?;
/// let client = sfmint::Client::new(tokens);
/// let limits = client.get("/services/data/v67.0/limits").await?;
/// println!("{}", limits["DailyApiRequests"]["Remaining"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>, Need, Option<bool>);

#[derive(Debug)]
struct Inner {
    tokens: TokenSource,
    clock: Arc<dyn Clock>,
    /// For https, and for http on loopback: they trust different authorities.
    http: [OnceLock<reqwest::Client>; 2],
    version: OnceCell<ApiVersion>,
    usage: Mutex<Option<Usage>>,
    calls: AtomicU64,
    warned: OnceLock<()>,
}

impl Client {
    /// A client whose tokens come from `tokens`. Makes no connection before the first call.
    pub fn new(tokens: TokenSource) -> Self {
        Self::over(tokens, Arc::new(SystemClock::new()), None)
    }

    /// A client with an HTTP client of yours. It must not follow redirects; a call that was redirected is refused
    /// afterwards, which is late.
    pub fn with_http(tokens: TokenSource, http: reqwest::Client) -> Self {
        Self::over(tokens, Arc::new(SystemClock::new()), Some(http))
    }

    /// A client by a clock of yours.
    pub fn over(tokens: TokenSource, clock: Arc<dyn Clock>, http: Option<reqwest::Client>) -> Self {
        let slot = || http.clone().map_or_else(OnceLock::new, OnceLock::from);
        let inner = Arc::new(Inner {
            tokens,
            clock,
            http: [slot(), slot()],
            version: OnceCell::new(),
            usage: Mutex::default(),
            calls: AtomicU64::new(0),
            warned: OnceLock::new(),
        });
        Self(inner, NEED, None)
    }

    /// The same client for a process that ends with its call: a renewal that is due is waited for, because nobody
    /// would be left to see it land in the background, and the next process would begin another.
    pub fn waiting_for_renewals(self) -> Self {
        Self(self.0, Need { wait_for_renewal: true, ..self.1 }, self.2)
    }

    /// The same client, whose large answers come compressed, or as they are.
    ///
    /// `None`, the default, is compressed everywhere but on loopback: rows shrink to a fifth or less, and only a line that is as
    /// fast as memory brings them sooner than they are unpacked.
    pub fn compressing(self, wanted: Option<bool>) -> Self {
        Self(self.0, self.1, wanted)
    }

    /// Whether a large answer is to come compressed.
    pub(super) async fn compresses(&self) -> Result<bool, ApiError> {
        match self.2 {
            Some(wanted) => Ok(wanted),
            None => Ok(!crate::base::is_loopback(self.token().await?.instance_url.url())),
        }
    }

    /// Where the org is now, by a new token: an org that moves says so only there.
    pub(super) async fn learn_host(&self) -> Result<InstanceUrl, ApiError> {
        let need = Need { fresh: true, wait_for_renewal: true, ..self.1 };
        Ok(self.0.tokens.hand(need).await?.token.instance_url.clone())
    }

    /// The token in hand, or one that is minted for it.
    pub(super) async fn token(&self) -> Result<AccessToken, ApiError> {
        Ok(self.0.tokens.hand(self.1).await?.token)
    }

    /// Where its tokens come from.
    pub fn tokens(&self) -> &TokenSource {
        &self.0.tokens
    }

    /// Whom it speaks for.
    pub fn connection(&self) -> &Connection {
        self.0.tokens.connection()
    }

    /// How many calls were made, all clones and all tries of a call together.
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// How much of the org's calls was used at the last answer that said so.
    pub fn usage(&self) -> Option<Usage> {
        self.0.usage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The API version to speak: the pinned one, else the newest that both sides know, asked for once.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get); [`ApiError::VersionNotOffered`] where there is none in common.
    pub async fn api_version(&self) -> Result<ApiVersion, ApiError> {
        if let Some(pinned) = self.connection().api_version {
            return Ok(pinned);
        }
        let ask = || async {
            let offered = rest::versions(self).await?;
            let version = version::choose(None, &offered)?.version;
            self.0.tokens.speaks(version);
            Ok::<_, ApiError>(version)
        };
        self.0.version.get_or_try_init(ask).await.copied()
    }

    /// The path of `below` in the chosen version: `/services/data/v67.0/` and it.
    ///
    /// # Errors
    ///
    /// Those of [`api_version`](Self::api_version).
    pub async fn data_path(&self, below: &str) -> Result<String, ApiError> {
        Ok(format!("/services/data/v{}/{below}", self.api_version().await?))
    }

    /// Gets `path` as JSON, keys in the order they came in.
    ///
    /// # Errors
    ///
    /// Every [`ApiError`] but those of queries.
    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.whole(Request::get(path)).await?.json()
    }

    /// Makes a call whose answer must be a success and, if it is JSON, a whole one: cut short without anybody's
    /// noticing on the way, it is asked for once more.
    pub(super) async fn whole(&self, request: Request) -> Result<Response, ApiError> {
        self.send_whole(request).await?.success()
    }

    /// The same as [`send`](Self::send), but that a success whose JSON stops in the middle is asked for once more.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send).
    pub async fn send_whole(&self, request: Request) -> Result<Response, ApiError> {
        let response = self.send(request.clone()).await?;
        if request.is_safe() && response.status < 300 && response.ends_early() {
            debug!("the answer ended early without its length showing it: asking once more");
            return self.send(request).await;
        }
        Ok(response)
    }

    /// Makes a call.
    ///
    /// # Shape
    ///
    /// The answer is what Salesforce said last, also where it says no: [`Response::success`] makes an error of
    /// that. Three kinds of answer never come back: a session that Salesforce calls dead by its code is answered by
    /// one new token and one replay (it is refused before anything is done, so every method may be replayed), a
    /// redirect is an error, and an answer that did not come whole is none.
    ///
    /// Any other 401 is an answer, since code in the org and gateways before it give them too. One without a reason
    /// that can be read is asked for once more with a new token where the call only reads and the token is older
    /// than the shortest session; it never counts against the connection.
    ///
    /// Calls that only read are tried three times on passing faults, with the server's Retry-After honoured within
    /// [`LONGEST_PAUSES`]; others only where the request never left this machine, or was
    /// refused because too many ran at the same time.
    ///
    /// # Limits
    ///
    /// 5 s to connect, [`Request::patience`] for the answer to begin, 60 s of silence, at least 1 KiB a second,
    /// [`Request::most_bytes`] of it.
    ///
    /// # Errors
    ///
    /// - [`ApiError::Mint`]: no token, among them a fresh one that is refused at once. Its own fault.
    /// - [`ApiError::SessionRefused`]: a second session in a row was refused. *Denied*.
    /// - [`ApiError::Address`], [`ApiError::Redirected`], [`ApiError::Header`], [`ApiError::TooLarge`].
    /// - [`ApiError::NoAnswer`], [`ApiError::BrokenOff`]. *Transient*.
    pub async fn send(&self, request: Request) -> Result<Response, ApiError> {
        self.unmoved(self.exchange(&request).await?)
    }

    /// Makes a call whose answer is read as it arrives.
    ///
    /// # Shape
    ///
    /// Until the first byte of the body everything is as with [`send`](Self::send): the token, one new one for a
    /// dead session, the tries. A refusal is read whole and is an error, as is an HTML page in the data's place.
    /// What breaks later is for whoever reads: rows may have gone on already.
    ///
    /// # Limits
    ///
    /// Those of [`send`](Self::send); [`Request::most_bytes`] bounds what [`Streaming::chunk`] hands out.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send) and of [`Response::success`]; [`ApiError::NotJson`]: an HTML page.
    pub async fn open(&self, request: Request) -> Result<Streaming, ApiError> {
        let Exchanged { response, rest } = self.exchanged(&request, Want::Open).await?;
        let response = self.unmoved(response)?.success()?;
        match response.page() {
            Some(page) => Err(page),
            None => Ok(Streaming::new(Exchanged { response, rest }, request.most_bytes)),
        }
    }

    /// An answer that is no redirect.
    fn unmoved(&self, response: Response) -> Result<Response, ApiError> {
        match response.status {
            300..=303 | 305..=399 if response.headers.contains_key(LOCATION) => {
                let from = response.host.clone();
                Err(ApiError::Redirected { from, to: self.redirect_target(&response) })
            }
            _ => Ok(response),
        }
    }

    /// Scheme, host and port that a redirect points to.
    fn redirect_target(&self, response: &Response) -> String {
        let text = response.header("location").unwrap_or_default();
        match url::Url::parse(text) {
            Ok(to) => crate::base::printable(&to.origin().ascii_serialization(), 120),
            Err(_) => format!("another path of {}", response.host),
        }
    }

    /// Makes a call; a redirect comes back as it is.
    pub(super) async fn exchange(&self, request: &Request) -> Result<Response, ApiError> {
        Ok(self.exchanged(request, Want::Whole).await?.response)
    }

    async fn exchanged(&self, request: &Request, want: Want) -> Result<Exchanged, ApiError> {
        let policy = RetryPolicy {
            attempts: ATTEMPTS,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(8),
            total: LONGEST_PAUSES,
        };
        let mut token = self.0.tokens.hand(self.1).await?.token;
        let (mut attempts, mut paused, mut replayed) = (0, Duration::ZERO, false);
        loop {
            let (asked, outcome) = match self.once(request, &token, want).await {
                Ok(exchanged) => match verdict::judge(&exchanged.response) {
                    Verdict::Session { reason, hopeless } => {
                        token = self.0.tokens.replace(&token, reason.clone(), hopeless).await?;
                        if replayed {
                            return Err(ApiError::SessionRefused { reason });
                        }
                        replayed = true;
                        continue;
                    }
                    Verdict::Doubt if request.is_safe() && !replayed => match self.another(&token).await {
                        Some(another) => {
                            token = another;
                            replayed = true;
                            continue;
                        }
                        None => return Ok(self.answered(request, exchanged, &token)),
                    },
                    Verdict::Answer | Verdict::Doubt => return Ok(self.answered(request, exchanged, &token)),
                    Verdict::Busy { asked, undone } if undone || request.is_safe() => (asked, Ok(exchanged)),
                    Verdict::Busy { .. } => return Ok(self.answered(request, exchanged, &token)),
                },
                Err(Failure { error, unsent }) => {
                    let passing = matches!(error, ApiError::NoAnswer { .. } | ApiError::BrokenOff { .. });
                    if !passing || !(unsent || request.is_safe()) {
                        return Err(error);
                    }
                    (None, Err(error))
                }
            };
            attempts += 1;
            let Some(pause) = policy.pause(attempts, paused, asked, jitter()) else {
                return outcome.map(|exchanged| self.answered(request, exchanged, &token));
            };
            let why = match &outcome {
                Ok(exchanged) => format!("status {}", exchanged.response.status),
                Err(error) => error.code().to_string(),
            };
            warn!(
                connection.name = %self.connection().name,
                http.attempt = attempts,
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "a call failed for a passing reason ({why}): trying again"
            );
            tokio::time::sleep(pause).await;
            paused += pause;
            token = self.0.tokens.hand(self.1).await?.token;
        }
    }

    /// A token in place of one that may have ended without Salesforce's saying so; `None` where it is too young
    /// for that, or where no other is to be had. Nothing is learned from it, and nothing held against the connection.
    async fn another(&self, doubted: &AccessToken) -> Option<AccessToken> {
        let differs = |handed: &Handed| handed.token.expose() != doubted.expose();
        let kept = self.0.tokens.hand(self.1).await.ok()?;
        if differs(&kept) {
            return Some(kept.token);
        }
        if kept.age < SHORTEST_SESSION {
            return None;
        }
        // The longest that a token can be good for: everyone who doubts the same one waits for one mint.
        let need = Need { min_valid: Duration::MAX, wait_for_renewal: true, ..self.1 };
        self.0.tokens.hand(need).await.ok().filter(differs).map(|handed| handed.token)
    }

    async fn once(&self, request: &Request, token: &AccessToken, want: Want) -> Result<Exchanged, Failure> {
        let unsent = |error| Failure { error, unsent: true };
        let url =
            token.instance_url.at(&request.path).map_err(|mistake| unsent(ApiError::Address(mistake)))?;
        let http = self.http(&token.instance_url).map_err(unsent)?;
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        exchange::once(http, request, &url, token, self.0.clock.now(), want).await
    }

    fn http(&self, instance: &InstanceUrl) -> Result<&reqwest::Client, ApiError> {
        let slot = &self.0.http[usize::from(instance.url().scheme() == "http")];
        if let Some(http) = slot.get() {
            return Ok(http);
        }
        let http = http_client(&self.connection().network, instance.url())?;
        Ok(slot.get_or_init(|| http))
    }

    /// Takes note of an answer: the session it proves, the calls that are used, what the log says.
    fn answered(&self, request: &Request, exchanged: Exchanged, token: &AccessToken) -> Exchanged {
        let response = &exchanged.response;
        if request.proves_session() && verdict::knew_the_session(response) {
            self.0.tokens.accepted(token);
        }
        let usage = response.usage();
        if usage.is_some() {
            *self.0.usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
        }
        if let Some(says) = response.header("warning")
            && self.0.warned.set(()).is_ok()
        {
            warn!(connection.name = %self.connection().name, "Salesforce warns: {}", crate::base::printable(says, 200));
        }
        self.tell(request, &exchanged, token);
        exchanged
    }

    fn tell(&self, request: &Request, exchanged: &Exchanged, token: &AccessToken) {
        let response = &exchanged.response;
        let Some(Handed { age, due_in, certificate_not_after, .. }) = self.0.tokens.kept(&self.1) else {
            return;
        };
        let days = certificate_not_after.map(|end| end.seconds_since(self.0.clock.now()).div_euclid(86_400));
        let path = request.path.split('?').next().unwrap_or_default();
        info!(
            connection.name = %self.connection().name,
            token.id = %token.id(),
            token.age_s = age.as_secs(),
            token.due_in_s = due_in.map(|due| due.as_secs()),
            cert.days_left = days,
            http.status = response.status,
            http.bytes = exchanged.rest.is_none().then_some(response.body.len()),
            "{} {} answered {}", request.method, crate::base::printable(path, 120), response.status
        );
    }
}

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::assertion::SignError;
use crate::base::{Explain, Fault, Hint, OAuthError, OrgId, UrlMistake};
use crate::crypto::KeyError;

use super::diagnosis::diagnose;
use super::useless::Useless;

/// Why there is no access token. Shared by all who waited for it, so it can be cloned.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// Salesforce said no.
    #[error("Salesforce refused the assertion")]
    Refused {
        /// Its own words.
        #[source]
        reason: OAuthError,
    },
    /// Salesforce said no a moment ago, several times; it was not asked again.
    #[error("Salesforce refused the assertion {times} times in a row; it is not asked again for {} s", .wait.as_secs())]
    RefusedLately {
        /// Its own words, the last time.
        #[source]
        reason: OAuthError,
        /// How often.
        times: u32,
        /// When it is asked again.
        wait: Duration,
    },
    /// Salesforce gave tokens that we did not take, several times; it was not asked again.
    #[error("{times} tokens in a row could not be used; Salesforce is not asked again for {} s", .wait.as_secs())]
    UselessLately {
        /// What was wrong with the last one.
        #[source]
        what: Useless,
        /// How often.
        times: u32,
        /// When it is asked again.
        wait: Duration,
    },
    /// No answer.
    #[error("no answer from the token endpoint at {host}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What the network said.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A name server says that a public host is this machine, or on its link. Nothing was sent.
    #[error("{host} resolves to {ip}, where it cannot be")]
    ForeignAddress {
        /// Who was to be asked.
        host: String,
        /// What the name server said.
        ip: IpAddr,
    },
    /// The other side's certificate is not one for this host.
    #[error("{host} could not prove that it is {host}")]
    Tls {
        /// Who was asked.
        host: String,
        /// What TLS said.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The other side's certificate is not valid at the time this machine believes it is.
    #[error("the certificate of {host} is not valid at this machine's time, {now}")]
    TlsClock {
        /// Who was asked.
        host: String,
        /// This machine's time.
        now: crate::base::UnixSeconds,
        /// What TLS said.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The HTTP client could not be made.
    #[error("the HTTP client cannot be made")]
    Client {
        /// Why.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// There is no list of authorities to trust.
    #[error("no CA certificates were found on this machine")]
    NoRoots {
        /// What was looked at.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A gateway, a login page or a maintenance page answered. The page itself is not kept: it may echo the assertion.
    #[error("the token endpoint answered {status} with a body that is not OAuth")]
    NotOAuth {
        /// The HTTP status.
        status: u16,
    },
    /// The answer would not end.
    #[error("the token endpoint's answer is larger than {limit} bytes")]
    TooLarge {
        /// What is read at most.
        limit: usize,
    },
    /// A redirect, which is never followed: it would carry the assertion to another place.
    #[error("the token endpoint redirects to {to}")]
    Redirected {
        /// Where to; host only.
        to: String,
    },
    /// A 200 answer that holds no usable token.
    #[error("the token endpoint's answer cannot be used: {why}")]
    Incomplete {
        /// What is wrong with it.
        why: String,
    },
    /// A token of a kind that cannot be sent as a bearer token.
    #[error("the token endpoint gave a token of type {kind}, which is not a bearer token")]
    TokenKind {
        /// What it said.
        kind: String,
    },
    /// The token may not go where its answer says.
    #[error("the token was given for a place it must not go to")]
    InstanceUrl(#[source] UrlMistake),
    /// The token is for another org than the last one was.
    #[error("the login URL now answers for org {is}; until now it was {was}")]
    OrgChanged {
        /// The org of the last token.
        was: OrgId,
        /// The org of this one.
        is: OrgId,
    },
    /// The key could not be read.
    #[error("the private key cannot be used")]
    Key(#[source] Arc<KeyError>),
    /// The key could not sign.
    #[error("the assertion could not be signed")]
    Sign(#[source] Arc<SignError>),
    /// This user has had its mints for the hour.
    #[error("{used} mints for this user within an hour; {limit} are allowed")]
    Budget {
        /// Mints in the last hour.
        used: u32,
        /// How many are allowed.
        limit: u32,
        /// When the next one is.
        wait: Duration,
    },
    /// Salesforce refuses sessions that it has just given: minting again is how tools get locked out.
    #[error("Salesforce gives tokens to this connection and refuses them at once")]
    SessionRefused {
        /// What it said to the token.
        #[source]
        reason: OAuthError,
    },
    /// Sessions of this connection end as fast as they are minted.
    #[error("sessions of this connection were ended {times} times within a minute")]
    SessionStorm {
        /// How often.
        times: u32,
    },
    /// Another process has held the connection's lock for too long.
    #[error("another process has been minting for this connection for {} s", .waited.as_secs())]
    LockHeld {
        /// How long we waited.
        waited: Duration,
    },
    /// The task that minted for everybody ended without an answer.
    #[error("the task that minted ended without an answer")]
    Abandoned,
}

impl MintError {
    /// Whether trying again within seconds is any use.
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            MintError::Unreachable { .. } => true,
            MintError::NotOAuth { status } => is_transient_status(*status),
            MintError::Refused { reason } => {
                diagnose(reason).is_some_and(|row| row.code == "mint.server_error")
            }
            _ => false,
        }
    }
}

/// Statuses of gateways that are busy, restarting or moving an org. 406 and 420 are Salesforce Edge's own (field
/// reports of two other connectors; protocol reference §1.4).
fn is_transient_status(status: u16) -> bool {
    matches!(status, 406 | 408 | 420 | 425 | 429) || status >= 500
}

impl Explain for MintError {
    fn fault(&self) -> Fault {
        match self {
            MintError::Refused { reason } | MintError::RefusedLately { reason, .. } => {
                diagnose(reason).map_or(Fault::Denied, |row| row.fault())
            }
            MintError::UselessLately { what, .. } => what.fault(),
            MintError::NotOAuth { status } if is_transient_status(*status) => Fault::Transient,
            MintError::Unreachable { .. }
            | MintError::Budget { .. }
            | MintError::SessionStorm { .. }
            | MintError::LockHeld { .. } => Fault::Transient,
            MintError::InstanceUrl(_)
            | MintError::OrgChanged { .. }
            | MintError::TokenKind { .. }
            | MintError::SessionRefused { .. } => Fault::Denied,
            MintError::ForeignAddress { .. }
            | MintError::Tls { .. }
            | MintError::TlsClock { .. }
            | MintError::Client { .. }
            | MintError::NoRoots { .. }
            | MintError::NotOAuth { .. }
            | MintError::TooLarge { .. }
            | MintError::Redirected { .. }
            | MintError::Incomplete { .. } => Fault::Misuse,
            MintError::Key(error) => error.fault(),
            MintError::Sign(error) => error.fault(),
            MintError::Abandoned => Fault::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            MintError::Refused { reason } | MintError::RefusedLately { reason, .. } => {
                diagnose(reason).map_or("mint.refused", |row| row.code)
            }
            MintError::UselessLately { what, .. } => what.code(),
            MintError::Unreachable { .. } => "mint.unreachable",
            MintError::ForeignAddress { .. } => "dns.foreign_address",
            MintError::Tls { .. } => "tls.not_trusted",
            MintError::TlsClock { .. } => "tls.clock",
            MintError::Client { .. } => "http.client",
            MintError::NoRoots { .. } => "tls.no_roots",
            MintError::NotOAuth { .. } => "mint.not_oauth",
            MintError::TooLarge { .. } => "mint.too_large",
            MintError::Redirected { .. } => "mint.redirected",
            MintError::Incomplete { .. } => "mint.incomplete",
            MintError::TokenKind { .. } => "mint.token_kind",
            MintError::InstanceUrl(_) => "mint.instance_url",
            MintError::OrgChanged { .. } => "mint.org_changed",
            MintError::Key(error) => error.code(),
            MintError::Sign(error) => error.code(),
            MintError::Budget { .. } => "mint.budget",
            MintError::SessionRefused { .. } => "session.refused",
            MintError::SessionStorm { .. } => "session.storm",
            MintError::LockHeld { .. } => "mint.lock_held",
            MintError::Abandoned => "mint.abandoned",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let one = |text: &'static str| vec![Hint::new(text)];
        match self {
            MintError::Refused { reason } => diagnose(reason).map_or_else(
                || one("this refusal is not in sfmint's table; `sfmint doctor` looks at everything around it"),
                |row| {
                    let mut hints = row.hints();
                    hints.push(Hint::new("`sfmint doctor` looks at every step, and `sfmint doctor --org` at the app's policies"));
                    hints
                },
            ),
            MintError::RefusedLately { reason, .. } => {
                let mut hints = diagnose(reason).map(|row| row.hints()).unwrap_or_default();
                hints.push(Hint::new("after a change, `sfmint token --fresh` asks at once"));
                hints
            }
            MintError::UselessLately { what, .. } => {
                vec![Hint::new(what.hint()), Hint::new("after a change, `sfmint token --fresh` asks at once")]
            }
            MintError::Unreachable { .. } => {
                one("check the network, `login_url`, and `proxy` or HTTPS_PROXY; `sfmint doctor` says how far a request gets")
            }
            MintError::ForeignAddress { .. } => {
                one("check this machine's name servers and /etc/hosts, and the spelling of `login_url`; a proxy on this machine is named in `proxy` or HTTPS_PROXY")
            }
            MintError::Tls { .. } => one("if a proxy on your network opens TLS, name its authority in `ca_file`; there is no switch to trust anybody"),
            MintError::TlsClock { .. } => one("set this machine's clock by NTP; if the clock is right, the certificate has really ended"),
            MintError::Client { .. } => one("check `ca_file` and `proxy`"),
            MintError::NoRoots { .. } => one("mount /etc/ssl/certs into the container, or set SSL_CERT_FILE or `ca_file`"),
            MintError::NotOAuth { status } if is_transient_status(*status) => {
                one("Salesforce or a gateway before it is busy or under maintenance: try again later, and look at status.salesforce.com")
            }
            MintError::NotOAuth { .. } | MintError::TooLarge { .. } | MintError::Incomplete { .. } => {
                one("check that `login_url` is the org's My Domain and that no proxy or login page answers in its place")
            }
            MintError::Redirected { .. } => one("set `login_url` to the host that answers itself: the org's My Domain"),
            MintError::TokenKind { .. } => one("disable `Require DPoP` on the app (Settings > OAuth Settings)"),
            MintError::InstanceUrl(_) => one("if this host is your org's, add it to `instance_hosts`"),
            MintError::OrgChanged { .. } => {
                one("after a sandbox refresh everything has new ids: check `username` and `client_id`, then `sfmint revoke` forgets the old org")
            }
            MintError::Key(error) => error.hints(),
            MintError::Sign(error) => error.hints(),
            MintError::Budget { wait, .. } => vec![
                Hint::new(format!("the next one may go in {} s", wait.as_secs())),
                Hint::new("find out who mints so often (`sfmint status`), or raise `mint_budget_per_hour`"),
            ],
            MintError::SessionRefused { .. } => vec![
                Hint::new("give the app the scope `api`; with API Access Control, allow the app or give the user `Use Any API Client`; the profile must not demand a high-assurance session"),
                Hint::new("after the change, `sfmint token --fresh` begins anew; `sfmint doctor --org` looks for the reason"),
            ],
            MintError::SessionStorm { .. } => one("some program logs this user out: look for one that calls logout or revoke with a shared token"),
            MintError::LockHeld { .. } => one("see who holds it: `fuser` on the .lock file in the state directory's `tokens` folder"),
            MintError::Abandoned => one("please report this"),
        }
    }

    fn salesforce(&self) -> Option<&OAuthError> {
        match self {
            MintError::Refused { reason }
            | MintError::RefusedLately { reason, .. }
            | MintError::SessionRefused { reason } => Some(reason),
            _ => None,
        }
    }
}

//! The field's words, parsed once and carried as proof ever after.
//!
//! This room does no I/O, reads no clock and logs nothing; every other room may import it.
//! Start at [`Connection`], the word that most others meet in.

mod access_token;
mod claims;
mod clock;
mod connection;
mod fault;
mod finding;
mod fingerprint;
mod ids;
#[cfg(feature = "sync")]
pub mod job;
mod key_source;
mod names;
mod oauth_error;
mod secret;
mod shared_folder;
mod text;
mod url;
mod version;

pub use access_token::{AccessToken, TokenParts, TokenType};
pub use claims::{ASSERTION_LIFETIME, Claims};
pub use clock::{Clock, ManualClock, ParseTimeError, UnixSeconds};
pub use connection::{Connection, Credential, Credentials, Network, TokenCacheKind, TokenPolicy};
pub use fault::{Explain, Fault, Hint};
pub use finding::{Finding, Level};
pub use fingerprint::{FingerprintMistake, KeyId, TokenId, sha256_hex};
pub use ids::{IdMistake, OrgId, RecordId, UserId};
#[cfg(feature = "sync")]
pub use job::Job;
pub use key_source::{KeySource, SecretSource};
pub use names::{ConnectionName, ConsumerKey, FieldName, JobName, NameMistake, ObjectName, Username};
pub use oauth_error::OAuthError;
pub use secret::Secret;
pub use shared_folder::Intruder;
pub use text::printable;
pub use url::{Audience, InstanceHosts, InstanceUrl, LoginUrl, SALESFORCE_HOSTS, UrlMistake, is_loopback};
pub use version::ApiVersion;

/// A future that can be sent between threads and boxed behind a trait object.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

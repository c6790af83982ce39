//! From a key to an access token that is there when it is needed.
//!
//! Minting ([`Minter`]) and keeping ([`TokenSource`]) are two things: the first asks Salesforce, the second
//! sees to it that this happens once, in time, and not too often. What a token is used for is `api`'s matter.
//! Start at [`TokenSource`].

mod cache;
mod clock;
pub mod diagnosis;
mod endpoint;
mod freshness;
mod gate;
mod governor;
mod http;
mod keeper;
mod ledger;
mod mint;
mod mint_error;
mod need;
mod response;
mod retry;
mod revoke;
mod source;
mod useless;

pub use cache::{CacheError, FileCache, Kept, Record};
pub use clock::SystemClock;
pub use endpoint::{ANSWER_TIMEOUT, Answer, JWT_BEARER, MAX_ANSWER};
pub use freshness::{
    Freshness, LONGEST_SESSION, Lifetime, SHORTEST_SESSION, Stamp, effective_buffer, freshness,
    learned_lifetime,
};
pub use governor::{Claimant, MintCount, RESERVE, Verdict};
pub use http::{CONNECT_TIMEOUT, USER_AGENT, http_client, unreachable};
pub use ledger::tell;
pub(crate) use mint::jitter;
pub use mint::{Attempted, Minted, Minter, SKEW_THAT_MATTERS};
pub use mint_error::MintError;
pub use need::{Handed, Need, Origin, standing};
pub use response::{TokenResponse, refusal, success};
pub use retry::{RetryPolicy, http_date, retry_after};
pub use revoke::Revoked;
pub use source::TokenSource;
pub use useless::Useless;

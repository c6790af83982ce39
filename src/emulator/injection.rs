use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A fault that the org is told to show. The first that fits a request is the one it meets.
///
/// # Examples
///
/// The next two token requests meet 503 with a maintenance page; then every third query is cut after 40 bytes.
///
/// ```
/// use sfmint::emulator::Injection;
///
/// let outage: Injection = serde_json::from_str(r#"{"path": "/services/oauth2/token", "next": 2,
///     "effect": {"kind": "status", "status": 503, "headers": {"Retry-After": "7"}, "body": "<html>"}}"#)?;
/// let cuts: Injection = serde_json::from_str(r#"{"path": "/services/data", "every": 3,
///     "effect": {"kind": "truncate", "after_bytes": 40}}"#)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// Requests whose path begins like this; empty for all. The admin API itself is never hit.
    #[serde(default)]
    pub path: String,
    /// Requests whose path has this in it, such as `/results`.
    #[serde(default)]
    pub contains: Option<String>,
    /// Requests with this method only.
    #[serde(default)]
    pub method: Option<String>,
    /// So many of the requests that fit, then no more. Without `next` and `every`: all of them.
    #[serde(default)]
    pub next: Option<u64>,
    /// Every k-th of the requests that fit.
    #[serde(default)]
    pub every: Option<u64>,
    /// So many fitting requests pass first.
    #[serde(default)]
    pub skip: u64,
    /// What happens.
    pub effect: Effect,
    #[serde(skip)]
    seen: u64,
    #[serde(skip)]
    done: u64,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// This answer instead of the org's.
    Status {
        /// The status.
        status: u16,
        /// Headers, such as `Retry-After` or `Location`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body, as it goes out. `Content-Type` is `text/html` unless a header says so.
        #[serde(default)]
        body: String,
    },
    /// A redirect to this URL.
    Redirect {
        /// 301, 302, 303, 307 or 308; 302 where none is given.
        #[serde(default = "found")]
        status: u16,
        /// The whole URL.
        to: String,
    },
    /// The connection is reset (RST).
    Reset {
        /// Only after the org did what it was asked: the deed happened, its answer is lost.
        #[serde(default)]
        after_processing: bool,
    },
    /// The first bytes of the org's own answer, then the connection is reset (RST).
    ResetAfter {
        /// Bytes of the body that are sent.
        after_bytes: usize,
    },
    /// The first bytes of the org's own answer, then nothing more, and no end.
    Stall {
        /// Bytes of the body that are sent.
        after_bytes: usize,
    },
    /// The session of the caller ends with this request.
    SessionEnds {
        /// Bytes of the body that are sent before the answer is cut; without it the answer is 401 already.
        #[serde(default)]
        after_bytes: Option<usize>,
    },
    /// The org's own answer with its right `Content-Length` where that is known, cut off.
    Truncate {
        /// Bytes of the body that arrive.
        after_bytes: usize,
    },
    /// The org's own answer, piece by piece.
    Slow {
        /// Bytes a piece, at least 1.
        chunk_bytes: usize,
        /// Before each piece, milliseconds.
        delay_ms: u64,
    },
    /// The org's own answer, late.
    Delay {
        /// Milliseconds.
        delay_ms: u64,
    },
    /// Never an answer.
    Hang,
    /// 200 with a JSON text that does not end for this long.
    Huge {
        /// Bytes.
        bytes: u64,
    },
    /// 200 with `Content-Encoding: gzip` that unpacks to this much.
    GzipBomb {
        /// Bytes when unpacked; rounded up to whole MiB.
        bytes: u64,
    },
    /// A token answer that is right but for one thing.
    Token {
        /// The thing.
        twist: TokenTwist,
    },
}

fn found() -> u16 {
    302
}

/// What is odd about a token answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenTwist {
    /// Another `token_type`, such as `DPoP`.
    TokenType {
        /// The word.
        token_type: String,
    },
    /// Another `instance_url`, hostile ones included.
    InstanceUrl {
        /// The text, as it is.
        url: String,
    },
    /// The token that this user and app got before, even where its session is dead.
    SameToken,
}

impl Effect {
    /// The effect's name, as the log shows it.
    pub fn kind(&self) -> &'static str {
        match self {
            Effect::Status { .. } => "status",
            Effect::Redirect { .. } => "redirect",
            Effect::Reset { .. } => "reset",
            Effect::ResetAfter { .. } => "reset_after",
            Effect::Stall { .. } => "stall",
            Effect::SessionEnds { .. } => "session_ends",
            Effect::Truncate { .. } => "truncate",
            Effect::Slow { .. } => "slow",
            Effect::Delay { .. } => "delay",
            Effect::Hang => "hang",
            Effect::Huge { .. } => "huge",
            Effect::GzipBomb { .. } => "gzip_bomb",
            Effect::Token { .. } => "token",
        }
    }
}

impl Injection {
    /// An effect on every request whose path begins with `path`.
    pub fn always(path: &str, effect: Effect) -> Self {
        Self {
            path: path.into(),
            contains: None,
            method: None,
            next: None,
            every: None,
            skip: 0,
            effect,
            seen: 0,
            done: 0,
        }
    }

    /// An effect on the next `count` requests whose path begins with `path`.
    pub fn next(path: &str, count: u64, effect: Effect) -> Self {
        Self { next: Some(count), ..Self::always(path, effect) }
    }

    /// An effect on every `k`-th request whose path begins with `path`.
    pub fn every(path: &str, k: u64, effect: Effect) -> Self {
        Self { every: Some(k), ..Self::always(path, effect) }
    }

    /// The same, for paths with `part` in them only.
    pub fn containing(self, part: &str) -> Self {
        Self { contains: Some(part.into()), ..self }
    }

    /// The same, for requests with this method only.
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.into()), ..self }
    }

    /// The same, after `count` fitting requests have passed.
    pub fn skipping(self, count: u64) -> Self {
        Self { skip: count, ..self }
    }

    /// Whether this request is one that meets the fault; counts it.
    pub(super) fn hits(&mut self, method: &str, path: &str) -> bool {
        let other_method = self.method.as_deref().is_some_and(|only| !only.eq_ignore_ascii_case(method));
        let other_part = self.contains.as_deref().is_some_and(|part| !path.contains(part));
        if other_method || other_part || !path.starts_with(&self.path) || self.is_spent() {
            return false;
        }
        self.seen += 1;
        let turn = self.seen.saturating_sub(self.skip);
        let its_turn = turn > 0 && self.every.is_none_or(|k| turn.is_multiple_of(k.max(1)));
        if its_turn {
            self.done += 1;
        }
        its_turn
    }

    fn is_spent(&self) -> bool {
        self.next.is_some_and(|next| self.done >= next)
    }
}

/// The effect that this request meets, if any. Faults that are used up are taken away.
pub(super) fn meet(injections: &mut Vec<Injection>, method: &str, path: &str) -> Option<Effect> {
    let hit = injections.iter_mut().find_map(|one| one.hits(method, path).then(|| one.effect.clone()));
    injections.retain(|one| !one.is_spent());
    hit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_hit_the_next_requests_or_every_kth_and_then_go_away() {
        let mut list = vec![Injection::next("/a", 2, Effect::Hang)];
        assert_eq!(meet(&mut list, "GET", "/b"), None);
        assert_eq!(meet(&mut list, "GET", "/a/x"), Some(Effect::Hang));
        assert_eq!(meet(&mut list, "GET", "/a"), Some(Effect::Hang));
        assert!(list.is_empty());

        let mut list = vec![Injection::every("", 3, Effect::Hang)];
        let hits: Vec<bool> = (0..6).map(|_| meet(&mut list, "GET", "/").is_some()).collect();
        assert_eq!(hits, [false, false, true, false, false, true]);
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        for text in [
            r#"{"path":"/","effect":{"kind":"hung"}}"#,
            r#"{"path":"/","effect":{"kind":"hang"},"nexst":1}"#,
            r#"{"effect":{"kind":"truncate","after_byte":1}}"#,
        ] {
            assert!(serde_json::from_str::<Injection>(text).is_err(), "{text}");
        }
    }
}

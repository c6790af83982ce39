//! How the rows of this room write a moment as JSON: RFC 3339 in UTC, or null.

use serde::Serializer;

use crate::base::UnixSeconds;

pub(super) fn moment<S: Serializer>(at: &UnixSeconds, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

pub(super) fn perhaps<S: Serializer>(at: &Option<UnixSeconds>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

use std::fmt;

use crate::api::ApiError;
use crate::base::OAuthError;

/// Why Bulk cannot do a query that REST may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A compound field (address, geolocation) is selected.
    Compound,
    /// The object cannot be queried by Bulk.
    Object,
    /// A part of the query that Bulk does not know: aggregates, GROUP BY, OFFSET, TYPEOF, child rows.
    Feature,
    /// The query takes what only a user with View All Data may ask Bulk for.
    Restriction,
    /// Bulk is closed to this user or org.
    Closed,
    /// The org's Bulk jobs of 24 hours are used up, its REST calls perhaps not.
    Limit,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Compound => "Bulk gives no compound fields",
            Reason::Object => "Bulk does not know this object",
            Reason::Feature => "Bulk cannot do this kind of query",
            Reason::Restriction => "Bulk does this query only for users with View All Data",
            Reason::Closed => "Bulk is closed to this user",
            Reason::Limit => "the org's Bulk jobs of the last 24 hours are used up",
        })
    }
}

/// Parts of messages that say that Bulk cannot do what REST may, most telling first.
const SAYS: [(&str, Reason); 13] = [
    ("compound data", Reason::Compound),
    ("does not support query", Reason::Object),
    ("is not supported by the bulk api", Reason::Object),
    ("not supported in bulk", Reason::Feature),
    ("bulk api does not support", Reason::Feature),
    ("does not support aggregate", Reason::Feature),
    ("aggregate relationships not supported", Reason::Feature),
    ("group by", Reason::Feature),
    ("offset", Reason::Feature),
    ("typeof", Reason::Feature),
    ("nested query", Reason::Feature),
    ("implementation restriction", Reason::Restriction),
    ("limit_exceeded", Reason::Limit),
];

/// Whether a refusal says that Bulk cannot do a query, so that REST is to be asked; `None` where REST would
/// fare no better, or where the refusal is about something else.
///
/// | refusal                                                                   | answer                    |
/// |---------------------------------------------------------------------------|---------------------------|
/// | 400 or a failed job that names compound data                              | [`Reason::Compound`]      |
/// | "... does not support query", "... is not supported by the Bulk API"      | [`Reason::Object`]        |
/// | aggregates, GROUP BY, OFFSET, TYPEOF, child rows named as unsupported     | [`Reason::Feature`]       |
/// | "Implementation restriction ..."                                          | [`Reason::Restriction`]   |
/// | 403 that is no limit of calls and no switched-off API                     | [`Reason::Closed`]        |
/// | `LIMIT_EXCEEDED`                                                          | [`Reason::Limit`]         |
/// | wrong names, dead sessions, call limits, outages                          | `None`                    |
///
/// # Source
///
/// Bulk API 2.0 guide, "Query Jobs"; the messages as airbyte's source-salesforce collected them.
pub fn refused_by_bulk(error: &ApiError) -> Option<Reason> {
    let (reason, forbidden) = match error {
        ApiError::Refused { status, reason } => (reason.as_ref()?, *status == 403),
        ApiError::Query { reason } => (reason, false),
        ApiError::NoAccess { reason } => (reason, true),
        ApiError::BulkFailed { reason, .. } => (reason.as_ref()?, false),
        _ => return None,
    };
    said(reason).or(forbidden.then_some(Reason::Closed))
}

fn said(reason: &OAuthError) -> Option<Reason> {
    let text = format!("{}: {}", reason.error, reason.description.as_deref().unwrap_or_default());
    let text = text.to_ascii_lowercase();
    // A field or object that is not there is not there for REST either, whatever its name sounds like.
    if matches!(reason.error.as_str(), "INVALID_FIELD" | "INVALID_TYPE") {
        return None;
    }
    let unsupported =
        text.contains("support") || text.contains("restriction") || text.contains("limit_exceeded");
    SAYS.iter().find(|(part, _)| unsupported && text.contains(part)).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::bulk::JobId;

    // Protocol reference §3.1.
    #[test]
    fn what_bulk_cannot_do_is_told_from_what_nobody_can() {
        let refused = |status, code: &str, says: &str| ApiError::Refused {
            status,
            reason: Some(OAuthError::new(code, Some(says))),
        };
        let query = |code: &str, says: &str| ApiError::Query { reason: OAuthError::new(code, Some(says)) };
        let failed = |says: &str| ApiError::BulkFailed {
            job: JobId::try_from("750A".to_string()).unwrap(),
            reason: super::super::job::reason(Some(says)),
        };
        let says = OAuthError::new("FUNCTIONALITY_NOT_ENABLED", Some("Bulk API is not enabled"));
        let cases = [
            (
                refused(400, "API_ERROR", "Selecting compound data not supported in Bulk Query"),
                Some(Reason::Compound),
            ),
            (
                refused(400, "INVALIDENTITY", "entity ActivityHistory does not support query"),
                Some(Reason::Object),
            ),
            (
                refused(400, "INVALIDENTITY", "Entity 'X' is not supported by the Bulk API."),
                Some(Reason::Object),
            ),
            (
                refused(400, "API_ERROR", "Aggregate Relationships not supported in Bulk V2 Query"),
                Some(Reason::Feature),
            ),
            (query("MALFORMED_QUERY", "OFFSET is not supported in Bulk V2 Query"), Some(Reason::Feature)),
            (query("MALFORMED_QUERY", "unexpected token: 'FORM'"), None),
            (query("MALFORMED_QUERY", "unexpected token: 'OFFSET'"), None),
            (
                query("MALFORMED_QUERY", "Implementation restriction: ContentDocumentLink requires a filter"),
                Some(Reason::Restriction),
            ),
            (query("INVALID_FIELD", "No such column 'Supported_Group By__c' on entity 'Account'"), None),
            (query("INVALID_TYPE", "sObject type 'Offset__c' is not supported."), None),
            (refused(400, "LIMIT_EXCEEDED", "Limit exceeded for DailyBulkV2QueryJobs"), Some(Reason::Limit)),
            (refused(403, "FORBIDDEN", "no"), Some(Reason::Closed)),
            (ApiError::NoAccess { reason: says.clone() }, Some(Reason::Closed)),
            (ApiError::Disabled { reason: says.clone() }, None),
            (ApiError::LimitDaily { reason: says.clone(), usage: None }, None),
            (ApiError::LimitConcurrent { reason: says }, None),
            (
                failed("FeatureNotEnabled : Selecting compound data not supported in Bulk Query"),
                Some(Reason::Compound),
            ),
            (failed("INVALID_FIELD: No such column 'X' on entity 'Account'"), None),
            (failed("Retried more than fifteen times"), None),
        ];
        for (error, expected) in cases {
            assert_eq!(refused_by_bulk(&error), expected, "{error:?}");
        }
    }
}

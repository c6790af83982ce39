use std::time::Duration;

use crate::base::OAuthError;
use crate::token::{http_date, retry_after};

use super::refusal::{refusals, session_refusal};
use super::{ApiError, Response, page};

/// What is to be done about an answer.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is the answer, whatever it says.
    Answer,
    /// The session is dead, or unfit for ever (`hopeless`).
    Session { reason: OAuthError, hopeless: bool },
    /// A 401 that does not say why: perhaps the session, perhaps a gateway or code in the org.
    Doubt,
    /// Salesforce or a gateway is busy: worth another try, after the time it asks for.
    /// `undone` where it says that nothing was begun, so that every method may be tried again.
    Busy { asked: Option<Duration>, undone: bool },
}

/// Decides what is to be done about an answer, from its status and body alone.
///
/// | answer                                                        | verdict            |
/// |---------------------------------------------------------------|--------------------|
/// | 400, 401 and 403 with the code of a dead session              | session            |
/// | 401 without a reason that can be read                         | doubt              |
/// | 403 `REQUEST_LIMIT_EXCEEDED` that is not the daily limit      | busy               |
/// | 406, 408, 420, 425, 429, 5xx                                  | busy               |
/// | everything else, the spent daily limit included               | the answer         |
///
/// Protocol reference §2.4.
pub(super) fn judge(response: &Response) -> Verdict {
    if let Some((reason, hopeless)) = session_refusal(response.status, &response.body) {
        return Verdict::Session { reason, hopeless };
    }
    if response.status == 401 && refusals(&response.body).is_empty() {
        return Verdict::Doubt;
    }
    let busy = match response.status {
        406 | 408 | 420 | 425 | 429 => true,
        501 | 505 => false,
        403 => refusals(&response.body).iter().any(|reason| is_limit(reason) && !is_daily(reason)),
        status => status >= 500,
    };
    if !busy {
        return Verdict::Answer;
    }
    let date = response.header("date").and_then(http_date);
    let asked = response.header("retry-after").and_then(|text| retry_after(text, date));
    Verdict::Busy { asked, undone: response.status == 403 }
}

/// Whether the answer shows that Salesforce knew the session, which is what a later 401 is judged by.
pub(super) fn knew_the_session(response: &Response) -> bool {
    match response.status {
        200..=299 | 304 => !page::is_html(&response.body),
        300 | 400 | 403..=499 => refusals(&response.body).iter().any(|reason| is_code(&reason.error)),
        _ => false,
    }
}

/// `NOT_FOUND`, `INVALID_FIELD`: how the REST API writes its codes, and no gateway does.
fn is_code(error: &str) -> bool {
    error.len() > 3
        && error.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn is_limit(reason: &OAuthError) -> bool {
    reason.error == "REQUEST_LIMIT_EXCEEDED"
}

/// The limit of 24 hours says `TotalRequests`; the others are of requests that run at the same time.
fn is_daily(reason: &OAuthError) -> bool {
    let says = reason.description.as_deref().unwrap_or_default().to_ascii_lowercase();
    !says.contains("concurrent")
}

/// The error that an answer without success stands for.
pub(super) fn refused(response: &Response) -> ApiError {
    let host = response.host.clone();
    let status = response.status;
    if page::is_wrong_host(&response.body) {
        return ApiError::WrongHost { host };
    }
    let Some(reason) = refusals(&response.body).into_iter().next() else {
        return match status {
            404 => ApiError::NotFound { reason: None },
            410 => ApiError::VersionRetired { reason: None },
            406 | 408 | 420 | 425 | 429 | 500.. => ApiError::Unavailable { host, status, reason: None },
            _ if page::is_html(&response.body) => {
                let title = page::title(&response.body).map(|title| format!(" titled `{title}`"));
                ApiError::NotJson { host, status, what: format!("an HTML page{}", title.unwrap_or_default()) }
            }
            _ => ApiError::Refused { status, reason: None },
        };
    };
    match reason.error.as_str() {
        "REQUEST_LIMIT_EXCEEDED" if is_daily(&reason) => {
            ApiError::LimitDaily { reason, usage: response.usage() }
        }
        "REQUEST_LIMIT_EXCEEDED" => ApiError::LimitConcurrent { reason },
        "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => ApiError::Disabled { reason },
        "UNSUPPORTED_API_VERSION" | "InvalidVersion" => ApiError::VersionRetired { reason: Some(reason) },
        "QUERY_TIMEOUT" => ApiError::QueryTimeout { reason },
        "INVALID_QUERY_LOCATOR" => ApiError::CursorGone { reason: Some(reason) },
        "MALFORMED_QUERY"
        | "INVALID_FIELD"
        | "INVALID_TYPE"
        | "INVALID_QUERY_FILTER_OPERATOR"
        | "EXCEEDED_ID_LIMIT"
        | "QUERY_TOO_COMPLICATED"
        | "INVALID_QUERY_SCOPE" => ApiError::Query { reason },
        "NOT_FOUND" => ApiError::NotFound { reason: Some(reason) },
        "Bad_OAuth_Token" | "Wrong_Org" | "Bad_Id" | "Missing_OAuth_Token" | "Inactive_User" => {
            ApiError::IdentityRefused { reason }
        }
        code if code.starts_with("INSUFFICIENT_ACCESS")
            || matches!(
                code,
                "FUNCTIONALITY_NOT_ENABLED"
                    | "TXN_SECURITY_METERING_ERROR"
                    | "TXN_SECURITY_NO_ACCESS"
                    | "INVALID_CROSS_REFERENCE_KEY"
                    | "NO_ACCESS"
            ) =>
        {
            ApiError::NoAccess { reason }
        }
        _ if status == 410 => ApiError::VersionRetired { reason: Some(reason) },
        _ if status >= 500 || matches!(status, 408 | 420 | 425 | 429) => {
            ApiError::Unavailable { host, status, reason: Some(reason) }
        }
        _ => ApiError::Refused { status, reason: Some(reason) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Explain;
    use reqwest::header::{HeaderMap, HeaderValue};

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
            host: "acme.my.salesforce.com".into(),
        }
    }

    fn rest(code: &str, says: &str) -> String {
        format!(r#"[{{"message":"{says}","errorCode":"{code}"}}]"#)
    }

    // Protocol reference §2.4, row by row; faults A7, A25.
    #[test]
    fn every_refusal_has_its_code() {
        let html = "<html><title>Down for maintenance</title></html>";
        let cases = [
            (403, rest("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), "api.limit_daily"),
            (
                403,
                rest("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
                "api.limit_concurrent",
            ),
            (
                403,
                rest(
                    "REQUEST_LIMIT_EXCEEDED",
                    "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
                ),
                "api.limit_concurrent",
            ),
            (403, rest("API_DISABLED_FOR_ORG", "off"), "api.disabled"),
            (403, rest("API_CURRENTLY_DISABLED", "off"), "api.disabled"),
            (403, rest("INSUFFICIENT_ACCESS_OR_READONLY", "no"), "api.no_access"),
            (403, rest("INSUFFICIENT_ACCESS", "no"), "api.no_access"),
            (403, rest("FUNCTIONALITY_NOT_ENABLED", "no"), "api.no_access"),
            (403, rest("TXN_SECURITY_METERING_ERROR", "no"), "api.no_access"),
            (403, "Bad_OAuth_Token".into(), "api.identity_refused"),
            (403, "Wrong_Org".into(), "api.identity_refused"),
            (400, rest("MALFORMED_QUERY", "unexpected token"), "api.query"),
            (400, rest("INVALID_FIELD", "No such column 'X' on entity 'Account'"), "api.query"),
            (400, rest("INVALID_TYPE", "sObject type 'X' is not supported."), "api.query"),
            (400, rest("QUERY_TIMEOUT", "Your query request was running for too long."), "api.query_timeout"),
            (400, rest("INVALID_QUERY_LOCATOR", "invalid query locator"), "api.cursor_gone"),
            (400, rest("UNABLE_TO_LOCK_ROW", "busy"), "api.refused"),
            (
                400,
                r#"{"exceptionCode":"InvalidVersion","exceptionMessage":"gone"}"#.into(),
                "api.version_retired",
            ),
            (404, rest("NOT_FOUND", "The requested resource does not exist"), "api.not_found"),
            (404, String::new(), "api.not_found"),
            (410, rest("UNSUPPORTED_API_VERSION", "retired"), "api.version_retired"),
            (410, String::new(), "api.version_retired"),
            (300, r#"["/services/data/v67.0/sobjects/A/1"]"#.into(), "api.refused"),
            (409, rest("CONFLICT", "no"), "api.refused"),
            (414, String::new(), "api.refused"),
            (431, String::new(), "api.refused"),
            (500, rest("UNKNOWN_EXCEPTION", "ErrorId: 1"), "api.unavailable"),
            (503, rest("SERVER_UNAVAILABLE", "later"), "api.unavailable"),
            (502, html.into(), "api.unavailable"),
            (503, html.into(), "api.unavailable"),
            (406, String::new(), "api.unavailable"),
            (420, "<html>We are setting things up</html>".into(), "api.unavailable"),
            (429, String::new(), "api.unavailable"),
            (403, "<html><title>Proxy says no</title></html>".into(), "api.not_json"),
            (
                200,
                "<html>Destination URL not reset. The URL returned from login must be set</html>".into(),
                "api.wrong_host",
            ),
        ];
        for (status, body, expected) in cases {
            assert_eq!(refused(&answer(status, &body)).code(), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_401_without_a_reason_is_a_doubt_and_one_with_a_foreign_reason_an_answer() {
        for body in ["", "<html>Please log in</html>", r#"{"msg":"partner key missing"}"#] {
            assert!(matches!(judge(&answer(401, body)), Verdict::Doubt), "{body}");
        }
        for body in [rest("PARTNER_KEY", "missing"), r#"{"error":"partner key missing"}"#.into()] {
            assert!(matches!(judge(&answer(401, &body)), Verdict::Answer), "{body}");
        }
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        let busy = |status, body: &str| matches!(judge(&answer(status, body)), Verdict::Busy { .. });
        for status in [406, 408, 420, 425, 429, 500, 502, 503, 504] {
            assert!(busy(status, "<html>"), "{status}");
        }
        for status in [200, 204, 300, 304, 400, 404, 405, 409, 410, 414, 501] {
            assert!(!busy(status, "<html>"), "{status}");
        }
        // faults A25: the spent day is no reason to ask again; the busy second is.
        assert!(!busy(403, &rest("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")));
        assert!(busy(403, &rest("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.")));
    }

    // faults A6
    #[test]
    fn the_wish_to_wait_is_read_in_both_forms() {
        let asked = |after: &'static str| {
            let mut response = answer(503, "");
            response.headers.insert("date", HeaderValue::from_static("Sun, 22 Nov 2026 21:00:00 GMT"));
            response.headers.insert("retry-after", HeaderValue::from_static(after));
            match judge(&response) {
                Verdict::Busy { asked, .. } => asked.map(|asked| asked.as_secs()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(asked("17"), Some(17));
        assert_eq!(asked("Sun, 22 Nov 2026 21:00:30 GMT"), Some(30));
        assert_eq!(asked("-17"), None);
    }

    #[test]
    fn a_page_or_a_gateway_proves_no_session() {
        let cases = [
            (200, "{}".to_string(), true),
            (204, String::new(), true),
            (200, "<html>Login</html>".into(), false),
            (404, rest("NOT_FOUND", "no"), true),
            (404, "no such page".into(), false),
            (403, r#"{"error":"blocked"}"#.into(), false),
            (401, rest("INVALID_SESSION_ID", "no"), false),
            (500, rest("UNKNOWN_EXCEPTION", "no"), false),
        ];
        for (status, body, expected) in cases {
            assert_eq!(knew_the_session(&answer(status, &body)), expected, "{status} {body}");
        }
    }
}

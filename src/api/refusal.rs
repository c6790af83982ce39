use serde_json::Value;

use crate::base::OAuthError;

use super::page;

/// Bodies that no new session changes: the session is alive, and not fit for what it is used for.
///
/// A program that mints again on them never stops (jsforce keeps the same list, `http-api.ts`;
/// forcedotcom/cli#3428, jsforce#1411).
const HOPELESS: [&str; 2] =
    ["this session is not valid for use with", "connected app is not attached to agent"];

/// Error codes that say that a session is dead, in every API's spelling. Bulk v1 answers 400 with the second
/// (camel#826); the last two appear on long syncs (airbyte#71024).
const DEAD: [&str; 4] =
    ["INVALID_SESSION_ID", "InvalidSessionId", "INVALID_AUTH_HEADER", "INVALID_JWT_FORMAT"];

/// Reads why a call was refused, whatever shape the body has.
///
/// # Shape
///
/// | body                                                     | read as                                  |
/// |----------------------------------------------------------|------------------------------------------|
/// | `[{"errorCode","message"}, ...]` (REST)                  | each                                     |
/// | `{"errorCode","message"}`, `{"exceptionCode","exceptionMessage"}` (Bulk v1) | one                   |
/// | `{"error","error_description"}` (OAuth)                  | one                                      |
/// | `error=..&error_description=..` (the revoke endpoint)    | one                                      |
/// | a word such as `Bad_OAuth_Token` (the identity URL)      | one, without description                 |
/// | XML with `<exceptionCode>` or `<errorCode>`              | one                                      |
/// | nothing, HTML, anything else                             | none                                     |
///
/// Protocol reference §1.6 and §2.4, trap 11.
pub fn refusals(body: &[u8]) -> Vec<OAuthError> {
    let Ok(text) = std::str::from_utf8(body) else { return Vec::new() };
    let text = text.trim_start_matches('\u{feff}').trim();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(all)) => all.iter().filter_map(from_object).collect(),
        Ok(one @ Value::Object(_)) => from_object(&one).into_iter().collect(),
        Ok(_) => Vec::new(),
        Err(_) => from_text(text).into_iter().collect(),
    }
}

fn from_object(object: &Value) -> Option<OAuthError> {
    let word = |names: [&str; 3]| names.iter().find_map(|name| object.get(name)?.as_str());
    let error = word(["errorCode", "exceptionCode", "error"])?;
    Some(said(error, word(["message", "exceptionMessage", "error_description"])))
}

/// Messages about queries have several lines, with a caret under the mistake; here they are one.
fn said(error: &str, description: Option<&str>) -> OAuthError {
    let line = description.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    OAuthError::new(error, line.as_deref())
}

fn from_text(text: &str) -> Option<OAuthError> {
    if page::is_html(text.as_bytes()) {
        return None;
    }
    if text.starts_with('<') {
        let error = element(text, "exceptionCode").or_else(|| element(text, "errorCode"))?;
        return Some(OAuthError::new(
            error,
            element(text, "exceptionMessage").or_else(|| element(text, "message")),
        ));
    }
    let is_word = |word: &str| {
        (3..60).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if is_word(text) {
        return Some(OAuthError::new(text, None));
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    Some(OAuthError::new(field("error")?, field("error_description")))
}

fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(inner, _)| inner)
}

/// What an answer says about the session it was asked with: `Some((words, hopeless))` where it refuses it.
///
/// # Shape
///
/// A 400, 401 or 403 does where its code is one of a dead session's; a 401 also where it says what makes a session
/// unfit. Every other 401 is somebody else's: code in the org gives them for reasons of its own. `hopeless` says
/// that no new session would fare better.
pub(super) fn session_refusal(status: u16, body: &[u8]) -> Option<(OAuthError, bool)> {
    if !matches!(status, 400 | 401 | 403) {
        return None;
    }
    let all = refusals(body);
    let dead = |reason: &OAuthError| DEAD.contains(&reason.error.as_str());
    let hopeless = |reason: &OAuthError| {
        if status != 401 && !dead(reason) {
            return false;
        }
        let says = reason.description.as_deref().unwrap_or_default().to_lowercase();
        HOPELESS.iter().any(|part| says.contains(part))
    };
    if let Some(reason) = all.iter().find(|reason| hopeless(reason)) {
        return Some((reason.clone(), true));
    }
    all.into_iter().find(dead).map(|reason| (reason, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Protocol reference, trap 11: every shape an error has.
    #[test]
    fn every_shape_of_refusal_is_read() {
        let cases = [
            (
                r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#,
                "INVALID_SESSION_ID: Session expired or invalid",
            ),
            (r#"[{"errorCode":"NOT_FOUND"}]"#, "NOT_FOUND"),
            (
                r#"[{"message":"\n FROM X\n      ^\nERROR at Row:1","errorCode":"X"}]"#,
                "X: FROM X ^ ERROR at Row:1",
            ),
            (r#"{"errorCode":"X","message":"y"}"#, "X: y"),
            (
                r#"{"exceptionCode":"InvalidSessionId","exceptionMessage":"Invalid session id"}"#,
                "InvalidSessionId: Invalid session id",
            ),
            (r#"{"error":"invalid_grant","error_description":"no"}"#, "invalid_grant: no"),
            (
                "error=unsupported_token_type&error_description=this+token",
                "unsupported_token_type: this token",
            ),
            ("Bad_OAuth_Token", "Bad_OAuth_Token"),
            (
                "<?xml version=\"1.0\"?><error><exceptionCode>InvalidVersion</exceptionCode><exceptionMessage>gone</exceptionMessage></error>",
                "InvalidVersion: gone",
            ),
        ];
        for (body, expected) in cases {
            let read: Vec<String> = refusals(body.as_bytes()).iter().map(ToString::to_string).collect();
            assert_eq!(read, [expected], "{body}");
        }
        let empty: [&[u8]; 8] = [
            b"",
            b"[]",
            b"{}",
            b"null",
            b"[1]",
            b"<html><body>Login</body></html>",
            b"\xff\xfe",
            b"two words",
        ];
        for body in empty {
            assert_eq!(refusals(body), [], "{}", String::from_utf8_lossy(body));
        }
    }

    // Peers T4, T6; protocol reference §2.4 and trap 2.
    #[test]
    fn a_dead_session_is_told_from_a_hopeless_one() {
        let rest = |code: &str, says: &str| format!(r#"[{{"message":"{says}","errorCode":"{code}"}}]"#);
        let cases = [
            (401, rest("INVALID_SESSION_ID", "Session expired or invalid"), Some(false)),
            (
                401,
                rest("INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
                Some(true),
            ),
            (401, rest("INVALID_SESSION_ID", "This Session is not valid for use with the API"), Some(true)),
            (401, rest("X", "Connected app is not attached to Agent"), Some(true)),
            (401, rest("INVALID_JWT_FORMAT", "Invalid JWT format"), Some(false)),
            (401, rest("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"), Some(false)),
            (403, rest("INVALID_SESSION_ID", "This session is not valid for use with the API"), Some(true)),
            (403, rest("PARTNER", "This session is not valid for use with partner 7"), None),
            (401, rest("PARTNER_KEY", "missing"), None),
            (401, r#"{"msg":"partner key missing"}"#.into(), None),
            (401, String::new(), None),
            (401, "<html>Please log in</html>".into(), None),
            (
                400,
                r#"{"exceptionCode":"InvalidSessionId","exceptionMessage":"Invalid session id"}"#.into(),
                Some(false),
            ),
            (403, rest("INVALID_SESSION_ID", "Session expired or invalid"), Some(false)),
            (403, "Bad_OAuth_Token".into(), None),
            (400, rest("MALFORMED_QUERY", "unexpected token"), None),
            (403, rest("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), None),
            (200, rest("INVALID_SESSION_ID", "Session expired or invalid"), None),
            (500, rest("INVALID_SESSION_ID", "Session expired or invalid"), None),
        ];
        for (status, body, expected) in cases {
            let found = session_refusal(status, body.as_bytes()).map(|(_, hopeless)| hopeless);
            assert_eq!(found, expected, "{status} {body}");
        }
    }
}

use crate::base::printable;

/// Whether a body is an HTML page: a login form, a gateway's or a maintenance notice.
pub(super) fn is_html(body: &[u8]) -> bool {
    let start: Vec<u8> = body
        .iter()
        .skip_while(|byte| byte.is_ascii_whitespace())
        .take(200)
        .map(u8::to_ascii_lowercase)
        .collect();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body", b"<!--", b"<script", b"<title"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

/// What an HTML page calls itself, at most 120 characters, made safe to print.
///
/// Its text is not kept: a login page may echo what was sent to it.
pub(super) fn title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(8 * 1024)]).into_owned();
    let lower = text.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower.get(open..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find("</title")?;
    let title = text.get(start..end)?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| printable(&title, 120))
}

/// Whether the page says that this host does not know the org (any more).
pub(super) fn is_wrong_host(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("Destination URL not reset")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_data_and_named_by_their_title() {
        assert!(
            is_html(b"\n  <!DOCTYPE HTML><html>") && is_html(b"<html>") && is_html(b"\xef\xbb\xbf<html>")
        );
        assert!(!is_html(b"{\"a\":\"<html>\"}") && !is_html(b"<?xml version=\"1.0\"?>") && !is_html(b""));
        assert_eq!(
            title(b"<html><title lang=en>\n Login |\x1b[2J Salesforce </title>").unwrap(),
            "Login |\\u{1b}[2J Salesforce"
        );
        assert_eq!(title(b"<html><title></title>"), None);
        assert_eq!(title(b"<title>never ends"), None);
        assert_eq!(title("<title>\u{130}\u{130}</title>".as_bytes()).unwrap(), "\u{130}\u{130}");
    }
}

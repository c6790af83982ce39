/// Longest run of base64 letters that is kept. A host label has 63 at most, an assertion's claims far more.
const LONGEST_RUN: usize = 63;

/// Leaves out of a text whatever looks like a token, an assertion or a key.
///
/// The last door before the disk. The words themselves carry no secret; this is for foreign text, such as
/// an error description in which a gateway repeats the request.
///
/// # Shape
///
/// Each word that is one of the below becomes `[left out, N characters]`; all else stays as it is.
///
/// | looks like          | is it                                                     |
/// |---------------------|-----------------------------------------------------------|
/// | `eyJ...`, 16 and up | a JWT, as assertion or as token                           |
/// | `00D...!`, `00D...%21` | a session id                                           |
/// | 64 and up of base64 | a part of any of these, or the body of a key              |
pub(super) fn screened(text: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || "-._~+/!%".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let ours = in_word(first);
        let end = rest.find(|c| in_word(c) != ours).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        match ours && is_suspect(run) {
            true => out.push_str(&format!("[left out, {} characters]", run.len())),
            false => out.push_str(run),
        }
        rest = after;
    }
    out
}

fn is_suspect(run: &str) -> bool {
    let jwt = run.find("eyJ").is_some_and(|at| run.len() - at >= 16);
    let session = run.find("00D").is_some_and(|at| run[at..].contains(['!', '%']));
    let long = run.split(['.', '!', '%', '~']).any(|part| part.len() > LONGEST_RUN);
    jwt || session || long
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_of_salesforce_stay() {
        for text in [
            "user hasn't approved this consumer",
            "audience is invalid: https://acme--sandbox.sandbox.my.salesforce.com",
            "org 00D8d00000abCdEAAU is frozen",
            "zażółć gęślą jaźń — 日本語",
            "",
        ] {
            assert_eq!(screened(text), text);
        }
    }

    #[test]
    fn what_looks_like_a_credential_is_left_out() {
        let session = "00D8d00000abCdE!AQEAQPl4kZ0123456789abcdefghijklmnop.qrstuvwxyz_ABC";
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIzTVZHOSJ9.c2lnbmF0dXJl";
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        for secret in [session, jwt, body, &session.replace('!', "%21")] {
            for text in [secret.to_string(), format!("assertion={secret}&x=1"), format!("bad: \"{secret}\".")]
            {
                let kept = screened(&text);
                assert!(kept.contains("[left out, "), "{kept}");
                assert!(!kept.contains(&secret[4..24]), "{kept}");
            }
        }
    }
}

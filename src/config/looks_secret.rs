use std::collections::BTreeMap;

/// What a word looks like, if it looks like something that must not stand in a file that people share.
///
/// Shapes first, since they are certain; then randomness: at least 24 characters of mixed kinds with more
/// than 3.6 bits each, where English words have about 3 and base64 of random bytes about 5, and whose kind
/// (small, capital, digit) changes at more than 4 of 10 steps, where words joined by capitals change at 3 and
/// base64 of random bytes at 6. Consumer keys
/// (`3MVG9...`) are identifiers, and file paths, hosts and user names are words; they do not count.
pub(super) fn looks_secret(word: &str) -> Option<&'static str> {
    let starts = |start: &str| word.starts_with(start);
    if word.contains("-----BEGIN") && word.contains("PRIVATE KEY") {
        return Some("a private key in PEM");
    }
    if starts("3MVG9") {
        return None;
    }
    if starts("00D") && word.len() > 40 && matches!(word.find('!'), Some(15 | 18)) {
        return Some("a Salesforce access token");
    }
    if starts("5Aep") && word.len() > 40 {
        return Some("a Salesforce refresh token");
    }
    if starts("eyJ") && word.matches('.').count() >= 2 && word.len() > 40 {
        return Some("a signed token (JWT)");
    }
    if starts("MII") && word.len() >= 60 || starts("LS0tLS1CRUdJTi") {
        return Some("a key in base64");
    }
    for (prefix, what) in [
        ("ghp_", "a GitHub token"),
        ("github_pat_", "a GitHub token"),
        ("glpat-", "a GitLab token"),
        ("xoxb-", "a Slack token"),
        ("xoxp-", "a Slack token"),
        ("AKIA", "an AWS access key"),
        ("hvs.", "a Vault token"),
        ("https://hooks.slack.com/", "a webhook URL"),
        ("force://", "a Salesforce auth URL"),
    ] {
        if starts(prefix) && word.len() > prefix.len() + 10 {
            return Some(what);
        }
    }
    if let Some((_, rest)) = word.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let password = authority.rsplit_once('@').and_then(|(userinfo, _)| userinfo.split_once(':'));
        return password.filter(|(_, password)| !password.is_empty()).map(|_| "a URL with a password in it");
    }
    is_random(word).then_some("random text")
}

fn is_random(word: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    if word.len() < 24 || !word.bytes().all(alphabet) || word.starts_with('/') {
        return false;
    }
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    let digits = has(u8::is_ascii_digit);
    let hex = digits && word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mixed = digits && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    hex && bits(word) > 3.0 || mixed && bits(word) > 3.6 && changes(word) > 0.4
}

/// At what share of steps from one character to the next its kind changes.
fn changes(word: &str) -> f64 {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let bytes = word.as_bytes();
    let changed = bytes.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    changed as f64 / bytes.len() as f64
}

/// Shannon's entropy of one character, in bits.
fn bits(word: &str) -> f64 {
    let mut counts: BTreeMap<u8, f64> = BTreeMap::new();
    for byte in word.bytes() {
        *counts.entry(byte).or_default() += 1.0;
    }
    let all = word.len() as f64;
    counts.values().map(|count| -(count / all) * (count / all).log2()).sum()
}

/// Every line of `text` that holds something that looks like a secret, counted from 1, and what it looks like.
///
/// Comments are looked at too: what is commented out is committed all the same. What stands behind
/// `client_id` is an identifier, however random it looks.
pub(super) fn suspicious_lines(text: &str) -> Vec<(usize, &'static str)> {
    let suspicious = |(at, line)| Some((at + 1, suspicious_word(line)?));
    text.lines().enumerate().filter_map(suspicious).collect()
}

fn suspicious_word(line: &str) -> Option<&'static str> {
    if line.contains("-----BEGIN") {
        return looks_secret(line);
    }
    let mut before = "";
    for word in line.split(|c: char| c.is_whitespace() || "\"'`,;()[]{}<>".contains(c)) {
        if before != "client_id" {
            let value = word.split_once('=').map_or("", |(_, value)| value);
            let found = looks_secret(word).or_else(|| looks_secret(value));
            if found.is_some() {
                return found;
            }
        }
        let name = word.trim_end_matches('=');
        if !name.is_empty() {
            before = name;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    // faults D7
    #[test]
    fn secrets_are_known_by_their_shape_or_their_randomness() {
        for word in [
            "-----BEGIN RSA PRIVATE KEY-----",
            "00D8d000000abcd!AQcAQH0dMHZfz972Szmpkb58urFRkgeBGsxL_QJWwYMfAbUeeG7c1E6LYUfiDUkWe6H34r1AAwOR8B8fLEz6n04NPGRrq0FM",
            "5Aep861TSESvWeug_xvFHRBTTbf_YrTWgEyjBJrfqHFQy3GfPSHuaLA2o7kkCZ.Kn3sHhIyh2Mhbr1W1dUnsdtC",
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIzTVZHOSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg",
            "hQ7xV2mZ9kLp4RtW8sYb1NcD6fGj3HaE",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "postgres://etl:hunter2@db.example/warehouse",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        ] {
            assert!(looks_secret(word).is_some(), "{word}");
        }
    }

    #[test]
    fn what_belongs_in_a_config_file_is_left_alone() {
        for word in [
            "3MVG9pRzvMkjMb6nJ7fYHq3Xk0uMZ8VQm1sT2w9bLx4cRr5dSs6eTt7fUu8gVv9hWw0iXx1jYy2k",
            "https://acme--staging.sandbox.my.salesforce.com",
            "integration.user.for.warehouse@acme.example.staging",
            "certs/production-2026/current.key",
            "/var/lib/sfmint/certs/PROD2026/current-key-number-4.key",
            "certs/Prod2026ForAcmeWarehouse/CurrentKeyNumber4",
            "CN=AcmeIntegrationUser2026,O=AcmeCorporation",
            "refresh_buffer_seconds",
            "https://proxy.acme.example:3128",
            "SFMINT_PRIVATE_KEY_PASSPHRASE_FILE",
        ] {
            assert_eq!(looks_secret(word), None, "{word}");
        }
    }

    #[test]
    fn a_consumer_key_is_no_secret_whatever_it_looks_like() {
        let line = |name: &str| format!("x = {{ {name} = \"hQ7xV2mZ9kLp4RtW8sYb1NcD6fGj3HaE\" }}");
        assert_eq!(suspicious_lines(&line("client_id")), []);
        assert_eq!(suspicious_lines(&line("secret")), [(1, "random text")]);
    }

    #[test]
    fn a_secret_in_a_comment_is_found_with_its_line() {
        let text = "a = 1\n# token=\"hQ7xV2mZ9kLp4RtW8sYb1NcD6fGj3HaE\"\nb = 'x'\n";
        assert_eq!(suspicious_lines(text), [(2, "random text")]);
    }
}

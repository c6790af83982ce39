use super::rules::Rules;

/// As whom a request addresses this org, told by its `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The org's own host; `base` is its URL as the client wrote it.
    MyDomain { base: String },
    /// login.salesforce.com.
    Login,
    /// test.salesforce.com.
    Test,
}

/// Production's shared login host.
pub(super) const LOGIN: &str = "https://login.salesforce.com";
/// The sandboxes' shared login host.
pub(super) const TEST: &str = "https://test.salesforce.com";

/// Which place `host` (a `Host` header) is; none where this org does not answer to it.
pub(super) fn place(host: &str, rules: &Rules) -> Option<Place> {
    let lower = host.to_ascii_lowercase();
    let name = match lower.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => lower.as_str(),
    };
    let https = || Some(Place::MyDomain { base: format!("https://{}", lower.trim_end_matches(":443")) });
    match name {
        "127.0.0.1" | "localhost" | "[::1]" => Some(Place::MyDomain { base: format!("http://{lower}") }),
        "login.salesforce.com" => Some(Place::Login),
        "test.salesforce.com" => Some(Place::Test),
        _ if rules.my_domain.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name)) => https(),
        _ if rules.public_url.as_deref().and_then(host_of).is_some_and(|own| own == name) => https(),
        _ if rules.my_domain.is_none() && name.ends_with(".my.salesforce.com") => https(),
        _ => None,
    }
}

fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_string)
}

/// The shared host this org belongs to.
pub(super) fn shared_host(rules: &Rules) -> &'static str {
    if rules.sandbox { TEST } else { LOGIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_placed_by_its_host_alone() {
        let rules = Rules { public_url: Some("https://org.example".into()), ..Rules::default() };
        let base = |host: &str| match place(host, &rules) {
            Some(Place::MyDomain { base }) => Some(base),
            _ => None,
        };
        assert_eq!(base("127.0.0.1:8080").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(base("Acme.my.salesforce.com:443").as_deref(), Some("https://acme.my.salesforce.com"));
        assert_eq!(base("org.example").as_deref(), Some("https://org.example"));
        assert_eq!(place("login.salesforce.com", &rules), Some(Place::Login));
        assert_eq!(place("TEST.salesforce.com:443", &rules), Some(Place::Test));
        for stranger in
            ["evil.example", "my.salesforce.com.evil.example", "login.salesforce.com.evil.example", ""]
        {
            assert_eq!(place(stranger, &rules), None, "{stranger}");
        }
        let named = Rules { my_domain: Some("acme.my.salesforce.com".into()), ..Rules::default() };
        assert_eq!(place("other.my.salesforce.com", &named), None);
    }
}

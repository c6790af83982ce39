//! Hostile instance URLs: which are refused, and that no other parser sees another host in those that are not.

use std::str::FromStr;

use sfmint::base::{InstanceHosts, InstanceUrl, LoginUrl};

fn parse(text: &str) -> Result<InstanceUrl, sfmint::base::UrlMistake> {
    let login: LoginUrl = "https://acme.my.salesforce.com".parse().unwrap();
    InstanceUrl::parse(text, &InstanceHosts::default(), &login)
}

/// Where a token goes, as Salesforce says it.
const GOOD: [&str; 10] = [
    "https://acme.my.salesforce.com",
    "https://acme.my.salesforce.com/",
    "https://ACME.my.salesforce.com",
    "https://acme--uat.sandbox.my.salesforce.com",
    "https://acme-dev-ed.develop.my.salesforce.com",
    "https://na139.salesforce.com",
    "https://acme.my.salesforce.mil",
    "https://acme.my.site.com",
    "https://acme.cloudforce.com",
    "https://acme.my.sfcrmproducts.cn",
];

/// Where it must not go, by trick and by lie.
const HOSTILE: [&str; 81] = [
    "",
    " ",
    "https://",
    "https:///",
    "https:acme.my.salesforce.com",
    "https:/acme.my.salesforce.com",
    "https:///acme.my.salesforce.com",
    "//acme.my.salesforce.com",
    "acme.my.salesforce.com",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "ftp://acme.my.salesforce.com",
    "ws://acme.my.salesforce.com",
    "http://acme.my.salesforce.com",
    "HTTP://acme.my.salesforce.com",
    "https://evil.example",
    "https://salesforce.com",
    "https://salesforce.com.evil.example",
    "https://acme.my.salesforce.com.evil.example",
    "https://evilsalesforce.com",
    "https://my-salesforce.com",
    "https://.salesforce.com",
    "https://acme.my.salesforce.com@evil.example",
    "https://acme.my.salesforce.com:443@evil.example",
    "https://acme.my.salesforce.com%40evil.example",
    "https://user@acme.my.salesforce.com",
    "https://user:password@acme.my.salesforce.com",
    "https://@acme.my.salesforce.com",
    "https://:@acme.my.salesforce.com",
    "https://evil.example\\@acme.my.salesforce.com",
    "https://evil.example\\.my.salesforce.com",
    "https:\\\\acme.my.salesforce.com",
    "https:/\\acme.my.salesforce.com",
    "https://acme.my.salesforce.com\\@evil.example",
    "https://evil.example#@acme.my.salesforce.com",
    "https://evil.example?@acme.my.salesforce.com",
    "https://evil.example/.my.salesforce.com",
    "https://evil.example;.my.salesforce.com",
    "https://evil.example,.my.salesforce.com",
    "https://acme.my.salesforce.com:8443",
    "https://acme.my.salesforce.com:0",
    "https://acme.my.salesforce.com:80",
    "https://acme.my.salesforce.com:",
    "https://acme.my.salesforce.com:443",
    "https://acme..my.salesforce.com",
    "https://acme$.my.salesforce.com",
    "https://acme.my.salesforce.com:0443",
    "https://acme.my.salesforce.com:65536",
    "https://acme.my.salesforce.com:443:443",
    "https://acme.my.salesforce.com.",
    "https://acme.my.salesforce.com../",
    "https://acme.my.salesforce.com/services",
    "https://acme.my.salesforce.com/?a=b",
    "https://acme.my.salesforce.com?a=b",
    "https://acme.my.salesforce.com#f",
    "https://acme.my.salesforce.com//",
    "https://acme.my.salesforce.com/..",
    "https://acme.my.salesforce.com/%2e%2e",
    " https://acme.my.salesforce.com",
    "https://acme.my.salesforce.com ",
    "https://acme.my.salesforce.com\r\nX-Evil: 1",
    "https://acme\t.my.salesforce.com",
    "https://acme\n.my.salesforce.com",
    "https://acme\0.my.salesforce.com",
    "https://evil.example\u{2044}.my.salesforce.com",
    "https://evil.example\u{ff0f}.my.salesforce.com",
    "https://acme.my.s\u{430}lesforce.com",
    "https://acme.my.salesforce\u{3002}com",
    "https://\u{ff41}cme.my.salesforce.com",
    "https://acme.my.salesforce%2ecom",
    "https://%61cme.my.salesforce.com",
    "https://[acme.my.salesforce.com]",
    "https://127.0.0.1",
    "http://127.0.0.1:8080",
    "http://localhost",
    "http://[::1]",
    "https://2130706433",
    "https://0x7f.1",
    "https://0177.0.0.1",
    "https://169.254.169.254",
    "https://[::ffff:169.254.169.254]",
];

// faults A15
#[test]
fn hostile_instance_urls_are_refused() {
    for text in HOSTILE {
        let refused = parse(text).map(|url| url.to_string());
        assert!(refused.is_err(), "{text:?} was read as {refused:?}");
        let says = refused.unwrap_err().to_string();
        assert!(says.chars().all(|c| !c.is_control()), "{says:?}");
    }
    for text in GOOD {
        parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

/// The host another parser sees; hyper dials by this one.
fn host_of(text: &str) -> Option<String> {
    let uri = hyper::Uri::from_str(text).ok()?;
    Some(uri.host()?.to_ascii_lowercase())
}

// Issue 2: two parsers must never disagree about the host. Every accepted text is read by both.
#[test]
fn what_is_accepted_has_one_host_for_every_parser() {
    let loopback: LoginUrl = "http://127.0.0.1:8080".parse().unwrap();
    let login: LoginUrl = "https://acme.my.salesforce.com".parse().unwrap();
    let hosts = InstanceHosts::default();
    let pieces = [
        "https://",
        "http://",
        "HTTPS://",
        "//",
        "/",
        "\\",
        "@",
        ":",
        "#",
        "?",
        "%40",
        "%2f",
        "%5c",
        ".",
        ";",
        "[",
        "]",
        "acme.my.salesforce.com",
        "evil.example",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "443",
        "8080",
        "user",
        " ",
        "\t",
        "\u{ff0f}",
        "0x7f.1",
    ];
    let (mut tried, mut accepted) = (0, 0);
    let mut check = |text: &str| {
        tried += 1;
        for login in [&login, &loopback] {
            let Ok(url) = InstanceUrl::parse(text, &hosts, login) else { continue };
            accepted += 1;
            assert_eq!(host_of(text).as_deref(), Some(url.host()), "{text:?}");
            assert_eq!(host_of(url.as_str()).as_deref(), Some(url.host()), "{text:?}");
            let host = url.host();
            let is_local = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
            assert!(
                host.ends_with(".salesforce.com") || (is_local && login.is_loopback()),
                "{text:?} is {host}"
            );
        }
    };
    GOOD.iter().take(6).for_each(|text| check(text));
    HOSTILE.iter().for_each(|text| check(text));
    for scheme in ["https://", "http://", "HTTPS://", "https:/\\", "https:"] {
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    check(&format!("{scheme}{a}{b}{c}"));
                }
            }
        }
    }
    assert!(tried > 100_000 && accepted > 50, "{accepted} of {tried}");
}

// The one way to make an address that a token is sent to: pages and locators of other hosts are refused.
#[test]
fn no_path_leads_to_another_host() {
    let url = parse("https://acme.my.salesforce.com").unwrap();
    for path in [
        "//evil.example/services/data",
        "https://evil.example/services/data",
        "http://acme.my.salesforce.com/services/data",
        "https://acme.my.salesforce.com:8443/services/data",
        "https://acme.my.salesforce.com@evil.example/services/data",
        "https://evil.example\\@acme.my.salesforce.com/",
        "/\\evil.example",
        "\\\\evil.example",
        "/services/../../evil",
        "/services/%2e%2e/x",
        "/services/%2E./x",
        "/services/%2f%2fevil.example",
        "/services/%5cevil.example",
        "/services\r\nHost: evil.example",
        "services/data",
        "",
    ] {
        let read = url.at(path);
        assert!(read.is_err(), "{path:?} became {read:?}");
    }
    let next = url.at("/services/data/v67.0/query/0r8xx-2000?a=b").unwrap();
    assert_eq!(next.as_str(), "https://acme.my.salesforce.com/services/data/v67.0/query/0r8xx-2000?a=b");
}

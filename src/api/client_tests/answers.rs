use super::LIMITS;
use crate::api::test_org::{Reply, TestOrg};
use crate::api::{ApiError, Client, Request};
use crate::base::Explain;

#[tokio::test]
async fn a_page_that_says_the_org_is_not_here_names_the_host() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::new(
            200,
            &[],
            "<html><body>Destination URL not reset. The URL returned from login must be set</body></html>",
        )),
    })
    .await;
    assert_eq!(org.client().get(LIMITS).await.unwrap_err().code(), "api.wrong_host");
}

// faults A14
#[tokio::test]
async fn redirects_are_refused_and_both_hosts_named() {
    for (status, to, named) in [
        (302, "https://evil.example/login", "https://evil.example"),
        (307, "http://acme.my.salesforce.com/", "http://acme.my.salesforce.com"),
        (308, "/elsewhere", "another path of 127.0.0.1"),
        (301, "https://x@evil.example:444/?sid=1", "https://evil.example:444"),
    ] {
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ => Some(Reply::new(status, &[("location", to)], "")),
        })
        .await;
        let error = org.client().get(LIMITS).await.unwrap_err();
        assert_eq!(error.code(), "api.redirected");
        let says = error.to_string();
        assert!(says.contains("127.0.0.1") && says.contains(named), "{says}");
        assert_eq!(org.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_client_that_follows_redirects_is_found_out() {
    let other = TestOrg::start(|_| Some(Reply::json("{}"))).await;
    let to = other.url.clone();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::new(302, &[("location", &to)], "")),
    })
    .await;
    let http = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
    let error = Client::with_http(org.tokens(), http).get(LIMITS).await.unwrap_err();
    assert_eq!(error.code(), "api.redirected");
    assert!(error.to_string().contains(&other.url), "{error}");
}

// faults A11
#[tokio::test]
async fn answers_that_are_no_json_are_named() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let cases: [(Vec<u8>, &str); 6] = [
        (
            b"<!DOCTYPE html><html><title>Login | Salesforce</title>".to_vec(),
            "an HTML page titled `Login | Salesforce`",
        ),
        (b"".to_vec(), "nothing"),
        (b"{\"a\":\"\xff\xfe\"}".to_vec(), "damaged JSON"),
        (b"{\"a\":1} trailing".to_vec(), "damaged JSON"),
        (deep.into_bytes(), "damaged JSON"),
        (b"{\"a\":".to_vec(), "JSON that ends early"),
    ];
    for (body, expected) in cases {
        let sent = body.clone();
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ => Some(Reply::new(200, &[("content-type", "application/json")], &sent)),
        })
        .await;
        let error = org.client().get(LIMITS).await.unwrap_err();
        assert_eq!(error.code(), "api.not_json");
        assert!(error.to_string().contains(expected), "{error} for {}", String::from_utf8_lossy(&body));
    }
}

// faults A12: 16 KiB that unpack to 16 MiB of the digit 0.
#[tokio::test]
async fn a_gzip_bomb_is_stopped_at_the_limit() {
    let bomb = include_bytes!("../../../tests/data/zeros.gz").to_vec();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::new(
            200,
            &[("content-encoding", "gzip"), ("content-type", "application/json")],
            &bomb,
        )),
    })
    .await;
    let request = Request::get(LIMITS).at_most(1024 * 1024);
    let error = org.client().send(request).await.unwrap_err();
    assert_eq!(error.to_string(), "the answer is larger than 1048576 bytes");
    assert_eq!(error.code(), "api.too_large");
}

// faults A12: an endless refusal is read only so far, and still understood.
#[tokio::test]
async fn an_endless_refusal_is_cut() {
    let page = format!("<html><title>Blocked</title>{}", "x".repeat(3_000_000));
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::new(403, &[], &page)),
    })
    .await;
    let error = org.client().get(LIMITS).await.unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1 answered 403 with an HTML page titled `Blocked`");
}

#[tokio::test]
async fn an_error_never_holds_the_token() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => {
            let echo = asked.header("authorization").unwrap_or_default().to_string();
            Some(Reply::new(400, &[], format!("<html>{echo}</html>")))
        }
    })
    .await;
    let client = org.client();
    let token = client.tokens().token().await.unwrap();
    let error = client.get(LIMITS).await.unwrap_err();
    let debug = format!("{error:?} {error} {:?} {client:?}", error.hints());
    assert!(!debug.contains(token.expose()), "{debug}");
}

#[test]
fn errors_point_to_a_setting_and_never_print_their_cause_twice() {
    let reason =
        crate::base::OAuthError::new("REQUEST_LIMIT_EXCEEDED", Some("TotalRequests Limit exceeded."));
    let error = ApiError::LimitDaily { reason: reason.clone(), usage: None };
    assert!(!error.to_string().contains("TotalRequests"));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), reason.to_string());
    assert!(!error.hints().is_empty());
}

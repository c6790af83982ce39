use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::rest::{query, versions};
use super::test_org::{Reply, TestOrg, mint};
use super::{ApiError, Client, Request};
use crate::base::Explain;

const LIMITS: &str = "/services/data/v67.0/limits";

/// Answers `{}` to the token that is alive, and refuses every other as dead.
fn alive(token: &'static str) -> impl Fn(&super::test_org::Asked) -> Option<Reply> + Send + Sync {
    move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ if asked.token() == token => Some(Reply::json("{}")),
        _ => Some(Reply::dead_session()),
    }
}

async fn ended_session(client: &Client, dead: &AtomicBool) {
    client.get(LIMITS).await.unwrap();
    dead.store(true, Ordering::SeqCst);
}

// faults A9: one mint for all, every call replayed once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_on_a_killed_session_mint_once() {
    let dead = Arc::new(AtomicBool::new(false));
    let killed = dead.clone();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ if asked.token() == "T1" && killed.load(Ordering::SeqCst) => Some(Reply::dead_session()),
        _ => Some(Reply::json("{}")),
    })
    .await;
    let client = org.client();
    ended_session(&client, &dead).await;
    let calls = (0..200).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.get(LIMITS).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(org.mints(), 2, "one for the first token, one for all who lost it");
    assert!(org.calls().iter().filter(|asked| asked.token() == "T2").count() >= 200);
}

// faults A9: a POST is replayed too, because a refused session has done nothing.
#[tokio::test]
async fn a_post_is_replayed_whole_after_a_dead_session() {
    let dead = Arc::new(AtomicBool::new(false));
    let killed = dead.clone();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ if asked.token() == "T1" && killed.load(Ordering::SeqCst) => Some(Reply::dead_session()),
        _ => Some(Reply::new(201, &[], r#"{"id":"001"}"#)),
    })
    .await;
    let client = org.client();
    ended_session(&client, &dead).await;
    let request = Request::new("POST".parse().unwrap(), "/services/data/v67.0/sobjects/Account")
        .json(&serde_json::json!({ "Name": "Acme" }));
    assert_eq!(client.send(request).await.unwrap().status, 201);
    let last = org.calls().pop().unwrap();
    assert_eq!((last.token().as_str(), last.body.as_str()), ("T2", r#"{"Name":"Acme"}"#));
    assert_eq!(last.header("content-type"), Some("application/json"));
}

// Peers T4, faults A9: a session that never worked is not answered by another.
#[tokio::test]
async fn a_fresh_session_that_is_refused_is_not_minted_again() {
    let org = TestOrg::start(alive("none")).await;
    let client = org.client();
    assert_eq!(client.get(LIMITS).await.unwrap_err().code(), "session.refused");
    assert_eq!(client.get(LIMITS).await.unwrap_err().code(), "session.refused");
    assert_eq!((org.mints(), org.calls().len()), (1, 1));
}

#[tokio::test]
async fn a_hopeless_session_is_not_minted_again_even_if_it_has_worked() {
    let dead = Arc::new(AtomicBool::new(false));
    let killed = dead.clone();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ if killed.load(Ordering::SeqCst) => Some(Reply::refused(
            401,
            "INVALID_SESSION_ID",
            "This session is not valid for use with the REST API",
        )),
        _ => Some(Reply::json("{}")),
    })
    .await;
    let client = org.client();
    ended_session(&client, &dead).await;
    let error = client.get(LIMITS).await.unwrap_err();
    assert_eq!(error.code(), "session.refused");
    assert!(error.salesforce().unwrap().to_string().contains("not valid for use"), "{error}");
    assert_eq!(org.mints(), 1);
}

// faults A9: the session that came in place of the dead one is dead too, although it has worked for others.
#[tokio::test]
async fn a_second_dead_session_in_a_row_is_an_error() {
    let tokens = Arc::new(std::sync::OnceLock::<crate::token::TokenSource>::new());
    let source = tokens.clone();
    let killed = Arc::new(AtomicBool::new(false));
    let dead = killed.clone();
    let org = TestOrg::start(move |asked| match (asked.path(), dead.load(Ordering::SeqCst)) {
        ("/services/oauth2/token", _) => None,
        (_, false) => Some(Reply::json("{}")),
        (_, true) => {
            let kept = source.get().and_then(|tokens| tokens.kept(&crate::token::Need::default()));
            if let (Some(kept), Some(tokens)) = (kept, source.get()) {
                tokens.accepted(&kept.token);
            }
            Some(Reply::dead_session())
        }
    })
    .await;
    let client = org.client();
    tokens.set(client.tokens().clone()).unwrap();
    ended_session(&client, &killed).await;
    let error = client.get(LIMITS).await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("api.session_refused", crate::base::Fault::Denied));
    assert_eq!(org.calls().iter().map(|asked| asked.token()).collect::<Vec<_>>(), ["T1", "T1", "T2"]);
    assert_eq!(org.mints(), 3, "the third is for whoever asks next");
}

#[tokio::test]
async fn a_new_session_that_never_worked_and_is_refused_trips_the_breaker() {
    let killed = Arc::new(AtomicBool::new(false));
    let dead = killed.clone();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ if dead.load(Ordering::SeqCst) => Some(Reply::dead_session()),
        _ => Some(Reply::json("{}")),
    })
    .await;
    let client = org.client();
    ended_session(&client, &killed).await;
    assert_eq!(client.get(LIMITS).await.unwrap_err().code(), "session.refused");
    assert_eq!(client.get(LIMITS).await.unwrap_err().code(), "session.refused");
    assert_eq!((org.mints(), org.calls().len()), (2, 3));
}

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

// faults A10: sessions that end as fast as they come stop after three in a minute.
#[tokio::test]
async fn a_storm_of_dead_sessions_is_left_alone() {
    let uses = Arc::new(std::sync::Mutex::new(std::collections::HashMap::<String, u32>::new()));
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => {
            let mut uses = uses.lock().unwrap();
            let times = uses.entry(asked.token()).or_default();
            *times += 1;
            Some(if *times == 1 { Reply::json("{}") } else { Reply::dead_session() })
        }
    })
    .await;
    let client = org.client();
    let mut last = None;
    for _ in 0..10 {
        if let Err(error) = client.get(LIMITS).await {
            last = Some(error);
            break;
        }
    }
    assert_eq!(last.unwrap().code(), "session.storm");
    assert_eq!(org.mints(), 4, "the first and three more");
}

#[tokio::test]
async fn bulk_v1_and_forbidden_spellings_of_a_dead_session_are_replayed() {
    for (status, body) in [
        (400, r#"{"exceptionCode":"InvalidSessionId","exceptionMessage":"Invalid session id"}"#),
        (403, r#"[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]"#),
        (401, r#"[{"errorCode":"INVALID_JWT_FORMAT","message":"Invalid JWT format"}]"#),
    ] {
        let dead = Arc::new(AtomicBool::new(false));
        let killed = dead.clone();
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ if asked.token() == "T1" && killed.load(Ordering::SeqCst) => {
                Some(Reply::new(status, &[], body))
            }
            _ => Some(Reply::json("{}")),
        })
        .await;
        let client = org.client();
        ended_session(&client, &dead).await;
        client.get(LIMITS).await.unwrap();
        assert_eq!(org.mints(), 2, "{status} {body}");
    }
}

// faults A15 for the API: an address in an answer never takes the token elsewhere.
#[tokio::test]
async fn a_hostile_next_page_is_not_asked() {
    let hostile = [
        "https://evil.example/services/data/v67.0/query/01g-2000",
        "//evil.example/services",
        "/\\\\evil.example",
        "http://127.0.0.1:1/services",
        "https://acme.my.salesforce.com@evil.example/",
        "/services/../../evil",
        "/services/%2e%2e/evil",
        "/services/data%2f..%2fevil",
        "services/data",
        "javascript:alert(1)",
        "",
        "/services/data\r\nx-evil: 1",
        "file:///etc/passwd",
        "https://127.0.0.1/services",
        "http://localhost/services",
    ];
    for next in hostile {
        let body = serde_json::json!({ "totalSize": 2, "done": false, "nextRecordsUrl": next, "records": [{"Id": "1"}] });
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ => Some(Reply::json(body.to_string())),
        })
        .await;
        let client = org.client();
        let mut pages = query(&client, "SELECT Id FROM Account", false);
        pages.next().await.unwrap();
        assert_eq!(pages.next().await.unwrap_err().code(), "api.address", "{next}");
        assert_eq!(org.calls().len(), 1, "{next}");
        assert!(pages.next().await.unwrap().is_none());
    }
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

// faults A4: cut anywhere, an answer is none, and is asked for again.
#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_is_fetched_again_whole() {
    let whole = Reply::json(r#"{"a":"0123456789","b":[1,2,3]}"#);
    let end = whole.len();
    for at in [0, 1, 20, end - 30, end - 10, end - 1] {
        let times = Arc::new(AtomicU32::new(0));
        let (count, reply) = (times.clone(), whole.clone());
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ if count.fetch_add(1, Ordering::SeqCst) == 0 => Some(reply.clone().cut(at)),
            _ => Some(reply.clone()),
        })
        .await;
        let answer = org.client().get(LIMITS).await.unwrap_or_else(|error| panic!("cut at {at}: {error}"));
        assert_eq!(answer["b"][2], 3, "cut at {at}");
        assert_eq!(times.load(Ordering::SeqCst), 2, "cut at {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_length_that_is_cut_is_fetched_again() {
    let times = Arc::new(AtomicU32::new(0));
    let count = times.clone();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ if count.fetch_add(1, Ordering::SeqCst) == 0 => {
            Some(Reply::raw("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"a\":[1,2"))
        }
        _ => Some(Reply::json(r#"{"a":[1,2,3]}"#)),
    })
    .await;
    assert_eq!(org.client().get(LIMITS).await.unwrap()["a"][2], 3);
    assert_eq!(times.load(Ordering::SeqCst), 2);
}

// faults A4: what may have been done is not done twice.
#[tokio::test(start_paused = true)]
async fn a_post_whose_answer_breaks_off_is_not_sent_again() {
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::json("{\"id\":1}").cut(30)),
    })
    .await;
    let request = Request::new("POST".parse().unwrap(), "/services/data/v67.0/sobjects/Account");
    let error = org.client().send(request).await.unwrap_err();
    assert_eq!(error.code(), "api.no_answer");
    assert_eq!(org.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_always_breaks_off_is_transient() {
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => {
            let reply = Reply::json(r#"{"a":"0123456789"}"#);
            let end = reply.len();
            Some(reply.cut(end - 3))
        }
    })
    .await;
    let error = org.client().get(LIMITS).await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("api.broken_off", crate::base::Fault::Transient));
    assert_eq!(org.calls().len(), 3);
}

// faults A1, A6, A7
#[tokio::test(start_paused = true)]
async fn passing_faults_are_tried_three_times_and_the_wish_to_wait_is_kept() {
    let times = Arc::new(AtomicU32::new(0));
    let count = times.clone();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ if count.fetch_add(1, Ordering::SeqCst) < 2 => {
            Some(Reply::new(503, &[("retry-after", "120")], "<html><title>Maintenance</title></html>"))
        }
        _ => Some(Reply::json("{}")),
    })
    .await;
    let started = tokio::time::Instant::now();
    org.client().get(LIMITS).await.unwrap();
    assert!(started.elapsed().as_secs() >= 240, "{:?}", started.elapsed());
    assert_eq!(times.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_wait_that_is_absurd_is_not_waited_for() {
    for after in ["1000000000", "999999999999999999999999"] {
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ => Some(Reply::new(429, &[("retry-after", after)], "")),
        })
        .await;
        let started = tokio::time::Instant::now();
        let error = org.client().get(LIMITS).await.unwrap_err();
        assert_eq!((error.code(), error.fault()), ("api.unavailable", crate::base::Fault::Transient));
        assert!(started.elapsed().as_secs() < 5);
        assert_eq!(org.calls().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn writes_are_not_tried_again_when_salesforce_is_busy() {
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::new(503, &[], "")),
    })
    .await;
    for method in ["POST", "PATCH", "PUT", "DELETE"] {
        let answer = org.client().send(Request::new(method.parse().unwrap(), LIMITS)).await.unwrap();
        assert_eq!(answer.status, 503);
    }
    assert_eq!(org.calls().len(), 4);
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
    let bomb = include_bytes!("../../tests/data/zeros.gz").to_vec();
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

#[tokio::test(start_paused = true)]
async fn a_garbled_gzip_answer_is_broken_off() {
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::new(200, &[("content-encoding", "gzip")], b"\x1f\x8b\x08\x00garbled, not deflate")),
    })
    .await;
    assert_eq!(org.client().get(LIMITS).await.unwrap_err().code(), "api.broken_off");
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

// faults A25
#[tokio::test(start_paused = true)]
async fn a_spent_day_is_told_at_once_and_with_its_numbers() {
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::new(
            403,
            &[("sforce-limit-info", "api-usage=15000/15000")],
            r#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]"#,
        )),
    })
    .await;
    let client = org.client();
    let error = client.get(LIMITS).await.unwrap_err();
    assert_eq!(error.to_string(), "the org's API calls of the last 24 hours are used up: 15000 of 15000");
    assert_eq!((error.code(), error.fault()), ("api.limit_daily", crate::base::Fault::Transient));
    assert_eq!(client.usage().unwrap().percent(), 100);
    assert_eq!(org.calls().len(), 1);
}

// faults A1
#[tokio::test(start_paused = true)]
async fn nobody_there_is_transient() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => Some(mint(&format!("http://{gone}"), "T1")),
        _ => None,
    })
    .await;
    for method in ["GET", "POST"] {
        let error = org.client().send(Request::new(method.parse().unwrap(), LIMITS)).await.unwrap_err();
        assert_eq!((error.code(), error.fault()), ("api.no_answer", crate::base::Fault::Transient));
    }
}

#[tokio::test]
async fn a_query_gives_pages_in_the_order_of_the_select() {
    let org = TestOrg::start(|asked| match (asked.path(), asked.parameter("q")) {
        ("/services/oauth2/token", _) => None,
        ("/services/data/v67.0/queryAll", Some(soql)) if soql == "SELECT Name, Id FROM Account WHERE Name = 'a+b&c'" => {
            Some(Reply::json(
                r#"{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01g-2","records":[
                    {"attributes":{"type":"Account"},"Name":"z","Id":"1"},{"attributes":{},"Name":"y","Id":"2"}]}"#,
            ))
        }
        ("/services/data/v67.0/query/01g-2", _) => {
            Some(Reply::json(r#"{"totalSize":3,"done":true,"records":[{"attributes":{},"Name":"x","Id":"3"}]}"#))
        }
        _ => None,
    })
    .await;
    let client = org.client();
    let records =
        query(&client, "SELECT Name, Id FROM Account WHERE Name = 'a+b&c'", true).all().await.unwrap();
    let text = serde_json::to_string(&records).unwrap();
    assert_eq!(text, r#"[{"Name":"z","Id":"1"},{"Name":"y","Id":"2"},{"Name":"x","Id":"3"}]"#);
}

// Peers T7: partial is never success.
#[tokio::test]
async fn a_result_that_ends_with_another_count_is_an_error() {
    let cases = [
        r#"{"totalSize":3,"done":true,"records":[{"Id":"1"}]}"#,
        r#"{"totalSize":0,"done":true,"records":[{"Id":"1"}]}"#,
        r#"{"totalSize":1,"done":false,"records":[{"Id":"1"}]}"#,
    ];
    for body in cases {
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ => Some(Reply::json(body)),
        })
        .await;
        let error = query(&org.client(), "SELECT Id FROM Account", false).all().await.unwrap_err();
        assert_eq!((error.code(), error.fault()), ("api.rows_differ", crate::base::Fault::Data), "{body}");
    }
}

#[tokio::test]
async fn a_count_has_no_rows_and_is_no_error() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::json(r#"{"totalSize":4123,"done":true,"records":[]}"#)),
    })
    .await;
    let page = query(&org.client(), "SELECT COUNT() FROM Account", false).next().await.unwrap().unwrap();
    assert_eq!((page.total, page.records.len()), (Some(4123), 0));
}

// faults A26 for REST: the lost cursor is named.
#[tokio::test]
async fn a_lost_cursor_is_named() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        "/services/data/v67.0/query" => Some(Reply::json(
            r#"{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01g-1","records":[{"Id":"1"}]}"#,
        )),
        _ => Some(Reply::refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")),
    })
    .await;
    let error = query(&org.client(), "SELECT Id FROM Account", false).all().await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("api.cursor_gone", crate::base::Fault::Transient));
}

#[tokio::test]
async fn child_rows_beyond_the_page_are_fetched_too() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        "/services/data/v67.0/query/01c-1" => Some(Reply::json(
            r#"{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01c-2","records":[{"attributes":{},"Id":"c2"}]}"#,
        )),
        "/services/data/v67.0/query/01c-2" => {
            Some(Reply::json(r#"{"totalSize":3,"done":true,"records":[{"attributes":{},"Id":"c3"}]}"#))
        }
        _ => Some(Reply::json(
            r#"{"totalSize":1,"done":true,"records":[{"Id":"1","Contacts":{"totalSize":3,"done":false,
                "nextRecordsUrl":"/services/data/v67.0/query/01c-1","records":[{"attributes":{},"Id":"c1"}]}}]}"#,
        )),
    })
    .await;
    let rows =
        query(&org.client(), "SELECT Id, (SELECT Id FROM Contacts) FROM Account", false).all().await.unwrap();
    let contacts = serde_json::to_string(rows[0].get("Contacts").unwrap()).unwrap();
    assert_eq!(contacts, r#"{"totalSize":3,"done":true,"records":[{"Id":"c1"},{"Id":"c2"},{"Id":"c3"}]}"#);
}

#[tokio::test]
async fn the_version_is_asked_for_once_and_proves_no_session() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        "/services/data" => Some(Reply::json(
            r#"[{"version":"9.0"},{"version":"66.0","label":"Spring '26"},{"version":"68.0"},{"version":"67.0"},{"version":"x"}]"#,
        )),
        _ => Some(Reply::dead_session()),
    })
    .await;
    let mut connection = org.connection();
    connection.api_version = None;
    let tokens = super::test_org::tokens(connection, Arc::new(crate::token::SystemClock::new()), None);
    let client = Client::new(tokens);
    assert_eq!(client.api_version().await.unwrap().major(), 67);
    assert_eq!(client.api_version().await.unwrap().major(), 67);
    assert_eq!(org.calls().len(), 1);
    // Anybody is told the versions: the session has not worked yet, and is not minted anew.
    assert_eq!(client.get(LIMITS).await.unwrap_err().code(), "session.refused");
    assert_eq!(org.mints(), 1);
}

#[tokio::test]
async fn a_host_that_lists_no_versions_is_no_api() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::json(r#"{"error":"what?"}"#)),
    })
    .await;
    assert_eq!(versions(&org.client()).await.unwrap_err().code(), "api.not_json");
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

#[tokio::test]
async fn userinfo_tells_who_the_token_is_for_and_the_user_row_where_it_will_not() {
    use super::identity::{ToldBy, whoami};
    use super::test_org::{ORG, USER, USERNAME};
    let userinfo = serde_json::json!({
        "user_id": USER, "organization_id": ORG, "preferred_username": USERNAME, "sub": "x", "email": "y",
    });
    let row = format!(r#"{{"attributes":{{}},"Id":"{USER}","Username":"{USERNAME}"}}"#);
    for (answer, told_by) in [
        (Reply::json(userinfo.to_string()), ToldBy::UserInfo),
        (Reply::new(403, &[], "Bad_OAuth_Token"), ToldBy::UserRow),
        (Reply::new(404, &[], ""), ToldBy::UserRow),
        (Reply::new(200, &[], "<html>"), ToldBy::UserRow),
    ] {
        let row = row.clone();
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/userinfo" => Some(answer.clone()),
            path if path.starts_with("/services/data/v67.0/sobjects/User/005") => Some(Reply::json(&row)),
            _ => None,
        })
        .await;
        let told = whoami(&org.client(), &USER.parse().unwrap()).await.unwrap();
        assert_eq!((told.told_by, told.username.as_str(), told.user_id.as_str()), (told_by, USERNAME, USER));
        assert_eq!(org.mints(), 1);
    }
}

// Protocol reference §1.6, trap 14.
#[tokio::test]
async fn the_identity_url_is_followed_within_its_host_only() {
    use super::identity::identity_url;
    use super::test_org::{ORG, USER, USERNAME};
    let ask = async |to: String| {
        let told =
            serde_json::json!({ "user_id": USER, "organization_id": ORG, "username": USERNAME }).to_string();
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            "/there" => Some(Reply::json(&told)),
            _ => Some(Reply::new(302, &[("location", &to)], "")),
        })
        .await;
        let told = identity_url(&org.client(), &ORG.parse().unwrap(), &USER.parse().unwrap()).await;
        (told, org.calls().len())
    };
    let (told, calls) = ask("/there".into()).await;
    assert_eq!((told.unwrap().username.as_str(), calls), (USERNAME, 2));
    let (told, calls) = ask("https://evil.example/there".into()).await;
    let error = told.unwrap_err();
    assert_eq!((error.code(), calls), ("api.redirected", 1));
    assert!(error.to_string().contains("https://evil.example"), "{error}");
    let (told, calls) = ask("/elsewhere".into()).await;
    assert_eq!((told.unwrap_err().code(), calls), ("api.redirected", 2));
}

#[tokio::test]
async fn describe_and_limits_ask_where_the_version_is() {
    let org = TestOrg::start(|asked| match asked.target.as_str() {
        "/services/data/v67.0/sobjects/My+Object%3F/describe" => Some(Reply::json(r#"{"name":"x"}"#)),
        LIMITS => Some(Reply::json(r#"{"DailyApiRequests":{"Max":1,"Remaining":1}}"#)),
        _ => None,
    })
    .await;
    let client = org.client();
    assert_eq!(super::rest::describe(&client, "My Object?").await.unwrap()["name"], "x");
    assert_eq!(super::rest::limits(&client).await.unwrap()["DailyApiRequests"]["Max"], 1);
    let gone = super::rest::describe(&client, "Gone").await.unwrap_err();
    assert_eq!((gone.code(), gone.fault()), ("api.not_found", crate::base::Fault::Data));
}

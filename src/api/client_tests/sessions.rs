use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::LIMITS;
use crate::api::test_org::{Asked, Reply, TestOrg};
use crate::api::{Client, Request};
use crate::base::Explain;

/// Answers `{}` to the token that is alive, and refuses every other as dead.
fn alive(token: &'static str) -> impl Fn(&Asked) -> Option<Reply> + Send + Sync {
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

// Code in the org answers 401 for reasons of its own: nothing is done twice, and the connection stays usable.
#[tokio::test]
async fn a_401_that_is_not_salesforces_own_is_an_answer() {
    for body in [r#"{"msg":"partner key missing"}"#, r#"{"error":"partner key missing"}"#, ""] {
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            "/services/apexrest/pay" => Some(Reply::new(401, &[], body)),
            _ => Some(Reply::json("{}")),
        })
        .await;
        let client = org.client();
        for method in ["POST", "GET", "POST"] {
            let request = Request::new(method.parse().unwrap(), "/services/apexrest/pay");
            assert_eq!(client.send(request).await.unwrap().status, 401, "{method} {body}");
        }
        assert_eq!((org.mints(), org.calls().len()), (1, 3), "{body}");
        assert!(client.tokens().record().session_refused.is_none(), "{body}");
        client.get(LIMITS).await.unwrap();
    }
}

/// A client by a clock that is moved on by 20 minutes after its first call.
async fn with_an_old_token(org: &TestOrg) -> Client {
    let clock = Arc::new(crate::base::ManualClock::at("2026-11-22T21:00:00Z".parse().unwrap()));
    let tokens = crate::api::test_org::tokens(org.connection(), clock.clone(), None);
    let client = Client::over(tokens, clock.clone(), None);
    client.get(LIMITS).await.unwrap();
    clock.advance(std::time::Duration::from_secs(1_200));
    client
}

#[tokio::test]
async fn an_old_token_that_is_refused_without_a_reason_is_replaced_once_for_calls_that_read() {
    let org = TestOrg::start(|asked| match (asked.path(), asked.token().as_str()) {
        ("/services/oauth2/token", _) => None,
        ("/services/apexrest/pay", "T1") => Some(Reply::new(401, &[], "<html>Log in</html>")),
        ("/services/apexrest/never", _) => Some(Reply::new(401, &[], "")),
        _ => Some(Reply::json("{}")),
    })
    .await;
    let client = with_an_old_token(&org).await;
    let post = Request::new("POST".parse().unwrap(), "/services/apexrest/pay");
    assert_eq!(client.send(post).await.unwrap().status, 401);
    assert_eq!(org.mints(), 1);
    assert_eq!(client.send(Request::get("/services/apexrest/pay")).await.unwrap().status, 200);
    for _ in 0..5 {
        assert_eq!(client.send(Request::get("/services/apexrest/never")).await.unwrap().status, 401);
    }
    let record = client.tokens().record();
    assert_eq!(org.mints(), 2, "the new token is too young to have ended");
    assert!(record.session_refused.is_none() && record.learned.is_none());
}

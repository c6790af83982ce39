use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::LIMITS;
use crate::api::Request;
use crate::api::test_org::{Reply, TestOrg, mint};
use crate::base::Explain;

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

#[tokio::test(start_paused = true)]
async fn a_garbled_gzip_answer_is_broken_off() {
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::new(200, &[("content-encoding", "gzip")], b"\x1f\x8b\x08\x00garbled, not deflate")),
    })
    .await;
    assert_eq!(org.client().get(LIMITS).await.unwrap_err().code(), "api.broken_off");
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

// Protocol reference, trap 27: too many at a time is soon over, a spent day is not.
#[tokio::test(start_paused = true)]
async fn a_post_that_was_refused_for_too_many_at_a_time_is_sent_again_and_one_for_a_spent_day_is_not() {
    let cases = [
        ("ConcurrentRequests (Concurrent API Requests) Limit exceeded.", 3, None),
        ("TotalRequests Limit exceeded.", 1, Some("api.limit_daily")),
    ];
    for (says, calls, code) in cases {
        let times = AtomicU32::new(0);
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ if times.fetch_add(1, Ordering::SeqCst) < 2 => {
                Some(Reply::refused(403, "REQUEST_LIMIT_EXCEEDED", says))
            }
            _ => Some(Reply::json("{}")),
        })
        .await;
        let request = Request::new("POST".parse().unwrap(), "/services/data/v67.0/jobs/query");
        let answer = org.client().send(request).await.unwrap().success();
        assert_eq!((answer.err().map(|error| error.code()), org.calls().len()), (code, calls));
    }
}

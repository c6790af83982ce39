use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::api::test_org::{Reply, TestOrg, mint};
use crate::api::{ApiError, Request, Streaming};
use crate::base::Explain;

const CSV: [(&str, &str); 1] = [("content-type", "text/csv")];
const PATH: &str = "/services/data/v67.0/jobs/query/750A/results";

fn get() -> Request {
    Request::get(PATH).header("Accept", "text/csv").unwrap()
}

async fn read(streaming: &mut Streaming) -> Result<Vec<u8>, ApiError> {
    let mut all = Vec::new();
    while let Some(chunk) = streaming.chunk().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

async fn org(answer: impl Fn(u32) -> Reply + Send + Sync + 'static) -> TestOrg {
    let times = AtomicU32::new(0);
    TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(answer(times.fetch_add(1, Ordering::SeqCst))),
    })
    .await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn rows(count: usize) -> Vec<u8> {
    (0..count).flat_map(|row| format!("\"{row}\",\"two\nlines\"\n").into_bytes()).collect()
}

#[tokio::test]
async fn a_body_is_handed_on_as_it_came_with_the_orgs_clock_and_what_is_used() {
    let body = rows(20_000);
    let sent = body.clone();
    let org = org(move |_| {
        let headers =
            [CSV[0], ("Sforce-Limit-Info", "api-usage=18/15000"), ("Date", "Sun, 22 Nov 2026 21:00:00 GMT")];
        Reply::new(200, &headers, &sent)
    })
    .await;
    let mut streaming = org.client().open(get()).await.unwrap();
    assert_eq!(streaming.date().unwrap().to_string(), "2026-11-22T21:00:00Z");
    assert_eq!(streaming.usage().unwrap().used, 18);
    assert!(read(&mut streaming).await.unwrap() == body);
    assert_eq!(streaming.received(), body.len() as u64);
    assert_eq!(streaming.chunk().await.unwrap(), None);
    assert_eq!((org.calls().len(), org.mints()), (1, 1));
}

// faults A9
#[tokio::test]
async fn a_dead_session_is_answered_before_the_body_by_one_mint_and_one_replay() {
    let org =
        org(|time| if time == 0 { Reply::dead_session() } else { Reply::new(200, &CSV, "\"Id\"\n") }).await;
    let client = org.client();
    // The breaker knows a session that has worked.
    client.tokens().accepted(&client.tokens().token().await.unwrap());
    let mut streaming = client.open(get()).await.unwrap();
    assert_eq!(read(&mut streaming).await.unwrap(), b"\"Id\"\n");
    let tokens: Vec<String> = org.calls().iter().map(|asked| asked.token()).collect();
    assert_eq!((tokens, org.mints()), (vec!["T1".to_string(), "T2".into()], 2));
}

#[tokio::test(start_paused = true)]
async fn passing_faults_before_the_first_byte_are_tried_again_and_refusals_are_errors() {
    let busy = org(|time| match time {
        0 => Reply::new(503, &[("Retry-After", "1")], "<html>busy</html>"),
        1 => Reply::new(200, &CSV, "\"Id\"\n").cut(30),
        _ => Reply::new(200, &CSV, "\"Id\"\n"),
    })
    .await;
    assert_eq!(read(&mut busy.client().open(get()).await.unwrap()).await.unwrap(), b"\"Id\"\n");
    assert_eq!(busy.calls().len(), 3);

    let cases = [
        (Reply::refused(400, "INVALID_QUERY_LOCATOR", "gone"), "api.cursor_gone"),
        (Reply::refused(404, "NOT_FOUND", "no"), "api.not_found"),
        (Reply::refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), "api.limit_daily"),
        // faults A14
        (Reply::new(302, &[("Location", "https://evil.example/x")], ""), "api.redirected"),
        (Reply::new(200, &[("content-type", "text/html")], "<html><title>Login</title>"), "api.not_json"),
    ];
    for (reply, code) in cases {
        let org = org(move |_| reply.clone()).await;
        assert_eq!(org.client().open(get()).await.unwrap_err().code(), code);
        assert_eq!(org.calls().len(), 1, "{code}");
    }
}

// faults A4: what broke off later is never taken for whole.
#[tokio::test]
async fn a_body_that_breaks_off_after_its_beginning_says_so() {
    let whole = Reply::new(200, &CSV, rows(50_000));
    for at in [whole.len() - 1, whole.len() / 2, whole.len() - 100_000] {
        let reply = whole.clone().cut(at);
        let org = org(move |_| reply.clone()).await;
        let mut streaming = org.client().open(get()).await.unwrap();
        let error = read(&mut streaming).await.unwrap_err();
        assert_eq!((error.code(), error.fault()), ("api.broken_off", crate::base::Fault::Transient));
        assert_eq!(streaming.chunk().await.unwrap(), None);
        assert_eq!(org.calls().len(), 1);
    }
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n\"Id\"\n\r\n5\r\n\"1";
    let org = org(move |_| Reply::raw(chunked)).await;
    let mut streaming = org.client().open(get()).await.unwrap();
    assert_eq!(read(&mut streaming).await.unwrap_err().code(), "api.broken_off");
}

#[tokio::test]
async fn a_compressed_body_is_unpacked_and_a_truncated_one_breaks_off() {
    let body = rows(50_000);
    let packed = gzip(&body);
    let headers = [CSV[0], ("content-encoding", "gzip")];
    let (whole, cut) = (packed.clone(), packed[..packed.len() - 20].to_vec());
    let org = org(move |time| Reply::new(200, &headers, if time == 0 { &whole } else { &cut })).await;
    let client = org.client();
    let mut streaming = client.open(get()).await.unwrap();
    assert!(read(&mut streaming).await.unwrap() == body);
    // Right by its length, and yet not whole.
    let mut streaming = client.open(get()).await.unwrap();
    assert_eq!(read(&mut streaming).await.unwrap_err().code(), "api.broken_off");
    let plain = client.open(get().wire_compression(false)).await.unwrap();
    assert_eq!(plain.status, 200);
    let wished: Vec<_> =
        org.calls().iter().map(|asked| asked.header("accept-encoding").map(String::from)).collect();
    assert_eq!(wished, [Some("gzip".into()), Some("gzip".into()), Some("identity".to_string())]);
}

// faults A12
#[tokio::test]
async fn a_gzip_bomb_ends_at_the_cap_of_its_request() {
    let bomb = gzip(&vec![b'x'; 8 * 1024 * 1024]);
    assert!(bomb.len() < 256 * 1024);
    let org = org(move |_| Reply::new(200, &[CSV[0], ("content-encoding", "gzip")], &bomb)).await;
    let mut streaming = org.client().open(get().at_most(1024 * 1024)).await.unwrap();
    let mut read = 0;
    let error = loop {
        match streaming.chunk().await {
            Ok(chunk) => read += chunk.unwrap().len(),
            Err(error) => break error,
        }
    };
    assert!(read <= 1024 * 1024 && matches!(error, ApiError::TooLarge { limit: 1_048_576 }));
    assert_eq!(streaming.chunk().await.unwrap(), None);
}

// faults A24: the token's own host is where a call goes, also when a mint has moved it.
#[tokio::test]
async fn a_call_goes_to_the_host_of_the_newest_token() {
    let there = org(|_| Reply::new(200, &CSV, "there")).await;
    let url = there.url.clone();
    let (mints, calls) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let here = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => match mints.fetch_add(1, Ordering::SeqCst) {
            0 => None,
            _ => Some(mint(&url, "T2")),
        },
        _ if calls.fetch_add(1, Ordering::SeqCst) == 0 => Some(Reply::new(200, &CSV, "here")),
        _ => Some(Reply::dead_session()),
    })
    .await;
    let client = here.client();
    assert_eq!(read(&mut client.open(get()).await.unwrap()).await.unwrap(), b"here");
    assert_eq!(read(&mut client.open(get()).await.unwrap()).await.unwrap(), b"there");
}

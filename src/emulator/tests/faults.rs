use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::Duration;

use super::harness::{World, sign, world, world_of};
use crate::emulator::{Effect, Injection, OrgConfig, TokenTwist};

const TOKEN: &str = "/services/oauth2/token";

async fn with(effect: Effect) -> World {
    let world = world().await;
    world.org.admin().inject(Injection::next(TOKEN, 1, effect));
    world
}

// faults A6, A7
#[tokio::test]
async fn a_status_comes_with_its_headers_and_page_and_then_is_over() {
    let headers = BTreeMap::from([("Retry-After".to_string(), "Wed, 21 Oct 2026 07:28:00 GMT".to_string())]);
    let world = with(Effect::Status { status: 503, headers, body: "<html>down</html>".into() }).await;
    let answer = world.post_claims(&world.claims()).await;
    assert_eq!((answer.status, answer.text.as_str()), (503, "<html>down</html>"));
    assert_eq!(answer.headers["retry-after"], "Wed, 21 Oct 2026 07:28:00 GMT");
    assert_eq!(world.post_claims(&world.claims()).await.status, 200);
    let counters = world.org.admin().counters();
    assert_eq!((counters.token_posts, counters.minted()), (2, 1));
    assert_eq!(counters.token_outcomes["injected: status"], 1);
}

// faults A4
#[tokio::test]
async fn a_reset_is_a_real_one_and_may_come_after_the_deed() {
    let world = world().await;
    let admin = world.org.admin();
    admin.inject(Injection::next(TOKEN, 1, Effect::Reset { after_processing: false }));
    admin.inject(Injection::next(TOKEN, 1, Effect::Reset { after_processing: true }));
    for minted in [0, 1] {
        let assertion = sign(&world.claims());
        let address = world.org.url().trim_start_matches("http://").to_string();
        let outcome = tokio::task::spawn_blocking(move || {
            let mut socket = std::net::TcpStream::connect(&address).unwrap();
            let body = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
            write!(
                socket,
                "POST {TOKEN} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            let mut buffer = [0; 16];
            socket.read(&mut buffer).map_err(|error| error.kind())
        })
        .await
        .unwrap();
        assert_eq!(outcome, Err(std::io::ErrorKind::ConnectionReset));
        assert_eq!(admin.counters().minted(), minted);
    }
    assert_eq!(admin.log()[0].status, None);
    assert_eq!(admin.log()[0].injected, Some("reset"));
}

// faults A4
#[tokio::test]
async fn a_cut_answer_promises_its_whole_length() {
    for after_bytes in [0, 1, 40] {
        let world = with(Effect::Truncate { after_bytes }).await;
        let answer = world.token_request(&sign(&world.claims())).send().await.unwrap();
        assert!(answer.content_length().unwrap() > 100);
        assert!(answer.bytes().await.is_err(), "{after_bytes}");
        assert_eq!(world.org.admin().counters().minted(), 1, "the deed is done");
    }
}

// faults A5
#[tokio::test(start_paused = true)]
async fn a_slow_answer_arrives_whole_in_the_end() {
    let world = with(Effect::Slow { chunk_bytes: 7, delay_ms: 1000 }).await;
    let before = tokio::time::Instant::now();
    let answer = world.post_claims(&world.claims()).await;
    assert!(answer.json()["access_token"].is_string());
    assert!(before.elapsed() > Duration::from_secs(20));
}

// faults A3
#[tokio::test]
async fn a_hanging_answer_never_comes_and_does_not_hold_up_the_stop() {
    let world = with(Effect::Hang).await;
    let request = tokio::spawn(world.token_request(&sign(&world.claims())).send());
    while world.org.admin().log().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!request.is_finished());
    world.org.stop().await;
    assert!(request.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_would_take_a_day_is_cut_when_the_org_stops() {
    let world = with(Effect::Slow { chunk_bytes: 1, delay_ms: 86_400_000 }).await;
    let answer = world.token_request(&sign(&world.claims())).send().await.unwrap();
    world.org.stop().await;
    assert!(answer.bytes().await.is_err());
}

// faults A11, A12
#[tokio::test]
async fn huge_and_packed_answers_are_as_long_as_was_said() {
    let world = with(Effect::Huge { bytes: 3_000_000 }).await;
    let answer = world.post_claims(&world.claims()).await;
    assert_eq!(answer.text.len(), 3_000_000);
    assert!(answer.json()["access_token"].is_string());

    let world = with(Effect::GzipBomb { bytes: 20 << 20 }).await;
    let answer = world.post_claims(&world.claims()).await;
    assert_eq!(answer.text.len(), 20 << 20, "reqwest unpacks it to the right length and checksum");
    assert!(answer.text.bytes().all(|byte| byte == 0));
}

// faults A13
#[tokio::test]
async fn a_redirect_points_where_it_was_told() {
    let world = with(Effect::Redirect { status: 307, to: "https://evil.example/token".into() }).await;
    let answer = world.post_claims(&world.claims()).await;
    assert_eq!(answer.status, 307);
    assert_eq!(answer.headers["location"], "https://evil.example/token");
}

// faults A15
#[tokio::test]
async fn a_token_answer_can_be_odd_in_one_thing() {
    let world = with(Effect::Token { twist: TokenTwist::TokenType { token_type: "DPoP".into() } }).await;
    assert_eq!(world.post_claims(&world.claims()).await.json()["token_type"], "DPoP");
    let world =
        with(Effect::Token { twist: TokenTwist::InstanceUrl { url: "https://evil.example".into() } }).await;
    assert_eq!(world.post_claims(&world.claims()).await.json()["instance_url"], "https://evil.example");

    let world = super::harness::world().await;
    let first = world.mint().await;
    world.org.admin().expire_all_sessions();
    world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Token { twist: TokenTwist::SameToken }));
    assert_eq!(world.mint().await, first);
    assert!(!world.opens(&first).await, "the same dead token again");
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_late() {
    let world = with(Effect::Delay { delay_ms: 5000 }).await;
    let before = tokio::time::Instant::now();
    assert_eq!(world.post_claims(&world.claims()).await.status, 200);
    assert!(before.elapsed() >= Duration::from_secs(5));
}

#[tokio::test]
async fn a_rude_org_is_right_in_inconvenient_shapes() {
    let world = world_of(OrgConfig::rude()).await;
    let (mut statuses, mut closed) = (vec![], 0);
    for _ in 0..15 {
        let answer = world.post_claims(&world.claims()).await;
        statuses.push(answer.status);
        closed += usize::from(answer.headers.get("connection").is_some_and(|value| value == "close"));
        if answer.status == 200 {
            let body = answer.json();
            assert!(body["instance_url"].as_str().unwrap().ends_with('/'));
            assert!(body["sfdc_something_new"].is_object());
            let token = body["access_token"].as_str().unwrap();
            let opened = world.get(token, "/services/data/v67.0").await;
            assert_eq!(opened.status, 200);
            closed += usize::from(opened.headers.get("connection").is_some_and(|value| value == "close"));
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 3);
    assert!(closed > 1);
    let mut claims = world.claims();
    claims["aud"] = "https://evil.example".into();
    let texts: Vec<String> = [world.post_claims(&claims).await, world.post_claims(&claims).await]
        .iter()
        .map(|a| a.pair().1)
        .collect();
    assert!(
        texts.contains(&"AUDIENCE IS INVALID".to_string())
            && texts.contains(&"audience is invalid".to_string())
    );
}

use std::sync::Arc;

use serde_json::{Value, json};

use super::harness::{other, sign_with, world};
use crate::base::{Clock, ManualClock, TokenId, UnixSeconds};
use crate::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME, Org, OrgConfig};

#[tokio::test]
async fn everything_can_be_changed_over_http_while_the_org_runs() {
    let world = world().await;
    let user = "second@acme.example";
    let app = json!({ "consumer_key": "second", "certificate": other().certificate, "profiles": ["Sync"] });
    for (path, body) in [
        ("apps", app),
        ("users", json!({ "username": user, "profile": "Sync" })),
        ("profiles", json!({ "name": "Sync", "permissions": ["ViewSetup"] })),
    ] {
        let answer = world.admin(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let claims =
        json!({ "iss": "second", "sub": user, "aud": world.org.url(), "exp": world.now().get() + 100 });
    let minted = world.post_assertion(&sign_with(&claims, other())).await.json();
    let token = minted["access_token"].as_str().unwrap();
    assert_eq!(world.get(token, "/services/data/v67.0/limits").await.status, 200, "through the profile");

    let ended = world.admin("sessions/expire", json!({ "token_id": TokenId::of(token) })).await.json();
    assert_eq!(ended["ended"], 1);
    world.admin("users", json!({ "username": user, "frozen": true })).await;
    assert_eq!(world.post_assertion(&sign_with(&claims, other())).await.pair().0, "inactive_user");

    let moved = world.admin("clock", json!({ "advance_seconds": 86_400, "skew_seconds": -60 })).await.json();
    assert_eq!(moved["now"], "2026-11-23T20:59:00Z");
    let rules =
        world.admin("rules", json!({ "sandbox": true, "facts": { "replay_accepted": false } })).await.json();
    assert_eq!((&rules["sandbox"], &rules["facts"]["prn_accepted"]), (&true.into(), &true.into()));
    let body = json!({ "path": "/services/data", "next": 1, "effect": { "kind": "status", "status": 420 } });
    world.admin("faults", body).await;
    assert_eq!(world.send(world.http.get(world.at("/services/data"))).await.status, 420);
    let certificate = json!({ "consumer_key": DEMO_CONSUMER_KEY, "certificate": null });
    assert_eq!(world.admin("apps/certificate", certificate).await.status, 200);

    let opening = json!({ "username": DEMO_USERNAME, "consumer_key": DEMO_CONSUMER_KEY });
    let opened = world.admin("sessions/open", opening).await.json();
    assert!(world.opens(opened["access_token"].as_str().unwrap()).await);
    assert_eq!(world.admin("apps/remove", json!({ "consumer_key": "second" })).await.status, 200);

    let counters = world.send(world.http.get(world.at("/_emulator/counters"))).await.json();
    assert_eq!(counters["mints"][user], 1);
    let history = world.send(world.http.get(world.at("/_emulator/login-history"))).await.json();
    assert_eq!(history[1]["status"], "Failed: user is inactive");
}

#[tokio::test]
async fn mistakes_are_named_and_change_nothing() {
    let world = world().await;
    for (path, body) in [
        ("users", json!({ "username": DEMO_USERNAME, "frozn": true })),
        ("users", json!({ "frozen": true })),
        ("apps", json!({ "consumer_key": "x", "certificate": "hello" })),
        ("apps/certificate", json!({ "consumer_key": "nobody", "certificate": null })),
        ("rules", json!({ "sandbox": "yes" })),
        ("sessions/expire", json!({})),
        ("faults", json!({ "effect": { "kind": "explode" } })),
        ("clock", Value::Null),
    ] {
        let answer = world.admin(path, body).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(!answer.json()["error"].as_str().unwrap().is_empty());
    }
    assert_eq!(world.post_claims(&world.claims()).await.status, 200);
}

#[tokio::test]
async fn web_pages_and_other_hosts_cannot_administer() {
    let world = world().await;
    let url = world.at("/_emulator/sessions");
    assert_eq!(world.send(world.http.get(&url).header("origin", "https://evil.example")).await.status, 403);
    for host in ["evil.example", "login.salesforce.com", "acme.my.salesforce.com"] {
        assert_eq!(world.send(world.http.get(&url).header("host", host)).await.status, 403, "{host}");
    }
    assert_eq!(world.send(world.http.get(&url)).await.status, 200);
}

#[tokio::test]
async fn the_log_names_the_client_and_holds_no_secret() {
    let world = world().await;
    let token = world.mint().await;
    world.query(&token, "SELECT Id FROM Account LIMIT 1").await;
    world.get("wrong", "/services/data/v67.0").await;
    let log = world.org.admin().log();
    assert_eq!(log.iter().map(|entry| entry.status.unwrap()).collect::<Vec<_>>(), [200, 200, 401]);
    assert!(log.iter().all(|entry| entry.user_agent.as_deref() == Some("org-judge/1.0")));
    assert_eq!(log[2].error.as_ref().unwrap().0, "INVALID_SESSION_ID");
    let secret = token.split('!').nth(1).unwrap();
    for path in ["log", "counters", "sessions", "login-history"] {
        let shown = world.send(world.http.get(world.at(&format!("/_emulator/{path}")))).await.text;
        assert!(!shown.contains(secret) && !shown.contains("eyJ"), "{path}");
    }
    assert!(!format!("{:?}", world.org).contains(secret));
}

#[tokio::test]
async fn the_org_serves_loopback_only_and_stops_when_told() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(UnixSeconds::new(1_800_000_000)));
    let refused = Org::start(OrgConfig::default(), clock.clone(), "0.0.0.0:0".parse().unwrap()).await;
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    let bad = OrgConfig { org_id: "hello".into(), ..OrgConfig::default() };
    assert!(Org::start(bad, clock.clone(), "127.0.0.1:0".parse().unwrap()).await.is_err());
    let mut bad = OrgConfig::default();
    bad.records.since = "yesterday".into();
    assert!(Org::start(bad, clock.clone(), "127.0.0.1:0".parse().unwrap()).await.is_err());
    let org = Org::start(OrgConfig::default(), clock, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = org.url();
    org.stop().await;
    assert!(reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.is_err());
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let world = world().await;
    let address = world.org.url().trim_start_matches("http://").to_string();
    let read = tokio::task::spawn_blocking(move || {
        use std::io::{BufRead, BufReader, Read, Write};
        let socket = std::net::TcpStream::connect(&address).unwrap();
        let mut reader = BufReader::new(socket.try_clone().unwrap());
        let mut lengths = vec![];
        for _ in 0..3 {
            write!(&socket, "GET /services/data HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            lengths.push(length);
        }
        lengths
    });
    let lengths = read.await.unwrap();
    assert!(lengths[0] > 100 && lengths.iter().all(|length| *length == lengths[0]));
}

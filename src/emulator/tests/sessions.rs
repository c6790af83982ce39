use std::time::Duration;

use super::harness::{world, world_of};
use crate::base::TokenId;
use crate::emulator::base64url;
use crate::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME, OrgConfig};

const DEAD: (u16, &str, &str) = (401, "INVALID_SESSION_ID", "Session expired or invalid");
const UNFIT: (u16, &str, &str) =
    (401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API");

fn owned(row: (u16, &str, &str)) -> (u16, String, String) {
    (row.0, row.1.into(), row.2.into())
}

#[tokio::test]
async fn an_opaque_session_slides_on_use_and_dies_of_idleness() {
    let mut config = OrgConfig::default();
    config.apps[0].session_timeout_seconds = Some(900);
    let world = world_of(config).await;
    let token = world.mint().await;
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(899));
        assert!(world.opens(&token).await);
    }
    world.org.admin().advance(Duration::from_secs(900));
    let answer = world.get(&token, "/services/data/v67.0").await;
    assert_eq!(answer.rest_error(), owned(DEAD));
    assert!(answer.headers.get("sforce-limit-info").is_none());
}

#[tokio::test]
async fn a_jwt_format_token_says_when_it_ends_and_does_not_slide() {
    let mut config = OrgConfig::default();
    config.apps[0].jwt_tokens = true;
    config.apps[0].session_timeout_seconds = Some(300);
    let world = world_of(config).await;
    let answer = world.post_claims(&world.claims()).await.json();
    assert_eq!(answer["token_format"], "jwt");
    assert_eq!(answer["api_instance_url"], "https://api.salesforce.com");
    assert!(answer.get("expires_in").is_none());
    let token = answer["access_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let part = |at: usize| -> serde_json::Value {
        serde_json::from_slice(&base64url::decode(parts[at]).unwrap()).unwrap()
    };
    assert_eq!((&part(0)["alg"], &part(0)["tty"]), (&"RS256".into(), &"sfdc-core-token".into()));
    assert_eq!(part(1)["exp"].as_i64(), Some(world.now().get() + 300));
    world.clock.advance(Duration::from_secs(299));
    assert!(world.opens(token).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(!world.opens(token).await);
    let broken = world.get("eyJhbGciOiJSUzI1NiJ9.broken", "/services/data/v67.0").await;
    assert_eq!(broken.rest_error().1, "INVALID_JWT_FORMAT");
}

#[tokio::test]
async fn several_mints_bring_several_sessions_or_one_as_switched() {
    let world = world().await;
    assert_ne!(world.mint().await, world.mint().await);
    world.org.admin().expire_all_sessions();
    world.org.admin().change_rules(|rules| rules.several_mints_one_session = true);
    let first = world.mint().await;
    assert_eq!(first, world.mint().await);
    world.org.admin().expire_session(&TokenId::of(&first));
    assert_ne!(first, world.mint().await, "a dead session is not given out again");
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_by_user_or_all_together() {
    let world = world().await;
    let admin = world.org.admin();
    let (one, two) = (world.mint().await, world.mint().await);
    assert_eq!(admin.expire_session(&TokenId::of(&one)), 1);
    assert!(!world.opens(&one).await && world.opens(&two).await);
    assert_eq!(admin.expire_sessions_of("INTEGRATION@acme.example"), 1);
    assert!(!world.opens(&two).await);
    let three = world.mint().await;
    admin.change_user(DEMO_USERNAME, |user| user.active = false).unwrap();
    assert!(!world.opens(&three).await, "a deactivated user's sessions end");
    assert_eq!(admin.expire_all_sessions(), 0);
    assert!(admin.sessions().iter().all(|session| !session.alive));
}

#[tokio::test]
async fn revoking_ends_the_session_and_errors_are_a_form() {
    let world = world().await;
    let url = world.at("/services/oauth2/revoke");
    for by_get in [false, true] {
        let token = world.mint().await;
        let request = match by_get {
            true => world.http.get(&url).query(&[("token", &token)]),
            false => world.http.post(&url).form(&[("token", &token)]),
        };
        let answer = world.send(request).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        assert!(!world.opens(&token).await);
        let again = world.send(world.http.post(&url).form(&[("token", &token)])).await;
        assert_eq!(again.status, 400);
        assert_eq!(again.headers["content-type"], "application/x-www-form-urlencoded");
        assert!(again.text.starts_with("error=invalid_token&error_description="), "{}", again.text);
    }
    let empty = world.send(world.http.post(&url).form(&[("x", "y")])).await;
    assert!(empty.text.starts_with("error=unsupported_token_type"));
    assert!(world.org.admin().log().iter().all(|entry| !entry.path.contains('?')), "queries are not logged");
}

#[tokio::test]
async fn a_live_session_may_still_be_unfit_for_rest() {
    type Change = fn(&super::harness::World);
    let rows: [(&str, Change); 3] = [
        ("no api scope", |w| {
            w.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.scopes = vec!["id".into()]).unwrap()
        }),
        ("high assurance", |w| {
            w.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.require_high_assurance = true).unwrap()
        }),
        ("API access control", |w| w.org.admin().change_rules(|rules| rules.api_access_control = true)),
    ];
    for (name, change) in rows {
        let world = world().await;
        change(&world);
        let token = world.mint().await;
        assert_eq!(
            world.get(&token, "/services/data/v67.0/sobjects").await.rest_error(),
            owned(UNFIT),
            "{name}"
        );
    }
    let world = world().await;
    world.org.admin().change_rules(|rules| rules.api_access_control = true);
    world
        .org
        .admin()
        .change_user(DEMO_USERNAME, |user| user.permissions = vec!["UseAnyApiClient".into()])
        .unwrap();
    let token = world.mint().await;
    assert!(world.opens(&token).await, "with Use Any API Client");
    world.org.admin().change_user(DEMO_USERNAME, |user| user.api_enabled = false).unwrap();
    assert_eq!(world.get(&token, "/services/data/v67.0").await.rest_error().1, "API_DISABLED_FOR_ORG");
}

#[tokio::test]
async fn a_token_of_another_org_or_of_no_form_opens_nothing() {
    let (one, two) = (world().await, world().await);
    let foreign = two.mint().await;
    assert_eq!(one.get(&foreign, "/services/data/v67.0").await.rest_error(), owned(DEAD));
    let bare = one.send(one.http.get(one.at("/services/data/v67.0"))).await;
    assert_eq!(bare.rest_error(), owned(DEAD));
    let basic = one.send(one.http.get(one.at("/services/data/v67.0")).basic_auth("a", Some("b"))).await;
    assert_eq!(basic.rest_error().1, "INVALID_AUTH_HEADER");
}

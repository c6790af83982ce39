use serde_json::{Value, json};

use super::harness::{World, pair, sign, world};
use crate::emulator::{
    DEMO_ADMIN_USERNAME, DEMO_CONSUMER_KEY, DEMO_USERNAME, Grants, IpRange, LoginHours, PermittedUsers,
};

#[tokio::test]
async fn a_right_assertion_brings_the_documented_answer_and_nothing_more() {
    let world = world().await;
    let answer = world.post_claims(&world.claims()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["date"], "Sun, 22 Nov 2026 21:00:00 GMT");
    let body = answer.json();
    let mut keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["access_token", "id", "instance_url", "scope", "token_type"]);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], "api id");
    assert_eq!(body["instance_url"], world.org.url());
    let token = body["access_token"].as_str().unwrap();
    assert!(token.starts_with("00D8d0000000001!"), "15 characters of org id and a bang");
    assert_eq!(token.len(), 112);
    let id = body["id"].as_str().unwrap();
    assert!(id.contains("/id/00D8d0000000001EAA/0058d"), "{id}");
}

/// Each row: what is done to the org, and the pair that follows.
#[tokio::test]
async fn every_state_of_user_and_app_has_its_own_refusal() {
    type Change = fn(&World);
    let rows: [(&str, Change, (&str, &str)); 12] = [
        (
            "frozen user",
            |w| w.org.admin().change_user(DEMO_USERNAME, |user| user.frozen = true).unwrap(),
            ("inactive_user", "user is inactive"),
        ),
        (
            "deactivated user",
            |w| w.org.admin().change_user(DEMO_USERNAME, |user| user.active = false).unwrap(),
            ("inactive_user", "user is inactive"),
        ),
        (
            "permission set taken away",
            |w| w.org.admin().change_user(DEMO_USERNAME, |user| user.permission_sets.clear()).unwrap(),
            ("invalid_app_access", "user is not admin approved to access this app"),
        ),
        (
            "permission set bound to the integration licence (peers T2)",
            |w| {
                let license = Some("Salesforce API Integration".to_string());
                w.org.admin().put_permission_set(Grants {
                    name: "sfmint_integration".into(),
                    license,
                    ..Grants::default()
                });
            },
            ("invalid_app_access", "user is not admin approved to access this app"),
        ),
        (
            "self-authorize without an approval",
            |w| {
                let admin = w.org.admin();
                admin
                    .change_app(DEMO_CONSUMER_KEY, |app| app.permitted_users = PermittedUsers::SelfAuthorize)
                    .unwrap();
            },
            ("invalid_grant", "user hasn't approved this consumer"),
        ),
        (
            "IP range of the app",
            |w| {
                let range =
                    IpRange { start: "10.0.0.0".parse().unwrap(), end: "10.0.0.255".parse().unwrap() };
                w.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.ip_ranges = vec![range]).unwrap();
            },
            ("invalid_grant", "IP restricted or invalid login hours"),
        ),
        (
            "login hours of the profile",
            |w| {
                let hours = LoginHours { from: 6, to: 21 };
                w.org.admin().change_user(DEMO_USERNAME, |user| user.login_hours = vec![hours]).unwrap();
            },
            ("invalid_grant", "IP restricted or invalid login hours"),
        ),
        (
            "app switched off",
            |w| w.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.enabled = false).unwrap(),
            ("app_not_found", "External client app is not installed in this org"),
        ),
        (
            "flow switched off",
            |w| w.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.jwt_flow = false).unwrap(),
            ("unauthorized_client", "client not authorized to use this grant type"),
        ),
        (
            "certificate wiped by a deploy",
            |w| w.org.admin().set_certificate(DEMO_CONSUMER_KEY, None, 0).unwrap(),
            ("invalid_grant", "invalid assertion"),
        ),
        (
            "no scope beside refresh_token",
            |w| {
                let scopes = vec!["refresh_token".to_string()];
                w.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.scopes = scopes).unwrap();
            },
            ("invalid_grant", "no valid scopes defined"),
        ),
        (
            "locked org",
            |w| w.org.admin().change_rules(|rules| rules.active = false),
            ("inactive_org", "organization is inactive"),
        ),
    ];
    for (name, change, (error, description)) in rows {
        let world = world().await;
        assert_eq!(world.post_claims(&world.claims()).await.status, 200, "{name}: before");
        change(&world);
        let answer = world.post_claims(&world.claims()).await;
        assert_eq!((answer.status, answer.pair()), (400, pair(error, description)), "{name}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{name}");
        let counted = world.org.admin().counters().token_outcomes;
        assert_eq!(counted.get(&format!("{error}: {description}")), Some(&1), "{name}");
    }
}

/// The other side of each refusal: what the administrator does about it.
#[tokio::test]
async fn what_takes_a_refusal_away_lets_the_same_caller_in() {
    type Change = fn(&World);
    let own_address =
        IpRange { start: "127.0.0.0".parse().unwrap(), end: "127.255.255.255".parse().unwrap() };
    let rows: [(&str, Change); 5] = [
        ("approved once", |w| {
            let admin = w.org.admin();
            admin
                .change_app(DEMO_CONSUMER_KEY, |app| app.permitted_users = PermittedUsers::SelfAuthorize)
                .unwrap();
            admin
                .change_user(DEMO_USERNAME, |user| user.approved_apps = vec![DEMO_CONSUMER_KEY.into()])
                .unwrap();
        }),
        ("attached by profile", |w| {
            let admin = w.org.admin();
            admin.change_user(DEMO_USERNAME, |user| user.permission_sets.clear()).unwrap();
            let profile = vec!["Minimum Access - API Only Integrations".to_string()];
            admin.change_app(DEMO_CONSUMER_KEY, |app| app.profiles = profile).unwrap();
        }),
        ("within login hours", |w| {
            let hours = LoginHours { from: 21, to: 22 };
            w.org.admin().change_user(DEMO_USERNAME, |user| user.login_hours = vec![hours]).unwrap();
        }),
        ("a permission set with another licence", |w| {
            let license = Some("Salesforce".to_string());
            let grants = Grants { name: "sfmint_integration".into(), license, ..Grants::default() };
            w.org.admin().put_permission_set(grants);
        }),
        ("frozen and thawed", |w| {
            w.org.admin().change_user(DEMO_USERNAME, |user| user.frozen = true).unwrap();
            w.org.admin().change_user(DEMO_USERNAME, |user| user.frozen = false).unwrap();
        }),
    ];
    for (name, change) in rows {
        let world = world().await;
        change(&world);
        assert_eq!(world.post_claims(&world.claims()).await.status, 200, "{name}");
    }
    let world = world().await;
    world.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.ip_ranges = vec![own_address]).unwrap();
    world.org.admin().change_user(DEMO_USERNAME, |user| user.ip_ranges = vec![own_address]).unwrap();
    assert_eq!(world.post_claims(&world.claims()).await.status, 200, "from an address that is allowed");
    world.org.admin().remove_app(DEMO_CONSUMER_KEY).unwrap();
    assert_eq!(world.post_claims(&world.claims()).await.pair().0, "invalid_client_id", "the app is gone");
}

#[tokio::test]
async fn every_mistake_of_the_caller_has_its_own_refusal() {
    let world = world().await;
    let with = |key: &str, value: Value| {
        let mut claims = world.claims();
        claims[key] = value;
        claims
    };
    let now = world.now().get();
    for (name, claims, error, description) in [
        (
            "unknown consumer key",
            with("iss", "3MVG9nobody".into()),
            "invalid_client_id",
            "client identifier invalid",
        ),
        ("no consumer key", with("iss", Value::Null), "invalid_client_id", "client identifier invalid"),
        (
            "subject of another org",
            with("sub", "nobody@other.example".into()),
            "invalid_grant",
            "user hasn't approved this consumer",
        ),
        ("no subject", with("sub", Value::Null), "invalid_grant", "user hasn't approved this consumer"),
        (
            "user who is not attached",
            with("sub", DEMO_ADMIN_USERNAME.into()),
            "invalid_app_access",
            "user is not admin approved to access this app",
        ),
        (
            "wrong audience",
            with("aud", "https://evil.example".into()),
            "invalid_grant",
            "audience is invalid",
        ),
        ("no audience", with("aud", Value::Null), "invalid_grant", "audience is invalid"),
        (
            "login host for an External Client App",
            with("aud", "https://login.salesforce.com".into()),
            "app_not_found",
            "External client app is not installed in this org",
        ),
        (
            "test host for an External Client App",
            with("aud", "https://test.salesforce.com/".into()),
            "app_not_found",
            "External client app is not installed in this org",
        ),
        ("past exp", with("exp", json!(now - 181)), "invalid_grant", "invalid assertion"),
        ("no exp", with("exp", Value::Null), "invalid_grant", "invalid assertion"),
        ("exp that is no number", with("exp", "soon".into()), "invalid_grant", "invalid assertion"),
    ] {
        let answer = world.post_claims(&claims).await;
        assert_eq!((answer.status, answer.pair()), (400, pair(error, description)), "{name}");
    }
}

#[tokio::test]
async fn every_wrong_request_has_its_own_refusal() {
    let world = world().await;
    let url = world.at("/services/oauth2/token");
    let assertion = sign(&world.claims());
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let form = |fields: &[(&str, &str)]| world.http.post(&url).form(fields);
    for (name, request, error, description) in [
        (
            "GET",
            world.http.get(&url).query(&[("assertion", &assertion)]),
            "invalid_request",
            "must use HTTP POST",
        ),
        (
            "JSON",
            world.http.post(&url).json(&json!({"grant_type": grant, "assertion": assertion})),
            "unsupported_grant_type",
            "grant type not supported",
        ),
        (
            "no grant",
            form(&[("assertion", &assertion)]),
            "unsupported_grant_type",
            "grant type not supported",
        ),
        (
            "password grant",
            form(&[("grant_type", "password")]),
            "unsupported_grant_type",
            "grant type not supported",
        ),
        (
            "no assertion",
            form(&[("grant_type", grant)]),
            "invalid_request",
            "missing required parameter: assertion",
        ),
        (
            "empty assertion",
            form(&[("grant_type", grant), ("assertion", "")]),
            "invalid_request",
            "missing required parameter: assertion",
        ),
    ] {
        let answer = world.send(request).await;
        assert_eq!((answer.status, answer.pair()), (400, pair(error, description)), "{name}");
    }
}

use std::time::Duration;

use serde_json::json;

use super::harness::{classic, other, own, pair, sign, sign_with, world, world_of};
use crate::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME, OrgConfig};

#[tokio::test]
async fn an_external_client_app_answers_at_my_domain_only() {
    let world = world().await;
    let not_here = pair("app_not_found", "External client app is not installed in this org");
    for host in ["login.salesforce.com", "test.salesforce.com"] {
        assert_eq!(world.post_at_host(host, &world.claims()).await.pair(), not_here, "{host}");
    }
    let mut claims = world.claims();
    claims["aud"] = "https://acme.my.salesforce.com".into();
    let answer = world.post_at_host("acme.my.salesforce.com", &claims).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["instance_url"], "https://acme.my.salesforce.com");
    assert_eq!(world.post_claims(&claims).await.pair().1, "audience is invalid", "asked at loopback");
}

#[tokio::test]
async fn a_connected_app_answers_at_its_login_host_and_at_my_domain() {
    let world = world().await;
    let (login, test) = ("https://login.salesforce.com", "https://test.salesforce.com");
    for (host, aud) in [("login.salesforce.com", login), ("acme.my.salesforce.com", login)] {
        for aud in [aud.to_string(), format!("{aud}/")] {
            let answer = world.post_at_host(host, &classic(&world, &aud)).await;
            assert_eq!(answer.status, 200, "{host} {aud}: {}", answer.text);
        }
    }
    assert_eq!(world.post_claims(&classic(&world, &world.org.url())).await.status, 200);
    let not_approved = "user hasn't approved this consumer";
    for (host, aud, says) in [
        ("login.salesforce.com", test, "audience is invalid"),
        ("login.salesforce.com", "http://login.salesforce.com", "audience is invalid"),
        ("acme.my.salesforce.com", test, "audience is invalid"),
        ("test.salesforce.com", login, "audience is invalid"),
        ("test.salesforce.com", test, not_approved),
    ] {
        assert_eq!(
            world.post_at_host(host, &classic(&world, aud)).await.pair(),
            pair("invalid_grant", says),
            "{host} {aud}"
        );
    }
    world.org.admin().change_rules(|rules| rules.sandbox = true);
    assert_eq!(world.post_at_host("test.salesforce.com", &classic(&world, test)).await.status, 200);
    let answer = world.post_at_host("login.salesforce.com", &classic(&world, login)).await;
    assert_eq!(answer.pair().1, not_approved, "a sandbox is not known at login");
}

// peers T1, simple-salesforce#711
#[tokio::test]
async fn government_cloud_wants_my_domain_as_host_and_login_as_audience() {
    let world = world().await;
    world.org.admin().change_rules(|rules| rules.government_cloud = true);
    let login = classic(&world, "https://login.salesforce.com");
    assert_eq!(world.post_claims(&login).await.status, 200);
    let not_approved = pair("invalid_grant", "user hasn't approved this consumer");
    assert_eq!(world.post_claims(&classic(&world, &world.org.url())).await.pair(), not_approved);
    assert_eq!(world.post_at_host("login.salesforce.com", &login).await.pair(), not_approved);
}

#[tokio::test]
async fn a_host_that_is_not_this_orgs_shows_a_page_and_not_json() {
    let world = world().await;
    let answer = world.post_at_host("nobody.example", &world.claims()).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("Destination URL not reset"));
}

#[tokio::test]
async fn exp_is_lenient_ahead_as_real_orgs_are_and_strict_when_told() {
    let world = world().await;
    let now = world.now().get();
    let shapes =
        [json!(now + 3600), json!((now + 300).to_string()), json!(now * 1000 + 300), json!(now as f64 + 0.5)];
    for exp in &shapes {
        let mut claims = world.claims();
        claims["exp"] = exp.clone();
        assert_eq!(world.post_claims(&claims).await.status, 200, "{exp}");
    }
    world.org.admin().change_rules(|rules| rules.strict_exp = true);
    for (exp, status) in
        [(now + 361, 400), (now + 360, 200), (now * 1000, 400), (now - 179, 200), (now - 181, 400)]
    {
        let mut claims = world.claims();
        claims["exp"] = exp.into();
        assert_eq!(world.post_claims(&claims).await.status, status, "{}", exp - now);
    }
}

#[tokio::test]
async fn the_orgs_clock_may_differ_from_the_machines_and_its_date_header_says_so() {
    let world = world().await;
    world.org.admin().set_clock_skew(600);
    let answer = world.post_claims(&world.claims()).await;
    assert_eq!(answer.pair(), pair("invalid_grant", "invalid assertion"), "170 s of life, 600 s late");
    assert_eq!(answer.headers["date"], "Sun, 22 Nov 2026 21:10:00 GMT");
}

#[tokio::test]
async fn user_names_have_no_case_and_prn_wins_over_sub() {
    let world = world().await;
    let mut claims = world.claims();
    claims["sub"] = DEMO_USERNAME.to_uppercase().into();
    assert_eq!(world.post_claims(&claims).await.status, 200);
    claims["prn"] = "nobody@other.example".into();
    assert_eq!(world.post_claims(&claims).await.pair().1, "user hasn't approved this consumer");
    world.org.admin().change_rules(|rules| rules.facts.prn_accepted = false);
    assert_eq!(world.post_claims(&claims).await.status, 200);
}

// peers T4
#[tokio::test]
async fn too_many_logins_in_an_hour_are_refused_until_the_hour_is_over() {
    let mut config = OrgConfig::default();
    config.rules.login_rate_per_hour = 3;
    let world = world_of(config).await;
    for _ in 0..3 {
        world.mint().await;
    }
    assert_eq!(
        world.post_claims(&world.claims()).await.pair(),
        pair("rate_limit_exceeded", "login rate exceeded")
    );
    world.org.admin().change_rules(|rules| rules.facts.login_rate_error = "invalid_grant".into());
    assert_eq!(world.post_claims(&world.claims()).await.pair(), pair("invalid_grant", "login rate exceeded"));
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(world.post_claims(&world.claims()).await.status, 200);
    assert_eq!(world.org.admin().counters().minted(), 4);
}

#[tokio::test]
async fn a_new_certificate_spreads_and_both_answers_come_meanwhile() {
    let world = world().await;
    let admin = world.org.admin();
    admin.set_certificate(DEMO_CONSUMER_KEY, Some(&other().certificate), 600).unwrap();
    let mut seen = [vec![], vec![]];
    for _ in 0..3 {
        // Two requests a round, one with each key; servers alternate, so each key meets both kinds.
        seen[0].push(world.post_assertion(&sign_with(&world.claims(), own())).await.status);
        seen[0].push(world.post_assertion(&sign_with(&world.claims(), own())).await.status);
        seen[1].push(world.post_assertion(&sign_with(&world.claims(), other())).await.status);
        seen[1].push(world.post_assertion(&sign_with(&world.claims(), other())).await.status);
    }
    assert!(seen.iter().all(|key| key.contains(&200) && key.contains(&400)), "{seen:?}");
    world.clock.advance(Duration::from_secs(600));
    for _ in 0..3 {
        let claims = world.claims();
        assert_eq!(world.post_assertion(&sign_with(&claims, other())).await.status, 200);
        assert_eq!(world.post_assertion(&sign_with(&claims, own())).await.pair().1, "invalid assertion");
    }
}

#[tokio::test]
async fn what_is_not_known_of_real_orgs_can_be_switched() {
    let world = world().await;
    let admin = world.org.admin();
    let assertion = sign(&world.claims());
    assert_eq!(world.post_assertion(&assertion).await.status, 200);
    assert_eq!(world.post_assertion(&assertion).await.status, 200, "replay passes by default");
    admin.change_rules(|rules| rules.facts.replay_accepted = false);
    let assertion = sign(
        &json!({ "iss": DEMO_CONSUMER_KEY, "sub": DEMO_USERNAME, "aud": world.org.url(), "exp": world.now().get() + 99 }),
    );
    assert_eq!(world.post_assertion(&assertion).await.status, 200);
    assert_eq!(world.post_assertion(&assertion).await.pair().1, "invalid assertion");

    admin.change_rules(|rules| {
        rules.facts.replay_accepted = true;
        rules.facts.frozen_user_error = "invalid_grant".into();
        rules.facts.audience_description = "Audience validation failed".into();
        rules.facts.refresh_token_scope_required = true;
    });
    let mut claims = world.claims();
    claims["aud"] = "https://evil.example".into();
    assert_eq!(world.post_claims(&claims).await.pair().1, "Audience validation failed");
    admin.change_app(DEMO_CONSUMER_KEY, |app| app.scopes = vec!["api".into()]).unwrap();
    assert_eq!(world.post_claims(&world.claims()).await.pair().0, "invalid_request");
    admin.change_user(DEMO_USERNAME, |user| user.frozen = true).unwrap();
    assert_eq!(
        world.post_claims(&world.claims()).await.pair(),
        pair("invalid_grant", "authentication failure")
    );
}

// peers T12
#[tokio::test]
async fn a_lapsed_certificate_works_unless_the_org_is_told_to_check() {
    let world = world().await;
    // rcgen's certificates end in the year 4096.
    world.org.admin().advance(Duration::from_secs(70_000_000_000));
    let mut claims = world.claims();
    claims["exp"] = (world.org.admin().now().get() + 100).into();
    assert_eq!(world.post_claims(&claims).await.status, 200);
    world.org.admin().change_rules(|rules| rules.facts.certificate_validity_checked = true);
    assert_eq!(world.post_claims(&claims).await.pair().1, "invalid assertion");
}

// RFC 6749 §3.2: parameters must not be there more than once.
#[tokio::test]
async fn a_form_that_says_something_twice_is_refused() {
    let world = world().await;
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    let assertion = sign(&world.claims());
    let post = |form: String| {
        let request = world.http.post(world.at("/services/oauth2/token")).body(form);
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    for form in [
        format!("{grant}&assertion={assertion}&assertion={assertion}"),
        format!("{grant}&assertion=x&assertion={assertion}"),
        format!("{grant}&{grant}&assertion={assertion}"),
    ] {
        let answer = world.send(post(form)).await;
        assert_eq!((answer.status, answer.pair()), (400, pair("invalid_request", "a parameter is repeated")));
    }
    assert_eq!(world.send(post(format!("{grant}&assertion={assertion}"))).await.status, 200);
}

//! The breaker: when a new token is the answer to a 401, and when it is how tools get locked out.

use std::sync::Arc;
use std::time::Duration;

use sfmint::base::{Credential, Credentials, Explain, OAuthError, SecretSource};
use sfmint::emulator::{AppConfig, DEMO_CONSUMER_KEY, Effect, Injection, TokenTwist};
use sfmint::store::MintReason;
use sfmint::token::Need;

use crate::org::{World, fixture, key_in};

const TOKEN: &str = "/services/oauth2/token";

fn dead() -> OAuthError {
    OAuthError::new("INVALID_SESSION_ID", Some("Session expired or invalid"))
}

// faults A9: one re-mint for all who hear the same 401.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_tasks_with_one_dead_session_share_one_mint() {
    let world = World::new().await;
    for connection in [world.connection(), world.in_memory()] {
        let before = world.posts();
        let tokens = world.source(connection);
        let token = tokens.token().await.unwrap();
        tokens.accepted(&token);
        world.org.admin().expire_all_sessions();
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let (tokens, token) = (tokens.clone(), token.clone());
                tokio::spawn(async move { tokens.replace(&token, dead(), false).await.unwrap().id() })
            })
            .collect();
        let mut ids = std::collections::HashSet::new();
        for task in tasks {
            ids.insert(task.await.unwrap());
        }
        assert_eq!((world.posts() - before, ids.len()), (2, 1));
        assert!(!ids.contains(&token.id()));
    }
    let rows = world.rows().await;
    assert_eq!(rows[1].reason, MintReason::DeadSession);
}

#[tokio::test]
async fn a_late_complaint_about_an_old_token_ends_no_new_one() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let old = tokens.token().await.unwrap();
    let new = tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap().token;
    assert_eq!(tokens.replace(&old, dead(), false).await.unwrap().id(), new.id());
    // The same between two processes: the other one has minted meanwhile.
    let other = world.source(world.connection());
    let newer = other.hand(Need { fresh: true, ..Need::default() }).await.unwrap().token;
    assert_eq!(tokens.replace(&new, dead(), false).await.unwrap().id(), newer.id());
    assert_eq!(world.posts(), 3);
}

// Design, "The breaker": a 401 on a token that was never accepted is a configuration fault.
#[tokio::test]
async fn a_young_token_that_never_worked_is_not_replaced() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let token = tokens.token().await.unwrap();
    world.minutes(5);
    let error = tokens.replace(&token, dead(), false).await.unwrap_err();
    assert_eq!(error.code(), "session.refused");
    // No loop, in this process or another: nobody mints for five minutes.
    for _ in 0..20 {
        assert_eq!(tokens.token().await.unwrap_err().code(), "session.refused");
        assert_eq!(world.source(world.connection()).token().await.unwrap_err().code(), "session.refused");
        world.seconds(10);
    }
    assert_eq!(world.posts(), 1);
    // A person has changed something and asks.
    tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap();
    assert_eq!(world.posts(), 2);
    tokens.token().await.unwrap();
}

#[tokio::test]
async fn a_refusal_that_no_token_changes_is_believed_at_once() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let token = tokens.token().await.unwrap();
    tokens.accepted(&token);
    let reason =
        OAuthError::new("INVALID_SESSION_ID", Some("This session is not valid for use with the REST API"));
    assert_eq!(tokens.replace(&token, reason, true).await.unwrap_err().code(), "session.refused");
    assert_eq!(world.posts(), 1);
}

#[tokio::test]
async fn a_mint_that_brings_the_same_token_again_ends_it() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let token = tokens.token().await.unwrap();
    tokens.accepted(&token);
    world.org.admin().inject(Injection::always(TOKEN, Effect::Token { twist: TokenTwist::SameToken }));
    assert_eq!(tokens.replace(&token, dead(), false).await.unwrap_err().code(), "session.refused");
    assert_eq!(tokens.token().await.unwrap_err().code(), "session.refused");
    assert_eq!(world.posts(), 2);
}

// faults A10: at most 3 in a minute, and then nobody mints until the minute is over.
#[tokio::test]
async fn a_storm_of_dead_sessions_stops_after_three_mints_a_minute() {
    let world = World::new().await;
    for connection in [world.connection(), world.in_memory()] {
        let before = world.posts();
        let tokens = world.source(connection);
        let mut token = tokens.token().await.unwrap();
        for _ in 0..3 {
            tokens.accepted(&token);
            world.seconds(1);
            token = tokens.replace(&token, dead(), false).await.unwrap();
        }
        tokens.accepted(&token);
        let error = tokens.replace(&token, dead(), false).await.unwrap_err();
        assert_eq!(error.code(), "session.storm");
        assert_eq!(error.fault(), sfmint::Fault::Transient);
        // Asking for a token plainly is no way around it.
        for _ in 0..10 {
            assert_eq!(tokens.token().await.unwrap_err().code(), "session.storm");
        }
        assert_eq!(world.posts() - before, 4);
        world.seconds(61);
        tokens.token().await.unwrap();
        assert_eq!(world.posts() - before, 5);
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_while_it_complains_leaves_no_one_waiting() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let token = tokens.token().await.unwrap();
    tokens.accepted(&token);
    world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Delay { delay_ms: 150 }));
    let gone = tokio::time::timeout(Duration::from_millis(40), tokens.replace(&token, dead(), false)).await;
    assert!(gone.is_err(), "the org was slower than that");
    let next = tokens.replace(&token, dead(), false).await.unwrap();
    assert_ne!(next.id(), token.id());
    assert_eq!(world.posts(), 2);
}

// A renewal that is under way while somebody complains must not bring the dead token back.
#[tokio::test]
async fn a_token_that_died_during_a_failing_renewal_stays_dead() {
    for in_memory in [false, true] {
        let world = World::new().await;
        let mut connection = if in_memory { world.in_memory() } else { world.connection() };
        connection.policy.mint_attempts = 1;
        let tokens = world.source(connection);
        let token = tokens.token().await.unwrap();
        tokens.accepted(&token);
        world.minutes(116);
        world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Truncate { after_bytes: 10 }));
        // Due: handed out, and a renewal begins that will fail.
        assert_eq!(tokens.token().await.unwrap().id(), token.id());
        crate::org::until("the renewal's request", || world.posts() == 2).await;
        let next = tokens.replace(&token, dead(), false).await.unwrap();
        assert_ne!(next.id(), token.id(), "in memory: {in_memory}");
        assert_eq!(tokens.token().await.unwrap().id(), next.id());
        assert_eq!(world.posts(), 3);
    }
}

// Design: what 401s on this connection have taught.
#[tokio::test]
async fn a_session_that_ended_while_idle_teaches_its_timeout() {
    let world = World::new().await;
    let mut connection = world.connection();
    connection.policy.session_timeout = None;
    let tokens = world.source(connection.clone());
    let need = Need { until_refused: true, ..Need::default() };
    let token = tokens.hand(need).await.unwrap().token;
    assert_eq!(token.expires_at, None);
    tokens.accepted(&token);
    world.minutes(125);
    // An API client goes on until a 401 says otherwise.
    assert_eq!(tokens.hand(need).await.unwrap().token.id(), token.id());
    let second = tokens.replace(&token, dead(), false).await.unwrap();
    assert_eq!(tokens.record().learned, Some(Duration::from_secs(7200)));
    assert_ne!(second.id(), token.id());
    // It is an upper bound: other programs are told nothing of it, and get a token that the shortest session has.
    let other = world.source(connection.clone());
    assert_eq!(other.token().await.unwrap().expires_at, None);
    world.minutes(11);
    let handed = other.hand(Need { wait_for_renewal: true, ..Need::default() }).await.unwrap();
    assert_ne!(handed.token.id(), second.id());
    assert_eq!((handed.due_in, handed.token.expires_at), (None, None));
    let second = handed.token;
    // Our own calls have it renewed before that, in every process.
    world.minutes(116);
    let other = world.source(connection);
    let due =
        other.hand(Need { wait_for_renewal: true, until_refused: true, ..Need::default() }).await.unwrap();
    assert_ne!(due.token.id(), second.id());
    assert_eq!(world.posts(), 4);
    // A session that somebody ended early teaches nothing.
    other.accepted(&due.token);
    world.minutes(3);
    let last = other.replace(&due.token, dead(), false).await.unwrap();
    assert_eq!(other.record().learned, Some(Duration::from_secs(7200)));
    // One that is accepted after a longer rest proves the lesson wrong, for all processes.
    other.accepted(&last);
    world.minutes(119);
    other.accepted(&last);
    assert_eq!(other.record().learned, Some(Duration::from_secs(7200)));
    world.minutes(121);
    other.accepted(&last);
    assert_eq!(other.record().learned, None);
    assert_eq!(world.source(other.connection().clone()).record().learned, None);
}

fn two_apps(world: &World) -> (Credential, Credential) {
    let certificate = std::fs::read_to_string(fixture("other-certificate.pem")).unwrap();
    let app = AppConfig {
        name: "sfmint b".into(),
        consumer_key: "3MVG9sfmintB".into(),
        certificate: Some(certificate),
        permission_sets: vec!["sfmint_integration".into()],
        ..AppConfig::default()
    };
    world.org.admin().put_app(app).unwrap();
    let mut b = world.credential();
    b.name = "b".into();
    b.client_id = "3MVG9sfmintB".parse().unwrap();
    b.key.pem = SecretSource::File(key_in(world.folder.path(), "other.pem", "b.key"));
    b.certificate = Some(fixture("other-certificate.pem"));
    (Credential { name: "a".into(), ..world.credential() }, b)
}

// Design: while two credentials are live, the other one is tried before any counter moves.
#[tokio::test]
async fn with_two_apps_the_standby_one_is_tried_where_the_active_one_is_not_known() {
    let breaks: [fn(&World); 3] = [
        |world| world.org.admin().set_certificate(DEMO_CONSUMER_KEY, None, 0).unwrap(),
        |world| world.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.enabled = false).unwrap(),
        |_| {},
    ];
    for (number, break_a) in breaks.iter().enumerate() {
        let world = World::new().await;
        let (mut a, b) = two_apps(&world);
        break_a(&world);
        if number == 2 {
            a.client_id = "3MVG9nobody".parse().unwrap();
        }
        let mut connection = world.connection();
        connection.credentials = Credentials::two(a, b);
        let tokens = world.source(connection);
        tokens.token().await.unwrap();
        assert_eq!(world.posts(), 2, "case {number}");
        let record = tokens.record();
        assert_eq!(record.kept.unwrap().credential, "b");
        assert!(record.refused.is_none());
        assert_eq!(world.rows().await[0].credential, "b");
    }
}

#[tokio::test]
async fn a_frozen_user_is_not_asked_for_through_both_apps() {
    let world = World::new().await;
    let (a, b) = two_apps(&world);
    let mut connection = world.connection();
    connection.credentials = Credentials::two(a, b);
    world.org.admin().change_user("integration@acme.example", |user| user.frozen = true).unwrap();
    let error = world.source(connection).token().await.unwrap_err();
    assert_eq!((error.code(), world.posts()), ("mint.user_inactive", 1));
}

// faults C10: a certificate on its way through the org is met by every second server.
#[tokio::test]
async fn a_certificate_on_its_way_through_the_org_is_bridged_by_the_other_app() {
    let world = World::new().await;
    let (a, b) = two_apps(&world);
    let other = std::fs::read_to_string(fixture("other-certificate.pem")).unwrap();
    let own = std::fs::read_to_string(fixture("certificate.pem")).unwrap();
    world.org.admin().set_certificate(DEMO_CONSUMER_KEY, Some(&other), 0).unwrap();
    world.org.admin().set_certificate(DEMO_CONSUMER_KEY, Some(&own), 600).unwrap();
    let mut connection = world.connection();
    connection.credentials = Credentials::two(a, b);
    let tokens = world.source(connection);
    for _ in 0..6 {
        tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap();
    }
    let by_b = world.rows().await.iter().filter(|row| row.credential == "b").count();
    assert_eq!(by_b, 3);
}

// faults A8: no retry, and from the third refusal on a pause; it grows, and `fresh` asks at once.
#[tokio::test]
async fn denials_are_not_retried_and_pauses_grow() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    world.org.admin().change_user("integration@acme.example", |user| user.active = false).unwrap();
    let mut asked = Vec::new();
    for second in 0..1200 {
        let before = world.posts();
        tokens.token().await.unwrap_err();
        if world.posts() > before {
            assert_eq!(world.posts(), before + 1);
            asked.push(second);
        }
        world.seconds(1);
    }
    assert_eq!(asked, [0, 1, 2, 62, 182, 422, 722, 1022]);
    let posts = world.posts();
    tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap_err();
    assert_eq!(world.posts(), posts + 1);
    let shared = world.source(world.connection());
    assert!(Arc::strong_count(&world.store) > 1);
    assert_eq!(shared.token().await.unwrap_err().code(), "mint.user_inactive");
    assert_eq!(world.posts(), posts + 1);
}

// A token that is given and not taken is a login all the same.
#[tokio::test]
async fn tokens_that_cannot_be_used_are_paused_like_denials() {
    let twists = [
        (TokenTwist::TokenType { token_type: "DPoP".into() }, "mint.token_kind"),
        (TokenTwist::InstanceUrl { url: "https://evil.example".into() }, "mint.instance_url"),
    ];
    for (twist, code) in twists {
        let world = World::new().await;
        let tokens = world.source(world.connection());
        world.org.admin().inject(Injection::next(TOKEN, 5, Effect::Token { twist }));
        let mut asked = Vec::new();
        for second in 0..200 {
            let before = world.posts();
            // Another process each time: what is known lies in the file.
            let error = world.source(world.connection()).token().await.unwrap_err();
            assert_eq!(error.code(), code);
            assert_eq!(error.fault(), sfmint::Fault::Denied);
            if world.posts() > before {
                asked.push(second);
            }
            world.seconds(1);
        }
        assert_eq!(asked, [0, 1, 2, 62, 182], "{code}");
        let error = tokens.hand(Need::default()).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.to_string().starts_with("5 tokens in a row could not be used"), "{error}");
        assert!(cause.contains("token"), "{cause}");
        tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap();
        assert_eq!(tokens.record().rejected, None);
    }
}

#[tokio::test]
async fn a_passing_fault_between_denials_makes_none_undone() {
    let world = World::new().await;
    let mut connection = world.connection();
    connection.policy.mint_attempts = 1;
    let tokens = world.source(connection);
    world.org.admin().change_user("integration@acme.example", |user| user.active = false).unwrap();
    for _ in 0..2 {
        tokens.token().await.unwrap_err();
    }
    world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Truncate { after_bytes: 10 }));
    tokens.token().await.unwrap_err();
    assert_eq!(tokens.record().refused.map(|refused| refused.times), Some(2));
    tokens.token().await.unwrap_err();
    let posts = world.posts();
    tokens.token().await.unwrap_err();
    assert_eq!(world.posts(), posts, "the third denial is followed by a pause");
}

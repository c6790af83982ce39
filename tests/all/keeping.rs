//! Keeping, on virtual time: what is counted is what arrives at the org.

use std::collections::HashSet;
use std::time::Duration;

use sfmint::base::{Explain, OAuthError};
use sfmint::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME, Effect, Injection, Org, OrgConfig};
use sfmint::store::{MintOutcome, MintReason};
use sfmint::token::{Claimant, Need, Origin};

use crate::org::{World, fixture, key_in, until};

const TOKEN: &str = "/services/oauth2/token";

fn down() -> Injection {
    let maintenance = "<html>We are down for maintenance</html>".to_string();
    Injection::always(TOKEN, Effect::Status { status: 503, headers: [].into(), body: maintenance })
}

fn waiting() -> Need {
    Need { wait_for_renewal: true, ..Need::default() }
}

/// One attempt a mint, so that a failed one is one request.
fn once(world: &World) -> sfmint::Connection {
    let mut connection = world.connection();
    connection.policy.mint_attempts = 1;
    connection
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_at_expiry_are_one_mint() {
    let world = World::new().await;
    for connection in [world.connection(), world.in_memory()] {
        let before = world.posts();
        let tokens = world.source(connection);
        let first = tokens.token().await.unwrap();
        assert_eq!(world.posts(), before + 1);
        world.minutes(121);
        let callers: Vec<_> = (0..10_000)
            .map(|_| {
                let tokens = tokens.clone();
                tokio::spawn(async move { tokens.token().await.unwrap().id() })
            })
            .collect();
        let mut seen = HashSet::new();
        for caller in callers {
            seen.insert(caller.await.unwrap());
        }
        assert_eq!((world.posts(), seen.len()), (before + 2, 1));
        assert!(!seen.contains(&first.id()));
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_in_the_middle_of_a_mint_takes_nothing_with_it() {
    let world = World::new().await;
    world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Delay { delay_ms: 150 }));
    let tokens = world.source(world.connection());
    let impatient = tokio::time::timeout(Duration::from_millis(30), tokens.token()).await;
    assert!(impatient.is_err(), "the org was slower than that");
    let token = tokens.token().await.unwrap();
    assert_eq!((world.posts(), world.minted()), (1, 1));
    assert_eq!(tokens.token().await.unwrap().id(), token.id());
    assert_eq!(world.rows().await.len(), 1);
}

#[tokio::test]
async fn a_runtime_that_ends_in_the_middle_of_a_mint_leaves_the_source_usable() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Hang));
    let other = tokens.clone();
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let waited = tokio::time::timeout(Duration::from_millis(100), other.token()).await;
            assert!(waited.is_err());
        });
    })
    .await
    .unwrap();
    tokens.token().await.unwrap();
    assert_eq!(world.minted(), 1);
}

// Issue 2, "Keeping": tokens of 1, 5 and 15 minutes. The buffer is never more than a third of the life.
#[tokio::test]
async fn tokens_of_one_five_and_fifteen_minutes_are_renewed_in_the_background() {
    for (life, due_at) in [(60, 40), (300, 200), (900, 600)] {
        let world = World::new().await;
        let app = |app: &mut sfmint::emulator::AppConfig| {
            app.jwt_tokens = true;
            app.session_timeout_seconds = Some(life);
        };
        world.org.admin().change_app(DEMO_CONSUMER_KEY, app).unwrap();
        let mut connection = world.connection();
        connection.policy.session_timeout = None;
        let tokens = world.source(connection);
        let first = tokens.token().await.unwrap();
        assert_eq!(first.expires_at, Some(first.minted_at.moved(life.cast_signed())));
        world.seconds(due_at - 1);
        assert_eq!(tokens.token().await.unwrap().id(), first.id());
        assert_eq!(world.posts(), 1, "life {life}");
        world.seconds(2);
        // Due: the old one is handed out at once, and the new one is on its way.
        assert_eq!(tokens.token().await.unwrap().id(), first.id(), "life {life}");
        until("the renewal", || tokens.kept(&Need::default()).is_some()).await;
        assert_ne!(tokens.token().await.unwrap().id(), first.id());
        assert_eq!(world.posts(), 2, "life {life}");
        assert_eq!(world.rows().await[1].reason, MintReason::Due);
    }
}

// faults A1: serve-old, at least 30 s between attempts.
#[tokio::test]
async fn while_renewal_fails_the_old_token_serves_and_salesforce_is_asked_every_half_minute() {
    let world = World::new().await;
    let tokens = world.source(once(&world));
    let first = tokens.token().await.unwrap();
    world.org.admin().inject(down());
    world.minutes(116);
    let before = world.posts();
    for second in 0..120 {
        for need in [Need::default(), waiting()] {
            let handed = tokens.hand(need).await.unwrap();
            assert_eq!((handed.token.id(), handed.origin), (first.id(), Origin::Cache), "second {second}");
        }
        world.seconds(1);
    }
    tokens.hand(waiting()).await.unwrap();
    let asked = world.posts() - before;
    assert!((4..=5).contains(&asked), "{asked} requests in two minutes");
    // At its end there is nothing left to serve, and the failure is told.
    world.minutes(5);
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.code(), "mint.not_oauth");
    world.org.admin().clear_faults();
    assert_ne!(tokens.token().await.unwrap().id(), first.id());
}

#[tokio::test]
async fn a_refused_renewal_serves_the_old_token_too_and_says_so_once_in_half_a_minute() {
    let world = World::new().await;
    let tokens = world.source(once(&world));
    let first = tokens.token().await.unwrap();
    world.org.admin().change_user(DEMO_USERNAME, |user| user.frozen = true).unwrap();
    world.minutes(116);
    let before = world.posts();
    for _ in 0..90 {
        assert_eq!(tokens.hand(waiting()).await.unwrap().token.id(), first.id());
        world.seconds(1);
    }
    assert_eq!(world.posts() - before, 3);
    // From the third refusal on the pause is longer than half a minute, and no request leaves in it.
    assert_eq!(tokens.hand(waiting()).await.unwrap().token.id(), first.id());
    assert_eq!(world.posts() - before, 3);
}

// Design: one token for all processes; a job every minute logs in every hour or two.
#[tokio::test]
async fn a_cron_job_every_minute_for_two_hours_mints_twice() {
    let world = World::new().await;
    for minute in 0..120 {
        // Each minute another process: nothing but the file is shared.
        let tokens = world.source(world.connection());
        let handed = tokens.hand(waiting()).await.unwrap();
        assert!(handed.token.expires_at.is_some(), "minute {minute}");
        world.minutes(1);
    }
    assert_eq!((world.posts(), world.rows().await.len()), (2, 2));
}

#[tokio::test]
async fn a_wish_that_no_token_can_meet_is_no_login_storm() {
    let world = World::new().await;
    for timeout in [None, Some(Duration::from_secs(7200))] {
        let mut connection = world.connection();
        connection.policy.session_timeout = timeout;
        connection.username = DEMO_USERNAME.parse().unwrap();
        let before = world.posts();
        for _ in 0..60 {
            let tokens = world.source(connection.clone());
            let need = Need { min_valid: Duration::from_secs(100_000), ..waiting() };
            tokens.hand(need).await.unwrap();
            world.minutes(1);
        }
        // Of unknown life, 900 s are counted on: the longest wish that a mint can meet is 600 s.
        let most = if timeout.is_none() { 13 } else { 12 };
        let asked = world.posts() - before;
        assert!(asked <= most, "{asked} mints in an hour with {timeout:?}");
    }
}

#[tokio::test]
async fn a_wish_that_a_new_token_meets_is_met() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let first = tokens.token().await.unwrap();
    world.minutes(60);
    let need = |seconds| Need { min_valid: Duration::from_secs(seconds), ..Need::default() };
    assert_eq!(tokens.hand(need(3600)).await.unwrap().token.id(), first.id());
    let second = tokens.hand(need(3601)).await.unwrap();
    assert_ne!(second.token.id(), first.id());
    assert_eq!(world.posts(), 2);
}

#[tokio::test]
async fn a_changed_connection_never_reads_anothers_token() {
    let world = World::new().await;
    let first = world.source(world.connection()).token().await.unwrap();
    assert_eq!(world.source(world.connection()).token().await.unwrap().id(), first.id());
    key_in(world.folder.path(), "pkcs8.pem", "second.key");
    let changes: [fn(&World, &mut sfmint::Connection); 4] = [
        |_, it| it.username = "admin@acme.example".parse().unwrap(),
        |world, it| {
            let mut credential = world.credential();
            credential.client_id = "3MVG9another".parse().unwrap();
            it.credentials = sfmint::base::Credentials::one(credential);
        },
        |world, it| {
            let mut credential = world.credential();
            credential.key.pem = sfmint::base::SecretSource::File(world.folder.path().join("second.key"));
            it.credentials = sfmint::base::Credentials::one(credential);
        },
        |world, it| it.audience = format!("{}/site", world.org.url()).parse().unwrap(),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut connection = world.connection();
        change(&world, &mut connection);
        let tokens = world.source(connection);
        assert!(tokens.kept(&Need::default()).is_none(), "change {number}");
        let posts = world.posts();
        let _ = tokens.token().await;
        assert_eq!(world.posts(), posts + 1, "change {number}");
    }
    // Case and a name for it make no other connection.
    let mut same = world.connection();
    same.name = "another-name".parse().unwrap();
    same.username = DEMO_USERNAME.to_uppercase().parse().unwrap();
    assert_eq!(world.source(same).token().await.unwrap().id(), first.id());
}

// faults A24
#[tokio::test]
async fn another_org_at_the_same_address_is_refused_until_it_is_forgotten() {
    let World { org, clock, store, folder } = World::new().await;
    let address = org.url().trim_start_matches("http://").parse().unwrap();
    let first = World { org, clock: clock.clone(), store: store.clone(), folder };
    let tokens = first.source(first.connection());
    let token = tokens.token().await.unwrap();
    let connection = first.connection();
    let World { org, folder, .. } = first;
    org.stop().await;
    let mut config = OrgConfig { org_id: "00D8d0000000002".into(), ..OrgConfig::default() };
    let certificate = std::fs::read_to_string(fixture("certificate.pem")).unwrap();
    config.apps.iter_mut().for_each(|app| app.certificate = Some(certificate.clone()));
    let org = Org::start(config, clock.clone(), address).await.unwrap();
    let refreshed = World { org, clock, store, folder };
    let tokens = refreshed.source(connection);
    let error = tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap_err();
    assert_eq!(error.code(), "mint.org_changed");
    assert!(error.to_string().contains("00D8d0000000002") && error.to_string().contains("00D8d0000000001"));
    let row = refreshed.rows().await.pop().unwrap();
    assert_eq!((row.outcome, row.code.as_deref()), (MintOutcome::Failed, Some("mint.org_changed")));
    // The token of the org that was stays; once it is revoked, the new org is the org.
    assert_eq!(tokens.token().await.unwrap().id(), token.id());
    tokens.revoke().await.unwrap();
    assert!(tokens.token().await.unwrap().org_id.as_str().starts_with("00D8d0000000002"));
}

#[tokio::test]
async fn an_instance_that_moves_is_adopted_with_the_next_mint() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let here = tokens.token().await.unwrap().instance_url.as_str().to_string();
    world.org.admin().change_rules(|rules| {
        rules.public_url = Some("https://acme--uat.sandbox.my.salesforce.com".into());
    });
    assert_eq!(tokens.token().await.unwrap().instance_url.as_str(), here);
    world.minutes(121);
    let moved = tokens.token().await.unwrap();
    assert_eq!(moved.instance_url.as_str(), "https://acme--uat.sandbox.my.salesforce.com");
}

// Virtual time in both: tokio's own clock sleeps, ours is told.
#[tokio::test]
async fn a_process_that_keeps_its_token_fresh_never_hands_out_one_that_is_due() {
    let world = World::new().await;
    let tokens = world.source(once(&world));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let keeper = tokens.clone();
    let keeping = tokio::spawn(async move {
        keeper.keep_fresh(async move { drop(stopped.await) }).await;
    });
    until("the first mint", || tokens.kept(&Need::default()).is_some()).await;
    assert_eq!(world.posts(), 1);
    let first = tokens.token().await.unwrap();
    for minted in 2..=4 {
        // Both clocks move to the moment the token is due, and a little further.
        let to_due = tokens.hand(Need::default()).await.unwrap().due_in.unwrap();
        assert_eq!(to_due, Duration::from_secs(7200 - 300));
        world.clock.advance(to_due);
        tokio::time::pause();
        tokio::time::advance(to_due + Duration::from_secs(1)).await;
        tokio::time::resume();
        until("the renewal", || world.minted() == minted).await;
        until("the new token", || tokens.kept(&Need::default()).is_some()).await;
    }
    assert_ne!(tokens.token().await.unwrap().id(), first.id());
    stop.send(()).unwrap();
    keeping.await.unwrap();
}

// faults A20
#[tokio::test]
async fn a_clock_that_steps_makes_no_old_token_young() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let first = tokens.token().await.unwrap();
    world.minutes(100);
    world.clock.step(-90 * 60);
    world.minutes(21);
    assert_ne!(tokens.token().await.unwrap().id(), first.id(), "121 minutes have passed");
    let second = tokens.token().await.unwrap();
    world.clock.step(91 * 86_400);
    assert_ne!(tokens.token().await.unwrap().id(), second.id(), "by the wall it is 91 days old");
    assert_eq!(world.posts(), 3);
}

// faults A21
#[tokio::test]
async fn after_eight_hours_of_sleep_the_first_call_mints() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let first = tokens.token().await.unwrap();
    world.minutes(8 * 60);
    assert_ne!(tokens.token().await.unwrap().id(), first.id());
    assert_eq!(world.rows().await[1].reason, MintReason::Expired);
}

// faults A20: the measured clock is the org's.
#[tokio::test]
async fn a_skew_is_measured_once_and_remembered() {
    for skew in [600_i64, -600] {
        let world = World::new().await;
        world.org.admin().change_rules(|rules| rules.strict_exp = true);
        world.org.admin().set_clock_skew(skew);
        let tokens = world.source(world.connection());
        tokens.token().await.unwrap();
        assert_eq!(world.posts(), 2, "skew {skew}");
        tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap();
        assert_eq!(world.posts(), 3, "skew {skew}");
        let rows = world.rows().await;
        assert_eq!((rows[0].attempts, rows[1].attempts), (2, 1));
        assert!((rows[1].skew_seconds.unwrap() - skew).abs() <= 1);
        // Somebody sets the clock right: one refusal, one more assertion.
        world.org.admin().set_clock_skew(0);
        tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap();
        assert_eq!(world.posts(), 5, "skew {skew}");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_written_is_kept_in_this_process() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let first = tokens.token().await.unwrap();
    // The folder is gone and a file stands in its place: nothing can be locked or written.
    let folder = world.folder.path().join("state/tokens");
    std::fs::create_dir(world.folder.path().join("gone")).unwrap();
    std::fs::rename(&folder, world.folder.path().join("gone/tokens")).unwrap();
    std::fs::write(&folder, "no folder").unwrap();
    world.minutes(121);
    let second = tokens.token().await.unwrap();
    assert_ne!(second.id(), first.id());
    assert_eq!(tokens.token().await.unwrap().id(), second.id());
    world.minutes(116);
    world.org.admin().inject(down());
    for _ in 0..5 {
        assert_eq!(tokens.hand(waiting()).await.unwrap().token.id(), second.id());
    }
    world.org.admin().clear_faults();
    world.minutes(1);
    let third = tokens.hand(waiting()).await.unwrap();
    assert_eq!(third.origin, Origin::Minted);
    // The breaker works without the file as well.
    tokens.accepted(&third.token);
    for complaint in 0..3 {
        let reason = OAuthError::new("INVALID_SESSION_ID", Some("Session expired or invalid"));
        let now = tokens.token().await.unwrap();
        tokens.accepted(&now);
        tokens.replace(&now, reason, false).await.unwrap_or_else(|error| panic!("{complaint}: {error}"));
    }
    let now = tokens.token().await.unwrap();
    tokens.accepted(&now);
    let reason = OAuthError::new("INVALID_SESSION_ID", None);
    assert_eq!(tokens.replace(&now, reason, false).await.unwrap_err().code(), "session.storm");
}

#[tokio::test]
async fn a_refused_mint_is_a_row_and_a_token_never_is() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    let token = tokens.token().await.unwrap();
    world.org.admin().change_user(DEMO_USERNAME, |user| user.active = false).unwrap();
    tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap_err();
    let rows = world.rows().await;
    let shown = format!("{rows:?}");
    assert!(!shown.contains(token.expose()), "{shown}");
    assert_eq!(rows[0].outcome, MintOutcome::Minted);
    assert_eq!(rows[0].token_id, Some(token.id()));
    assert_eq!(rows[1].outcome, MintOutcome::Refused);
    assert_eq!(rows[1].code.as_deref(), Some("mint.user_inactive"));
    assert_eq!(rows[1].salesforce.as_ref().unwrap().error, "inactive_user");
    assert!(rows[1].token_id.is_none() && rows[1].key_id == rows[0].key_id && rows[0].key_id.is_some());
}

#[tokio::test]
async fn a_key_that_cannot_sign_uses_up_no_budget() {
    let world = World::new().await;
    std::fs::remove_file(world.folder.path().join("current.key")).unwrap();
    let mut connection = world.connection();
    connection.policy.mint_budget_per_hour = 2;
    let tokens = world.source(connection);
    for _ in 0..5 {
        let error = tokens.token().await.unwrap_err();
        assert!(error.code().starts_with("key."), "{}", error.code());
    }
    assert_eq!((tokens.mints_used(), world.posts()), (0, 0));
    key_in(world.folder.path(), "pkcs8.pem", "current.key");
    tokens.token().await.unwrap();
    assert_eq!(tokens.mints_used(), 1);
}

#[tokio::test]
async fn a_spent_budget_serves_the_token_in_hand_and_ends_within_the_hour() {
    let world = World::new().await;
    let mut connection = world.connection();
    connection.policy.mint_budget_per_hour = 3;
    connection.policy.session_timeout = Some(Duration::from_secs(900));
    let tokens = world.source(connection);
    for _ in 0..3 {
        tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap();
    }
    let last = tokens.token().await.unwrap();
    world.minutes(11);
    assert_eq!(tokens.hand(waiting()).await.unwrap().token.id(), last.id(), "due, and no budget");
    world.minutes(5);
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.code(), "mint.budget");
    assert_eq!(world.posts(), 3);
    world.minutes(46);
    tokens.token().await.unwrap();
}

// A renewal is no reason to wait for somebody who hangs, and none to fail.
#[tokio::test]
async fn a_lock_that_is_held_keeps_nobody_from_a_token_that_still_serves() {
    let world = World::new().await;
    let connection = world.connection();
    let tokens = world.source(connection.clone());
    let first = tokens.token().await.unwrap();
    world.minutes(116);
    let folder = sfmint::token::FileCache::new(&world.folder.path().join("state/tokens"), &connection);
    let held = folder.try_lock().unwrap().unwrap();
    let asked = tokio::time::Instant::now();
    let handed = tokens.hand(Need { wait_for_renewal: true, ..Need::default() }).await.unwrap();
    assert_eq!(handed.token.id(), first.id());
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    drop(held);
    let handed = tokens.hand(Need { wait_for_renewal: true, ..Need::default() }).await.unwrap();
    assert_ne!(handed.token.id(), first.id());
}

#[tokio::test]
async fn who_joins_a_mint_gets_what_it_needs_all_the_same() {
    let world = World::new().await;
    let tokens = world.source(once(&world));
    let first = tokens.token().await.unwrap();
    world.minutes(116);
    world.org.admin().inject(Injection::next(TOKEN, 1, Effect::Truncate { after_bytes: 10 }));
    // Due: a renewal is under way, and will fail; that is good enough for who started it.
    assert_eq!(tokens.token().await.unwrap().id(), first.id());
    let longer = Need { min_valid: Duration::from_secs(600), ..Need::default() };
    assert_ne!(tokens.hand(longer).await.unwrap().token.id(), first.id());
    assert_eq!(world.posts(), 3);
}

#[tokio::test]
async fn who_may_use_the_reserve_inherits_no_spent_budget() {
    let world = World::new().await;
    let mut connection = world.connection();
    connection.policy.session_timeout = None;
    connection.policy.mint_budget_per_hour = 10;
    let tokens = world.source(connection);
    for _ in 0..9 {
        tokens.hand(Need { fresh: true, ..Need::default() }).await.unwrap();
    }
    world.minutes(20);
    let doctor = Need { claimant: Claimant::Doctor, ..Need::default() };
    let (work, doctor) = tokio::join!(tokens.hand(Need::default()), tokens.hand(doctor));
    assert_eq!(work.unwrap_err().code(), "mint.budget");
    doctor.unwrap();
    assert_eq!(world.posts(), 10);
}

#[tokio::test]
async fn an_endless_answer_to_a_revocation_is_cut() {
    let world = World::new().await;
    let tokens = world.source(world.connection());
    tokens.token().await.unwrap();
    let effect = Effect::Status { status: 400, headers: Default::default(), body: "x".repeat(80 * 1024) };
    world.org.admin().inject(Injection::always("/services/oauth2/revoke", effect));
    assert_eq!(tokens.revoke().await.unwrap_err().code(), "mint.too_large");
}

use std::sync::{Arc, Mutex};

use super::test_words::{codes, connection, finding, has, mute};
use super::{doctor, probe, status};
use crate::api::Client;
use crate::api::test_org::{ORG, Reply, TestOrg, USER, USERNAME, tokens};
use crate::base::{Clock, Fault, Level, ManualClock, SecretSource};
use crate::store::{MemoryStore, MintOutcome, MintQuery, MintReason, Store};
use crate::token::{Minter, SystemClock, TokenSource};

const VERSIONS: &str = r#"[{"version":"66.0"},{"version":"67.0"}]"#;

fn userinfo(org: &str, user: &str, username: &str) -> Reply {
    let told = serde_json::json!({ "user_id": user, "organization_id": org, "preferred_username": username });
    Reply::json(told.to_string())
}

/// An org where all is well.
fn well(asked: &crate::api::test_org::Asked) -> Option<Reply> {
    match asked.path() {
        "/services/data" => Some(Reply::new(200, &[("date", "Sun, 22 Nov 2026 21:00:05 GMT")], VERSIONS)),
        "/services/data/v67.0" => {
            Some(Reply::new(200, &[("sforce-limit-info", "api-usage=18/15000")], r#"{"limits":"/x"}"#))
        }
        "/services/oauth2/userinfo" => Some(userinfo(ORG, USER, USERNAME)),
        _ => None,
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-11-22T21:00:00Z".parse().unwrap()))
}

async fn examine(
    handler: impl Fn(&crate::api::test_org::Asked) -> Option<Reply> + Send + Sync + 'static,
) -> (super::Report, TestOrg) {
    let org = TestOrg::start(handler).await;
    let clock = clock();
    let client = Client::over(tokens(org.connection(), clock.clone(), None), clock.clone(), None);
    let report = doctor(&client, &*clock, &mut mute()).await;
    (report, org)
}

#[tokio::test]
async fn a_sound_connection_is_ok_on_every_rung_and_each_is_said_in_order() {
    let org = TestOrg::start(well).await;
    let clock = clock();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let source = tokens(org.connection(), clock.clone(), Some(store.clone()));
    let client = Client::over(source, clock.clone(), None);
    let heard = Mutex::new(Vec::new());
    let mut say = |finding: &crate::base::Finding| heard.lock().unwrap().push(finding.code);
    let report = doctor(&client, &*clock, &mut say).await;
    assert_eq!(
        codes(&report),
        [
            "config ok",
            "key ok",
            "certificate info",
            "dns ok",
            "tls ok",
            "clock.skew ok",
            "host.place ok",
            "mint ok",
            "identity ok",
            "api.access ok",
            "api.version ok"
        ],
        "{report:#?}"
    );
    assert_eq!(
        *heard.lock().unwrap(),
        report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>()
    );
    assert_eq!((report.fault, report.worst()), (None, Some(Level::Info)));
    assert!(finding(&report, "api.access").says.contains("18 of 15000"));
    let rows = store.mints(MintQuery::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.reason).collect::<Vec<_>>(), [MintReason::Doctor]);
    // Past the cache: a second look mints again.
    doctor(&client, &*clock, &mut mute()).await;
    assert_eq!(org.mints(), 2);
}

#[tokio::test]
async fn a_refused_mint_has_cause_and_fix_and_stops_what_rests_on_it() {
    let (report, _org) = examine(|asked| match asked.path() {
        "/services/oauth2/token" => Some(Reply::new(
            400,
            &[],
            r#"{"error":"invalid_grant","error_description":"user hasn't approved this consumer"}"#,
        )),
        _ => well(asked),
    })
    .await;
    let refused = finding(&report, "mint.not_approved");
    assert_eq!(refused.level, Level::Fail);
    assert!(refused.says.ends_with("invalid_grant: user hasn't approved this consumer"), "{}", refused.says);
    assert!(refused.hints.iter().any(|hint| hint.as_str().contains("Permitted Users")));
    assert!(refused.hints.iter().any(|hint| hint.as_str().contains("--probe")));
    for code in ["identity", "api.access", "api.version"] {
        assert!(has(&report, code, Level::Skipped), "{code} in {report:#?}");
    }
    assert_eq!(report.fault, Some(Fault::Denied));
}

#[tokio::test]
async fn a_key_that_is_missing_stops_the_mint_and_not_the_network() {
    let org = TestOrg::start(well).await;
    let clock = clock();
    let mut connection = org.connection();
    let mut credential = connection.credentials.active().clone();
    credential.key.pem = SecretSource::File("/nowhere/at/all.key".into());
    connection.credentials = crate::base::Credentials::one(credential);
    let source =
        TokenSource::over(Minter::new(Arc::new(connection), clock.clone()), clock.clone(), None).unwrap();
    let report = doctor(&Client::over(source, clock.clone(), None), &*clock, &mut mute()).await;
    assert!(has(&report, "key.not_found", Level::Fail), "{report:#?}");
    for code in ["certificate", "mint", "identity", "api.access", "api.version"] {
        assert!(has(&report, code, Level::Skipped), "{code} in {report:#?}");
    }
    assert!(has(&report, "tls", Level::Ok) && has(&report, "clock.skew", Level::Ok));
    assert_eq!(report.fault, Some(Fault::Misuse));
    assert_eq!(org.mints(), 0);
}

// faults A1
#[tokio::test]
async fn a_host_that_is_not_there_stops_all_that_needs_it() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let clock = clock();
    let source = tokens(connection(&format!("http://{gone}")), clock.clone(), None);
    let report = doctor(&Client::over(source, clock.clone(), None), &*clock, &mut mute()).await;
    assert!(has(&report, "mint.unreachable", Level::Fail), "{report:#?}");
    for code in ["clock.skew", "mint", "identity", "api.access", "api.version"] {
        assert!(has(&report, code, Level::Skipped), "{code} in {report:#?}");
    }
    assert!(has(&report, "host.place", Level::Ok));
    assert_eq!(report.fault, Some(Fault::Transient));
}

// faults A20
#[tokio::test]
async fn a_wrong_clock_is_warned_of_with_its_side() {
    for (date, side) in
        [("Sun, 22 Nov 2026 21:10:00 GMT", "behind"), ("Sun, 22 Nov 2026 20:50:00 GMT", "ahead of")]
    {
        let (report, _org) = examine(move |asked| match asked.path() {
            "/services/data" => Some(Reply::new(200, &[("date", date)], VERSIONS)),
            _ => well(asked),
        })
        .await;
        let skew = finding(&report, "clock.skew");
        assert_eq!(skew.level, Level::Warn);
        assert!(skew.says.contains(&format!("10 min {side}")), "{}", skew.says);
        assert_eq!(report.fault, None);
    }
}

#[tokio::test]
async fn another_user_than_meant_is_told() {
    let (report, _org) = examine(|asked| match asked.path() {
        "/services/oauth2/userinfo" => Some(userinfo(ORG, "005000000000002", USERNAME)),
        _ => well(asked),
    })
    .await;
    assert!(has(&report, "identity.other", Level::Fail), "{report:#?}");
}

// Protocol reference §1.6: preferred_username is not always the Username; then the row decides.
#[tokio::test]
async fn a_name_of_userinfo_that_differs_is_looked_up_in_the_row() {
    for (row_name, code, level) in
        [(USERNAME, "identity", Level::Ok), ("renamed@acme.example", "identity.username", Level::Warn)]
    {
        let row = format!(r#"{{"Id":"{USER}","Username":"{row_name}"}}"#);
        let (report, _org) = examine(move |asked| match asked.path() {
            "/services/oauth2/userinfo" => Some(userinfo(ORG, USER, "nick@elsewhere.example")),
            path if path.starts_with("/services/data/v67.0/sobjects/User/") => Some(Reply::json(&row)),
            _ => well(asked),
        })
        .await;
        assert!(has(&report, code, level), "{report:#?}");
    }
}

// Peers T4: the token is given and refused; the doctor says why, and mints once.
#[tokio::test]
async fn a_session_unfit_for_rest_is_named_after_one_mint() {
    let (report, org) = examine(|asked| match asked.path() {
        "/services/data/v67.0" => Some(Reply::refused(
            401,
            "INVALID_SESSION_ID",
            "This session is not valid for use with the REST API",
        )),
        _ => well(asked),
    })
    .await;
    let refused = finding(&report, "session.refused");
    assert_eq!(refused.level, Level::Fail);
    assert!(refused.hints.iter().any(|hint| hint.as_str().contains("API Access Control")), "{refused:?}");
    assert!(has(&report, "api.version", Level::Skipped));
    assert_eq!(org.mints(), 1);
}

#[tokio::test]
async fn versions_that_end_or_are_gone_are_said() {
    for (pinned, code, level) in [
        (Some(30), "api.version_not_offered", Level::Fail),
        (Some(66), "api.version", Level::Ok),
        (None, "api.version", Level::Ok),
    ] {
        let org = TestOrg::start(|asked| match asked.path() {
            "/services/data/v66.0" => Some(Reply::json("{}")),
            "/services/data/v30.0" => Some(Reply::refused(410, "UNSUPPORTED_API_VERSION", "gone")),
            _ => well(asked),
        })
        .await;
        let clock = clock();
        let mut connection = org.connection();
        connection.api_version = pinned.map(crate::base::ApiVersion::new);
        let client = Client::over(tokens(connection, clock.clone(), None), clock.clone(), None);
        let report = doctor(&client, &*clock, &mut mute()).await;
        assert!(has(&report, code, level), "{pinned:?}: {report:#?}");
    }
    let (report, _org) = examine(|asked| match asked.path() {
        "/services/data" => Some(Reply::json(r#"[{"version":"40.0"}]"#)),
        _ => well(asked),
    })
    .await;
    assert!(has(&report, "api.version_not_offered", Level::Fail), "{report:#?}");
}

#[tokio::test]
async fn a_token_without_the_api_scope_is_warned_of() {
    let (report, _org) = examine(|asked| match asked.path() {
        "/services/oauth2/token" => {
            let url = format!("http://{}", asked.header("host").unwrap());
            let told = serde_json::json!({
                "access_token": "00D8d0000000001!T", "scope": "id web", "instance_url": url, "token_type": "Bearer",
                "id": format!("{url}/id/{ORG}/{USER}"),
            });
            Some(Reply::json(told.to_string()))
        }
        _ => well(asked),
    })
    .await;
    assert!(has(&report, "mint.scope_api", Level::Warn), "{report:#?}");
}

#[tokio::test]
async fn calls_that_run_out_are_warned_of() {
    let (report, _org) = examine(|asked| match asked.path() {
        "/services/data/v67.0" => {
            Some(Reply::new(200, &[("sforce-limit-info", "api-usage=12000/15000")], "{}"))
        }
        _ => well(asked),
    })
    .await;
    assert!(has(&report, "api.usage", Level::Warn), "{report:#?}");
}

#[tokio::test]
async fn the_reserve_of_the_budget_is_the_doctors_too() {
    let org = TestOrg::start(well).await;
    let clock = clock();
    let mut connection = org.connection();
    connection.policy.mint_budget_per_hour = 10;
    let client = Client::over(tokens(connection, clock.clone(), None), clock.clone(), None);
    let fresh = crate::token::Need { fresh: true, ..Default::default() };
    for _ in 0..9 {
        client.tokens().hand(fresh).await.unwrap();
    }
    assert!(client.tokens().hand(fresh).await.is_err());
    assert!(has(&doctor(&client, &*clock, &mut mute()).await, "mint", Level::Ok));
    assert!(has(&doctor(&client, &*clock, &mut mute()).await, "mint.budget", Level::Fail));
}

// Peers T1: each pair once, in order, and the one that works is told as it must be written.
#[tokio::test]
async fn a_probe_tries_each_pair_once_and_tells_which_to_pin() {
    let times = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = times.clone();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => {
            (count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2).then(|| {
                Reply::new(400, &[], r#"{"error":"invalid_grant","error_description":"audience is invalid"}"#)
            })
        }
        _ => None,
    })
    .await;
    let clock: Arc<dyn Clock> = clock();
    let mut connection = org.connection();
    connection.audience = "https://other.my.salesforce.com".parse().unwrap();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let source = tokens(connection, clock.clone(), None);
    let probed = probe(&source, &clock, Some(&store), &mut mute()).await;
    assert_eq!(
        codes(&probed.report),
        ["mint.audience FAIL", "mint.audience FAIL", "probe.works ok"],
        "{:#?}",
        probed.report
    );
    let works = probed.works.unwrap();
    assert_eq!(works.audience.as_str(), "https://login.salesforce.com");
    let hint = finding(&probed.report, "probe.works").hints[0].as_str().to_string();
    assert_eq!(
        hint,
        format!("write `login_url = \"{}\"` and `audience = \"https://login.salesforce.com\"`", org.url)
    );
    assert_eq!(probed.report.fault, None);
    let rows = store.mints(MintQuery::default()).await.unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.reason == MintReason::Doctor && row.attempts == 1));
}

#[tokio::test]
async fn a_probe_ends_where_no_other_place_would_help() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => {
            Some(Reply::new(400, &[], r#"{"error":"inactive_user","error_description":"user is inactive"}"#))
        }
        _ => None,
    })
    .await;
    let clock: Arc<dyn Clock> = clock();
    let probed = probe(&tokens(org.connection(), clock.clone(), None), &clock, None, &mut mute()).await;
    assert_eq!(codes(&probed.report), ["mint.user_inactive FAIL"]);
    assert!(probed.works.is_none() && !probed.report.findings[0].hints.is_empty());
}

#[tokio::test]
async fn a_probe_without_a_working_pair_says_so() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => Some(Reply::new(400, &[], r#"{"error":"app_not_found"}"#)),
        _ => None,
    })
    .await;
    let clock: Arc<dyn Clock> = clock();
    let probed = probe(&tokens(org.connection(), clock.clone(), None), &clock, None, &mut mute()).await;
    let pairs = super::grid(&org.connection()).len();
    assert_eq!(probed.report.findings.len(), pairs + 1);
    assert_eq!(codes(&probed.report).last().unwrap(), "probe.none FAIL");
    assert_eq!(probed.report.fault, Some(Fault::Denied));
}

#[tokio::test]
async fn status_tells_token_history_and_budget_without_the_token() {
    let org = TestOrg::start(|_| None).await;
    let clock = clock();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let source = tokens(org.connection(), clock.clone(), Some(store.clone()));
    let before = status(&source, Some(&*store), &*clock).await.unwrap();
    assert_eq!((before.token, before.last_mint, before.last_failure), (None, None, None));
    let token = source.token().await.unwrap();
    source.accepted(&token);
    clock.advance(std::time::Duration::from_secs(200));
    let told = status(&source, Some(&*store), &*clock).await.unwrap();
    let kept = told.token.clone().unwrap();
    assert_eq!((kept.age_seconds, kept.standing, kept.lifetime_from), (200, "fresh", "unknown"));
    assert_eq!((told.mints_used, told.mint_budget_per_hour), (1, 600));
    assert_eq!(told.last_mint.as_ref().unwrap().outcome, MintOutcome::Minted);
    assert_eq!(told.last_failure, None);
    assert_eq!(told.certificates[0].not_after, None);
    assert_eq!(told.org_id.as_deref(), Some(ORG));
    let json = serde_json::to_string(&told).unwrap();
    assert!(!json.contains(token.expose()), "{json}");
}

#[tokio::test]
async fn a_failure_after_the_last_mint_is_told_beside_it() {
    let refuse = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let switch = refuse.clone();
    let org = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" if switch.load(std::sync::atomic::Ordering::SeqCst) => {
            Some(Reply::new(400, &[], r#"{"error":"invalid_client_id"}"#))
        }
        _ => None,
    })
    .await;
    let clock = clock();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let source = tokens(org.connection(), clock.clone(), Some(store.clone()));
    source.token().await.unwrap();
    refuse.store(true, std::sync::atomic::Ordering::SeqCst);
    let fresh = crate::token::Need { fresh: true, ..Default::default() };
    source.hand(fresh).await.unwrap_err();
    let told = status(&source, Some(&*store), &*clock).await.unwrap();
    assert_eq!(told.last_failure.unwrap().code.as_deref(), Some("mint.client_id"));
    assert!(told.last_mint.is_some());
}

#[test]
fn a_certificate_that_cannot_be_read_is_trouble_and_no_error() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut connection = connection("http://127.0.0.1:1");
    let mut credential = connection.credentials.active().clone();
    credential.certificate = Some("/nowhere/at/all.crt".into());
    connection.credentials = crate::base::Credentials::one(credential);
    let clock = Arc::new(SystemClock::new());
    let source = tokens(connection, clock.clone(), None);
    let told = runtime.block_on(status(&source, None, &*clock)).unwrap();
    let trouble = told.certificates[0].trouble.clone().unwrap();
    assert!(trouble.contains("certificate.not_found"), "{trouble}");
}

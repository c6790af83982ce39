//! Doctor and client against the built-in org: each refusal has its cause in the org's state.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::test_words::{codes, finding, has, mute, unpinned};
use super::{About, doctor, org, probe};
use crate::api::rest::query;
use crate::api::{Client, identity};
use crate::base::{
    Clock, Connection, Credential, Credentials, Explain, Fault, KeySource, Level, ManualClock, SecretSource,
};
use crate::emulator::{
    DEMO_ADMIN_USERNAME, DEMO_CONNECTED_APP_KEY, DEMO_CONSUMER_KEY, DEMO_USERNAME, Effect, Injection, Org,
    OrgConfig, PermittedUsers,
};
use crate::token::{Minter, TokenSource};

/// The text of a key and of its certificate. Text, because a static is never dropped: a folder in one would outlive the tests.
fn pair() -> &'static (String, String) {
    static PAIR: OnceLock<(String, String)> = OnceLock::new();
    PAIR.get_or_init(|| {
        let pair =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["sfmint test".to_string()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 6, 1);
        (pair.serialize_pem(), params.self_signed(&pair).unwrap().pem())
    })
}

/// An org, and a folder with the key and the certificate as a user has them.
struct World {
    org: Org,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

impl World {
    async fn of(mut config: OrgConfig) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let (key, certificate) = pair();
        for app in &mut config.apps {
            app.certificate = Some(certificate.clone());
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.key"), key).unwrap();
        std::fs::set_permissions(folder.path().join("a.key"), std::fs::Permissions::from_mode(0o600))
            .unwrap();
        std::fs::write(folder.path().join("a.crt"), certificate).unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-22T21:00:00Z".parse().unwrap()));
        let org = Org::start(config, clock.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        Self { org, clock, folder }
    }

    async fn ready() -> Self {
        Self::of(OrgConfig::default()).await
    }

    fn connection(&self, username: &str, client_id: &str) -> Connection {
        let mut connection = unpinned(super::test_words::connection(&self.org.url()));
        connection.username = username.parse().unwrap();
        connection.credentials = Credentials::one(Credential {
            name: "main".into(),
            client_id: client_id.parse().unwrap(),
            key: KeySource { pem: SecretSource::File(self.folder.path().join("a.key")), passphrase: None },
            certificate: Some(self.folder.path().join("a.crt")),
        });
        connection
    }

    fn client_of(&self, connection: Connection) -> Client {
        let minter = Minter::new(Arc::new(connection), self.clock.clone());
        let tokens = TokenSource::over(minter, self.clock.clone(), None).unwrap();
        Client::over(tokens, self.clock.clone(), None)
    }

    fn client(&self) -> Client {
        self.client_of(self.connection(DEMO_USERNAME, DEMO_CONSUMER_KEY))
    }

    async fn doctor(&self) -> super::Report {
        doctor(&self.client(), &*self.clock, &mut mute()).await
    }

    fn mints(&self) -> u64 {
        self.org.admin().counters().minted()
    }
}

#[tokio::test]
async fn the_ready_org_is_healthy_on_every_rung() {
    let world = World::ready().await;
    let report = world.doctor().await;
    assert_eq!(
        codes(&report),
        [
            "config ok",
            "key ok",
            "certificate ok",
            "certificate.validity ok",
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
    assert_eq!((world.mints(), report.fault), (1, None));
}

// Peers T1, T2, T4: each cause in the org's state has its own code and stops where it should.
#[tokio::test]
async fn each_cause_in_the_org_has_its_code() {
    type Change = fn(&World);
    let cases: [(&str, Change); 8] = [
        ("mint.user_inactive", |world| {
            world.org.admin().change_user(DEMO_USERNAME, |user| user.frozen = true).unwrap();
        }),
        ("mint.not_preauthorized", |world| {
            world.org.admin().change_user(DEMO_USERNAME, |user| user.permission_sets.clear()).unwrap();
        }),
        ("mint.not_approved", |world| {
            let change =
                |app: &mut crate::emulator::AppConfig| app.permitted_users = PermittedUsers::SelfAuthorize;
            world.org.admin().change_app(DEMO_CONSUMER_KEY, change).unwrap();
        }),
        ("mint.flow_disabled", |world| {
            world.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.jwt_flow = false).unwrap();
        }),
        ("mint.org_inactive", |world| world.org.admin().change_rules(|rules| rules.active = false)),
        ("session.refused", |world| world.org.admin().change_rules(|rules| rules.api_access_control = true)),
        ("api.disabled", |world| {
            world.org.admin().change_user(DEMO_USERNAME, |user| user.api_enabled = false).unwrap();
        }),
        ("mint.scope_api", |world| {
            world
                .org
                .admin()
                .change_app(DEMO_CONSUMER_KEY, |app| app.scopes = vec!["id".into(), "web".into()])
                .unwrap();
        }),
    ];
    for (code, change) in cases {
        let world = World::ready().await;
        change(&world);
        let report = world.doctor().await;
        assert!(report.findings.iter().any(|finding| finding.code == code), "{code} in {report:#?}");
        assert!(report.fault.is_some(), "{code} in {report:#?}");
        assert!(world.mints() <= 1, "{code}");
    }
}

// faults A20: ten minutes off, the mint works by the measured clock and the doctor says so.
#[tokio::test]
async fn a_clock_ten_minutes_off_is_measured() {
    for skew in [600, -600] {
        let world = World::of(OrgConfig { clock_skew_seconds: skew, ..OrgConfig::default() }).await;
        let report = world.doctor().await;
        assert!(
            has(&report, "clock.skew", Level::Warn) && has(&report, "mint", Level::Ok),
            "{skew}: {report:#?}"
        );
    }
}

// faults C8: Salesforce is asked with a lapsed certificate too.
#[tokio::test]
async fn a_lapsed_certificate_fails_and_the_mint_is_tried_all_the_same() {
    let world = World::ready().await;
    world.clock.advance(Duration::from_secs(400 * 86_400));
    let report = world.doctor().await;
    assert!(
        has(&report, "certificate.expired", Level::Fail) && has(&report, "mint", Level::Ok),
        "{report:#?}"
    );
    let mut config = OrgConfig::default();
    config.rules.facts.certificate_validity_checked = true;
    let world = World::of(config).await;
    world.clock.advance(Duration::from_secs(400 * 86_400));
    let report = world.doctor().await;
    let refused = finding(&report, "mint.assertion");
    assert!(
        refused.hints[0].as_str().starts_with("most likely because the certificate ended"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_app_without_the_identity_scope_is_looked_up_in_the_user_row() {
    let world = World::ready().await;
    world.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.scopes = vec!["api".into()]).unwrap();
    let report = world.doctor().await;
    let told = finding(&report, "identity");
    assert!(told.level == Level::Ok && told.says.starts_with("the User row says"), "{told:?}");
    assert_eq!(world.mints(), 1);
}

#[tokio::test]
async fn a_probe_finds_the_audience_of_a_government_org() {
    let mut config = OrgConfig::default();
    config.rules.government_cloud = true;
    let world = World::of(config).await;
    let connection = world.connection(DEMO_USERNAME, DEMO_CONNECTED_APP_KEY);
    let minter = Minter::new(Arc::new(connection), world.clock.clone());
    let source = TokenSource::over(minter, world.clock.clone(), None).unwrap();
    let clock: Arc<dyn Clock> = world.clock.clone();
    let probed = probe(&source, &clock, None, &mut mute()).await;
    let works = probed.works.unwrap_or_else(|| panic!("{:#?}", probed.report));
    assert_eq!(works.audience.as_str(), "https://login.salesforce.com");
    assert!(world.org.admin().log().iter().all(|entry| entry.host.starts_with("127.0.0.1")));
}

// The whole of `doctor --org`, asked by an administrator about the integration user.
#[tokio::test]
async fn an_administrator_sees_how_the_org_stands() {
    let world = World::ready().await;
    let admin = world.org.admin();
    // The administrator may use the app for this question.
    admin.change_app(DEMO_CONSUMER_KEY, |app| app.profiles.push("System Administrator".into())).unwrap();
    let user = world.client().tokens().token().await.unwrap().user_id.clone();
    let asks = world.client_of(world.connection(DEMO_ADMIN_USERNAME, DEMO_CONSUMER_KEY));
    let about = About { user_id: user, app: None };
    let report = org(&asks, &about, &*world.clock, &mut mute()).await;
    for (code, level) in [
        ("org.logins", Level::Ok),
        ("org.user", Level::Ok),
        ("org.frozen", Level::Ok),
        ("org.api_enabled", Level::Ok),
        ("org.rights", Level::Ok),
        ("org.app", Level::Ok),
        ("org.permitted_users", Level::Ok),
        ("org.preauthorized", Level::Ok),
        ("org.ip_ranges", Level::Skipped),
        ("org.changes", Level::Info),
    ] {
        assert!(has(&report, code, level), "{code} {level} in {report:#?}");
    }
    assert_eq!(report.fault, None, "{report:#?}");

    world.clock.advance(Duration::from_secs(1));
    admin
        .change_user(DEMO_USERNAME, |user| {
            user.frozen = true;
            user.permissions.push("ModifyAllData".into());
            user.permission_sets.clear();
        })
        .unwrap();
    admin.change_app(DEMO_CONSUMER_KEY, |app| app.permitted_users = PermittedUsers::SelfAuthorize).unwrap();
    world.client().tokens().token().await.unwrap_err();
    world.clock.advance(Duration::from_secs(1));
    let report = org(&asks, &about, &*world.clock, &mut mute()).await;
    for (code, level) in [
        ("org.logins", Level::Warn),
        ("org.frozen", Level::Fail),
        ("org.rights", Level::Warn),
        ("org.permitted_users", Level::Warn),
        ("org.preauthorized", Level::Fail),
    ] {
        assert!(has(&report, code, level), "{code} {level} in {report:#?}");
    }
    assert_eq!(report.fault, Some(Fault::Denied));
}

#[tokio::test]
async fn a_user_without_setup_sees_what_it_may_and_is_told_what_is_missing() {
    let world = World::ready().await;
    let client = world.client();
    let user = client.tokens().token().await.unwrap().user_id.clone();
    let report = org(&client, &About { user_id: user, app: None }, &*world.clock, &mut mute()).await;
    assert!(has(&report, "org.user", Level::Ok), "{report:#?}");
    for code in ["org.app", "org.permitted_users", "org.changes"] {
        assert!(has(&report, code, Level::Skipped), "{code} in {report:#?}");
    }
    assert!(finding(&report, "org.changes").says.contains("View Setup and Configuration"));
    assert_eq!(report.fault, None, "{report:#?}");
}

#[tokio::test]
async fn a_connected_app_is_judged_from_its_row() {
    let world = World::ready().await;
    let admin = world.org.admin();
    admin.change_app(DEMO_CONNECTED_APP_KEY, |app| app.profiles.push("System Administrator".into())).unwrap();
    let of = |username| {
        let mut connection = world.connection(username, DEMO_CONNECTED_APP_KEY);
        connection.audience = "https://login.salesforce.com".parse().unwrap();
        world.client_of(connection)
    };
    let user = of(DEMO_USERNAME).tokens().token().await.unwrap().user_id.clone();
    let report =
        org(&of(DEMO_ADMIN_USERNAME), &About { user_id: user, app: None }, &*world.clock, &mut mute()).await;
    assert!(finding(&report, "org.app").says.contains("connected app"), "{report:#?}");
    assert!(
        has(&report, "org.permitted_users", Level::Ok) && has(&report, "org.preauthorized", Level::Ok),
        "{report:#?}"
    );
}

// faults A9 against the org: killed in mid-paging, one mint more, every row once.
#[tokio::test]
async fn a_session_killed_between_pages_costs_one_mint_and_no_row() {
    let world = World::ready().await;
    let client = world.client();
    let mut pages = query(&client, "SELECT Id, Name FROM Account", false);
    let mut ids = std::collections::HashSet::new();
    let mut total = 0;
    while let Some(page) = pages.next().await.unwrap() {
        total = page.total.unwrap();
        ids.extend(page.records.iter().map(|record| record.text("Id").unwrap().to_string()));
        if ids.len() as u64 == total {
            continue;
        }
        world.org.admin().expire_all_sessions();
    }
    assert_eq!(ids.len() as u64, total);
    assert!(world.mints() <= 4, "{}", world.mints());
}

// faults A9: counted at the org.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_tasks_on_a_killed_session_are_one_mint_at_the_org() {
    let world = World::ready().await;
    let client = world.client();
    client.get("/services/data/v67.0").await.unwrap();
    world.org.admin().expire_all_sessions();
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/services/data/v67.0").await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(world.mints(), 2);
}

// faults A4, A5, A7, A12 by the org's own injections; all it says is whole or an error.
#[tokio::test]
async fn every_injected_fault_ends_in_rows_or_a_named_error() {
    let status =
        |status, body: &str| Effect::Status { status, headers: Default::default(), body: body.into() };
    let cases: Vec<(Effect, Option<&str>)> = vec![
        (status(200, "<html><title>Login</title></html>"), Some("api.not_json")),
        (Effect::Redirect { to: "https://evil.example/".into(), status: 302 }, Some("api.redirected")),
        (Effect::GzipBomb { bytes: 200 * 1024 * 1024 }, Some("api.too_large")),
    ];
    for (effect, code) in cases {
        let world = World::ready().await;
        world.org.admin().inject(Injection::always("/services/data/v67.0/query", effect.clone()));
        let rows = query(&world.client(), "SELECT Id FROM Account LIMIT 5", false).all().await;
        assert_eq!(rows.as_ref().err().map(Explain::code), code, "{effect:?}: {rows:?}");
    }
}

#[tokio::test]
async fn a_rude_org_changes_nothing() {
    let world = World::of(OrgConfig::rude()).await;
    let client = world.client();
    let rows = query(&client, "SELECT Id, Name FROM Account", false).all().await.unwrap();
    assert!(!rows.is_empty());
    let user = client.tokens().token().await.unwrap().user_id.clone();
    assert_eq!(identity::whoami(&client, &user).await.unwrap().username, DEMO_USERNAME);
}

#[tokio::test]
async fn api_limits_of_the_org_are_named() {
    let mut config = OrgConfig::default();
    config.rules.daily_api_limit = 3;
    let world = World::of(config).await;
    let client = world.client();
    let mut last = None;
    for _ in 0..6 {
        last = client.get("/services/data/v67.0").await.err().or(last);
    }
    let error = last.unwrap();
    assert_eq!((error.code(), error.fault()), ("api.limit_daily", Fault::Transient));
    assert!(error.to_string().ends_with("3 of 3"), "{error}");
    let retired = World::ready().await.client().get("/services/data/v20.0/limits").await.unwrap_err();
    assert_eq!(retired.code(), "api.version_retired");
}

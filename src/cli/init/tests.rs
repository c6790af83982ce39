use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;

use super::answers::Answers;
use super::ask::answered;
use crate::cli::{Args, Command, Exit, report};
use crate::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME, Org, OrgConfig};
use crate::token::SystemClock;

/// A folder of a user's own, and the command in it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }

    fn at(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn read(&self, below: &str) -> String {
        std::fs::read_to_string(self.at(below)).unwrap()
    }

    /// `sfmint init` with `--yes`; the error as people read it.
    fn init(&self, arguments: &[&str]) -> Result<Exit, String> {
        let (config, state) = (self.at("config/sfmint.toml"), self.at("state"));
        let places = ["--yes", "--config", config.to_str().unwrap(), "--state-dir", state.to_str().unwrap()];
        let args = Args::try_parse_from(["sfmint", "init"].iter().chain(arguments).chain(&places)).unwrap();
        let Command::Init(verb) = &args.command else { panic!("not init") };
        super::run(verb, &args.global).map_err(|error| {
            let mut words = Vec::new();
            report::in_words(
                &mut words,
                &error.to_string(),
                &report::causes(&error),
                &report::hints(&error),
                false,
            )
            .unwrap();
            String::from_utf8(words).unwrap()
        })
    }

    /// Every file below the config folder and its bytes.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.at("config")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.0.path()).unwrap().display().to_string();
                    found.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
        found
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn without_a_consumer_key_it_waits_and_writes_no_connection() {
    let desk = Desk::new();
    assert_eq!(desk.init(&["prod", "--contact-email", "ann@acme.example"]), Ok(Exit::Done));
    let names: Vec<String> = desk.files().into_keys().collect();
    let app = "config/handover/prod/app/force-app/main/default";
    assert_eq!(
        names,
        [
            "config/certs/prod/.gitignore".to_string(),
            "config/certs/prod/current.crt".into(),
            "config/certs/prod/current.key".into(),
            "config/certs/prod/init.toml".into(),
            "config/handover/prod/app.zip".into(),
            format!("{app}/externalClientApps/sfmint_prod.eca-meta.xml"),
            format!("{app}/extlClntAppGlobalOauthSets/sfmint_prod_glbloauth.ecaGlblOauth-meta.xml"),
            format!("{app}/extlClntAppOauthPolicies/sfmint_prod_oauthPlcy.ecaOauthPlcy-meta.xml"),
            format!("{app}/extlClntAppOauthSettings/sfmint_prod_oauth.ecaOauth-meta.xml"),
            format!("{app}/extlClntAppPolicies/sfmint_prod_plcy.ecaPlcy-meta.xml"),
            format!("{app}/permissionsets/sfmint_prod.permissionset-meta.xml"),
            "config/handover/prod/app/sfdx-project.json".into(),
            "config/handover/prod/certificate.crt".into(),
            "config/handover/prod/packet.html".into(),
            "config/handover/prod/packet.txt".into(),
        ]
    );
    assert_eq!(mode(&desk.at("config/certs/prod/current.key")), 0o600);
    assert_eq!(mode(&desk.at("config/certs/prod")), 0o700);
}

#[test]
fn a_second_run_changes_nothing() {
    let desk = Desk::new();
    desk.init(&["prod"]).unwrap();
    let first = desk.files();
    desk.init(&["prod"]).unwrap();
    desk.init(&["prod", "--days", "30", "--bits", "4096"]).unwrap();
    assert!(first == desk.files());
}

#[test]
fn nothing_of_the_key_is_in_what_is_handed_over() {
    let desk = Desk::new();
    desk.init(&["prod"]).unwrap();
    let key = desk.read("config/certs/prod/current.key");
    let lines: Vec<&str> = key.lines().filter(|line| line.len() > 20 && !line.starts_with('-')).collect();
    let der = crate::crypto::read_private_key(key.as_bytes(), None).unwrap();
    let private = &der.pkcs8_der().expose()[300..340];
    assert!(lines.len() > 20);
    for (name, bytes) in desk.files() {
        if name.ends_with("current.key") {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("PRIVATE KEY"), "{name}");
        assert!(!lines.iter().any(|line| text.contains(line)), "{name}");
        assert!(!bytes.windows(private.len()).any(|window| window == private), "{name}");
    }
}

#[test]
fn what_is_handed_over_is_one_app_in_two_forms_and_every_file_is_xml() {
    let desk = Desk::new();
    desk.init(&["prod", "--app-name", "R&D <sync> \"night\" 'x' ]]>", "--session-timeout-minutes", "30"])
        .unwrap();
    let archive = std::fs::File::open(desk.at("config/handover/prod/app.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(archive).unwrap();
    let mut parts = 0;
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
        well_formed(&name, &text);
        if name == "package.xml" {
            assert!(text.contains("<version>67.0</version>"), "{text}");
            continue;
        }
        let source = desk.read(&format!("config/handover/prod/app/force-app/main/default/{name}-meta.xml"));
        assert_eq!(source, text, "{name}");
        parts += 1;
    }
    assert_eq!(parts, 6);
    let project: serde_json::Value =
        serde_json::from_str(&desk.read("config/handover/prod/app/sfdx-project.json")).unwrap();
    assert_eq!(project["sourceApiVersion"], "67.0");
    let html = desk.read("config/handover/prod/packet.html");
    assert!(html.contains("R&amp;D &lt;sync&gt; &quot;night&quot; &#39;x&#39; ]]&gt;"));
    assert!(!html.contains("<sync>"));
}

/// Reads a document to its end with a reader that is not ours.
fn well_formed(name: &str, text: &str) {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    reader.config_mut().check_comments = true;
    let mut elements = 0;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{name}: {error}\n{text}")) {
            Event::Start(_) => elements += 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(elements > 3, "{name}");
}

#[test]
fn changed_answers_replace_our_files_and_no_others() {
    let desk = Desk::new();
    desk.init(&["prod"]).unwrap();
    let key = desk.read("config/certs/prod/current.key");
    desk.init(&["prod", "--session-timeout-minutes", "15"]).unwrap();
    assert!(desk.read("config/handover/prod/packet.txt").contains("Session timeout: 15 minutes"));
    assert_eq!(desk.read("config/certs/prod/current.key"), key);

    std::fs::write(desk.at("config/handover/prod/packet.txt"), "my notes").unwrap();
    let before = desk.files();
    let refused = desk.init(&["prod", "--session-timeout-minutes", "60"]).unwrap_err();
    assert!(refused.contains("packet.txt would be replaced, and somebody changed it"), "{refused}");
    assert!(refused.contains("--out-dir"), "{refused}");
    assert!(before == desk.files());

    let elsewhere = desk.at("config/elsewhere");
    desk.init(&["prod", "--session-timeout-minutes", "60", "--out-dir", elsewhere.to_str().unwrap()])
        .unwrap();
    assert!(desk.read("config/elsewhere/packet.txt").contains("Session timeout: 60 minutes"));
}

#[test]
fn a_lost_certificate_is_made_again_for_the_same_key() {
    let desk = Desk::new();
    desk.init(&["prod"]).unwrap();
    let key = desk.read("config/certs/prod/current.key");
    std::fs::remove_file(desk.at("config/certs/prod/current.crt")).unwrap();
    std::fs::remove_dir_all(desk.at("config/handover")).unwrap();
    desk.init(&["prod"]).unwrap();
    assert_eq!(desk.read("config/certs/prod/current.key"), key);
    let certificate =
        crate::crypto::read_certificate(desk.read("config/certs/prod/current.crt").as_bytes()).unwrap();
    assert_eq!(certificate.key_id(), crate::crypto::read_private_key(key.as_bytes(), None).unwrap().key_id());
}

#[test]
fn a_certificate_made_anew_replaces_what_was_handed_over_for_the_old_one_unless_somebody_changed_it() {
    let desk = Desk::new();
    desk.init(&["prod"]).unwrap();
    let (certificate, packet) = ("config/handover/prod/certificate.crt", "config/handover/prod/packet.txt");
    let old = desk.read(certificate);
    let moved = |n: u8| {
        let current = desk.at("config/certs/prod/current.crt");
        std::fs::rename(current, desk.at(&format!("config/certs/prod/ended-{n}.crt"))).unwrap();
    };
    moved(1);
    assert_eq!(desk.init(&["prod"]), Ok(Exit::Done));
    assert_ne!(desk.read(certificate), old);
    assert_eq!(desk.read(certificate), desk.read("config/certs/prod/current.crt"));

    moved(2);
    std::fs::write(desk.at(packet), "my notes").unwrap();
    let refused = desk.init(&["prod"]).unwrap_err();
    assert!(refused.contains("packet.txt would be replaced, and somebody changed it"), "{refused}");
    assert!(!refused.contains("certificate.crt"), "{refused}");
}

#[test]
fn each_refusal_names_what_is_there() {
    let desk = Desk::new();
    desk.init(&["prod"]).unwrap();
    let key = desk.at("config/certs/prod/current.key");

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = desk.init(&["prod"]).unwrap_err();
    assert!(refused.contains("current.key") && refused.contains("chmod"), "{refused}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    desk.init(&["other"]).unwrap();
    let mine = desk.read("config/certs/prod/current.crt");
    std::fs::copy(desk.at("config/certs/other/current.crt"), desk.at("config/certs/prod/current.crt"))
        .unwrap();
    let refused = desk.init(&["prod"]).unwrap_err();
    assert!(refused.contains("do not belong together"), "{refused}");

    std::fs::write(desk.at("config/certs/prod/current.crt"), mine).unwrap();
    std::fs::rename(&key, desk.at("config/elsewhere.key")).unwrap();
    let refused = desk.init(&["prod"]).unwrap_err();
    assert!(refused.contains("current.key is not"), "{refused}");
    assert!(!key.exists(), "a second key beside a certificate that was handed over");

    std::fs::write(desk.at("config/certs/other/init.toml"), "app_name = 1\n").unwrap();
    let refused = desk.init(&["other"]).unwrap_err();
    assert!(refused.contains("init.toml is there and cannot be read"), "{refused}");
}

#[test]
fn names_that_are_paths_and_values_that_do_not_fit_never_get_in() {
    for name in ["../prod", "a/b", "", "prod.toml", "a b", "-x", "$(id)", &"x".repeat(65)] {
        assert!(Args::try_parse_from(["sfmint", "init", name]).is_err(), "{name}");
    }
    let desk = Desk::new();
    for (arguments, says) in [
        (vec!["p", "--contact-email", "nobody"], "contact e-mail"),
        (vec!["p", "--session-timeout-minutes", "5"], "5 minutes is not a session timeout"),
        (vec!["p", "--app-name", "a\nb"], "line breaks"),
    ] {
        let refused = desk.init(&arguments).unwrap_err();
        assert!(refused.contains(says), "{refused}");
        assert!(!desk.at("config/handover").exists(), "{refused}");
    }
    let half = desk.init(&["q", "--client-id", "3MVG9abc"]).unwrap_err();
    assert!(half.contains("needs --login-url and --username"), "{half}");
    assert!(!desk.at("config/certs/q").exists(), "found before anything is made");
    assert_eq!(desk.init(&[&"n".repeat(64)]), Ok(Exit::Done), "the longest name has a certificate, too");
}

#[test]
fn a_certificate_that_no_app_takes_is_refused() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.at("config/certs/prod")).unwrap();
    let now = crate::base::Clock::now(&SystemClock::new());
    let (key, certificate) = crate::crypto::issue::self_signed(&crate::crypto::Issue {
        subject: "old".into(),
        days: 1,
        bits: 2048,
        now: now.moved(-10 * 86_400),
    })
    .unwrap();
    crate::crypto::write_key_file(&desk.at("config/certs/prod/current.key"), &key).unwrap();
    crate::crypto::write_certificate_file(&desk.at("config/certs/prod/current.crt"), &certificate).unwrap();
    let refused = desk.init(&["prod"]).unwrap_err();
    assert!(
        refused.contains("current.crt ended on") && refused.contains("move the certificate away"),
        "{refused}"
    );
    std::fs::remove_file(desk.at("config/certs/prod/current.crt")).unwrap();
    assert_eq!(desk.init(&["prod"]), Ok(Exit::Done));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_consumer_key_it_goes_on_with_the_same_key_and_ends_in_a_token() {
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let org = Org::start(OrgConfig::default(), Arc::new(SystemClock::new()), loopback).await.unwrap();
    let url = org.url();
    let admin = org.admin();
    tokio::task::spawn_blocking(move || {
        let desk = Desk::new();
        desk.init(&["prod", "--session-timeout-minutes", "60"]).unwrap();
        let key = desk.read("config/certs/prod/current.key");
        let arguments =
            ["prod", "--client-id", DEMO_CONSUMER_KEY, "--login-url", &url, "--username", DEMO_USERNAME];

        // The administrator has not uploaded the certificate: the connection stands, Salesforce's no is told.
        assert_eq!(desk.init(&arguments), Ok(Exit::Denied));
        assert_eq!(admin.counters().minted(), 0);

        let certificate = desk.read("config/handover/prod/certificate.crt");
        admin.set_certificate(DEMO_CONSUMER_KEY, Some(&certificate), 0).unwrap();
        let before = desk.files();
        assert_eq!(desk.init(&arguments), Ok(Exit::Done));
        assert_eq!(desk.init(&["prod"]), Ok(Exit::Done), "and once more, without a flag");
        assert_eq!(admin.counters().minted(), 2);
        assert!(before == desk.files(), "what is configured is not written again");
        assert_eq!(desk.read("config/certs/prod/current.key"), key);

        let connection = desk.read("config/connections.d/prod.toml");
        assert!(connection.contains("session_timeout_seconds = 3600"), "{connection}");
        let settings = crate::config::Settings::load(desk.at("config/sfmint.toml")).unwrap();
        let findings = settings.check();
        assert!(findings.iter().all(|finding| finding.level != crate::base::Level::Fail), "{findings:?}");
        assert!(findings.iter().all(|finding| finding.code != "config.file_missing"), "{findings:?}");

        let refused = desk.init(&["prod", "--username", "somebody@else.example"]).unwrap_err();
        assert!(refused.contains("differs in --username (there: integration@acme.example)"), "{refused}");
        assert!(refused.contains("connections.d/prod.toml"), "{refused}");
    })
    .await
    .unwrap();
    org.stop().await;
}

#[test]
fn a_connection_is_added_beside_what_the_user_wrote() {
    let desk = Desk::new();
    std::fs::create_dir(desk.at("config")).unwrap();
    let mine = "# mine\n[defaults]\nkeep_history_days = 7\n";
    std::fs::write(desk.at("config/sfmint.toml"), mine).unwrap();
    let nobody = "http://127.0.0.1:9";
    let arguments =
        ["prod", "--client-id", "3MVG9abc", "--login-url", nobody, "--username", "a@acme.example"];
    assert_eq!(desk.init(&arguments), Ok(Exit::Later), "nobody listens there");
    assert_eq!(desk.read("config/sfmint.toml"), mine);
    let settings = crate::config::Settings::load(desk.at("config/sfmint.toml")).unwrap();
    assert_eq!(settings.connection("prod").unwrap().username.as_str(), "a@acme.example");
}

#[test]
fn an_answered_consumer_key_leaves_the_packet_that_was_handed_over() {
    let args = Args::try_parse_from(["sfmint", "init", "prod"]).unwrap();
    let Command::Init(verb) = &args.command else { panic!("not init") };
    let before = Answers::of(verb, &super::ask::Asked::default(), None);
    let asked = super::ask::Asked {
        client_id: Some("3MVG9abc".parse().unwrap()),
        login_url: Some("https://acme.my.salesforce.com".parse().unwrap()),
        username: Some("a@acme.example".parse().unwrap()),
        ..Default::default()
    };
    assert_eq!(Answers::of(verb, &asked, Some(&before)), before);
    let known_before_the_packet =
        Answers::of(verb, &super::ask::Asked { client_id: None, ..asked }, Some(&before));
    assert_eq!(known_before_the_packet.username.as_deref(), Some("a@acme.example"));
}

#[test]
fn the_answers_come_back_as_they_were_given() {
    let desk = Desk::new();
    let answers = Answers {
        app_name: "a \"quoted\" \\ name \u{7f} é".into(),
        contact_email: "a@b.example".into(),
        session_timeout_minutes: 15,
        username: None,
        login_url: Some("https://acme.my.salesforce.com".into()),
        out_dir: Some("/tmp/with 'quotes'".into()),
    };
    let path = desk.at("init.toml");
    answers.write(&path, &"prod".parse().unwrap()).unwrap();
    assert_eq!(Answers::read(&path).unwrap().unwrap(), answers);
    assert_eq!(Answers::read(&desk.at("none.toml")).unwrap(), None);
}

#[test]
fn the_packet_reads_as_it_was_looked_at() {
    let pem = include_bytes!("../../../tests/fixtures/keys/certificate.pem");
    let certificate = crate::crypto::read_certificate(pem).unwrap();
    let app = crate::api::metadata::AppPackage::new(
        "sfmint prod",
        "sfmint_prod",
        "admin@acme.example",
        &certificate.pem(),
        120,
    )
    .unwrap();
    let answers = Answers {
        app_name: "sfmint prod".into(),
        contact_email: "admin@acme.example".into(),
        session_timeout_minutes: 120,
        username: Some("integration@acme.example".into()),
        login_url: None,
        out_dir: None,
    };
    let packet = super::packet::packet(&"prod".parse().unwrap(), &app, &answers, &certificate);
    insta::assert_snapshot!("packet_text", super::packet::text(&packet));
    insta::assert_snapshot!("packet_html", super::packet::html(&packet));
    let files: String =
        app.source_project().iter().map(|file| format!("==> {}\n{}\n", file.path, file.text)).collect();
    insta::assert_snapshot!("app", files);
}

#[test]
fn a_wrong_answer_is_asked_again_and_an_empty_one_is_none() {
    use crate::base::Username;
    let mut to = Vec::new();
    let name =
        answered::<Username>("Username", &mut "nonsense\nann@acme.example\n".as_bytes(), &mut to).unwrap();
    assert_eq!(name.unwrap().as_str(), "ann@acme.example");
    let shown = String::from_utf8(to).unwrap();
    assert_eq!(shown.matches("Username: ").count(), 2, "{shown}");
    assert!(shown.contains("does not look like name@example.com"), "{shown}");
    for nothing in ["\n", ""] {
        assert!(answered::<Username>("?", &mut nothing.as_bytes(), &mut Vec::new()).unwrap().is_none());
    }
}

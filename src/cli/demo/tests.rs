use clap::Parser;

use super::{Stage, Teller, story};
use crate::cli::wire::block_on;
use crate::cli::{Args, Command, Exit};
use crate::store::MintOutcome;

fn parsed(arguments: &[&str]) -> Args {
    Args::try_parse_from(["sfmint", "demo"].iter().chain(arguments)).unwrap()
}

#[test]
fn what_the_demo_says_is_what_the_org_counted() {
    let args = parsed(&["--json"]);
    let stage = Stage::set(None, &args.global).unwrap();
    let mut teller = Teller::new(&args.global);
    let end = block_on(async { story::tell(&stage, &mut teller).await }).unwrap();
    let folder = stage.places().config.parent().unwrap().parent().unwrap().to_path_buf();
    assert!(folder.exists());
    assert_eq!(stage.leave().unwrap(), None);
    assert!(!folder.exists(), "nothing is left behind");

    assert_eq!((end.token_posts, end.tokens), (3, 2), "one mint, one for the dead session, one refusal");
    // The versions, five pages, then five again with one call replayed; two syncs of six calls each.
    assert_eq!(end.api_requests, 24);
    let outcomes: Vec<MintOutcome> = end.mints.iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, [MintOutcome::Minted, MintOutcome::Minted, MintOutcome::Refused]);

    let document = teller.document(&end, None);
    let steps = document["steps"].as_array().unwrap();
    let facts = |title: &str| {
        let step = steps.iter().find(|step| step["title"].as_str().unwrap().contains(title)).unwrap();
        step["facts"].clone()
    };
    assert_eq!(facts("exchanged")["token_posts"], 1);
    assert_eq!(facts("thousand times")["token_posts"], 0);
    assert_eq!(facts("queried")["rows"], 1000);
    assert_eq!(facts("queried")["pages"], 5);
    let survived = facts("ends the session");
    assert_eq!((&survived["mints"], &survived["replays"]), (&1.into(), &1.into()));
    assert_eq!(survived["rows"], 1000);
    let refused = facts("frozen");
    assert_eq!(refused["causes"][0], "inactive_user: user is inactive");
    assert!(!refused["hints"].as_array().unwrap().is_empty());
}

#[test]
fn what_is_kept_works_with_the_same_org_started_again() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("kept");
    let args = parsed(&["--json", "--keep", folder.to_str().unwrap()]);
    let Command::Demo(verb) = &args.command else { panic!("not demo") };
    assert_eq!(super::run(verb, &args.global).unwrap(), Exit::Done);

    let settings = crate::config::Settings::load(folder.join("config/sfmint.toml")).unwrap();
    let connection = settings.connection("demo").unwrap();
    let listen = connection.login_url.as_str().trim_start_matches("http://").parse().unwrap();
    let certificate = std::fs::read_to_string(folder.join("config/certs/demo/current.crt")).unwrap();
    block_on(async {
        use crate::emulator::{DEMO_CONSUMER_KEY, Org, OrgConfig};
        let clock = std::sync::Arc::new(crate::token::SystemClock::new());
        let org = Org::start(OrgConfig::default(), clock, listen).await?;
        org.admin().set_certificate(DEMO_CONSUMER_KEY, Some(&certificate), 0).unwrap();
        let flags = ["--config", "config/sfmint.toml", "--state-dir", "state"];
        let flags: Vec<String> = flags
            .iter()
            .map(|flag| {
                if flag.starts_with("--") {
                    flag.to_string()
                } else {
                    folder.join(flag).display().to_string()
                }
            })
            .collect();
        let args = parsed(&flags.iter().map(String::as_str).collect::<Vec<_>>());
        let wire = crate::cli::wire::Wire::new(&args.global)?;
        let tokens = wire.tokens(wire.connection()?)?;
        assert!(tokens.kept(&Default::default()).is_none(), "no token of the org that is gone");
        tokens.token().await.unwrap();
        assert_eq!(org.admin().counters().minted(), 1);
        org.stop().await;
        Ok(())
    })
    .unwrap();

    let again = super::run(verb, &args.global).unwrap_err();
    assert!(again.to_string().contains("holds something already"), "{again}");
}

use super::*;

#[test]
fn check_says_what_will_not_work_and_what_looks_like_a_secret() {
    let config =
        prod_and("certificate = \"none.crt\"\n# old: 00D8d000000abcd!AQcAQH0dMHZfz972Szmpkb58urFRkgeBGsxL");
    let config = config.replace("{ file = \"certs/prod.key\" }", "{ env = \"NOT_SET\" }");
    let settings = House::new(&config).with("SFMINT_STATE_DIRR", "x").load().unwrap();
    let findings = settings.check();
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(
        codes,
        ["config.looks_secret", "config.variable_not_set", "config.file_missing", "config.unknown_variable"]
    );
    assert!(
        findings[0].says.ends_with("sfmint.toml:7: this looks like a Salesforce access token (not shown)"),
        "{findings:?}"
    );
    assert!(findings[3].says.ends_with("did you mean `SFMINT_STATE_DIR`?"), "{findings:?}");
}

#[test]
fn the_list_of_variables_never_holds_a_secret() {
    let environment = Environment::from_pairs([
        ("SFMINT_PRIVATE_KEY", "canary"),
        ("HTTPS_PROXY", "http://u:canary@p"),
        ("SFMINT_USERNAME", "a@b.example"),
    ]);
    let listed = crate::config::variables(&environment);
    assert!(!format!("{listed:?}").contains("canary"));
    let of = |name: &str| listed.iter().find(|variable| variable.name == name).unwrap();
    assert!(of("SFMINT_PRIVATE_KEY").is_set && !of("SFMINT_CLIENT_ID").is_set);
    assert_eq!(of("SFMINT_USERNAME").value.as_deref(), Some("a@b.example"));
}

#[test]
fn the_example_has_no_mistake() {
    let house = House::new(include_str!("../../../config/sfmint.example.toml"));
    let settings = house.load().unwrap();
    for name in settings.connection_names() {
        settings.connection(name.as_str()).unwrap();
    }
    let codes: Vec<&str> = settings.check().iter().map(|finding| finding.code).collect();
    assert!(codes.iter().all(|code| *code == "config.file_missing"), "{codes:?}");
}

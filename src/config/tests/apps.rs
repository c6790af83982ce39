use super::*;

#[test]
fn two_apps_are_two_credentials_and_a_file_says_which_is_active() {
    let config = r#"[connections.prod]
login_url = "https://acme.my.salesforce.com"
username = "integration@acme.example"
apps = [{ name = "a", client_id = "3MVG9a", key = { file = "a.key" } }, { name = "b", client_id = "3MVG9b", key = { file = "b.key" }, certificate = "b.crt" }]
"#;
    let house = House::new(config);
    let names = |connection: &Connection| {
        connection.credentials.iter().map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&house.prod()), ["a", "b"]);
    house.write("certs/prod/active", "b\n");
    assert_eq!(names(&house.prod()), ["b", "a"]);
    house.write("certs/prod/active", "c");
    let error = house.load().unwrap().connection("prod").unwrap_err();
    assert_eq!(error.code(), "config.active_app");
    assert!(
        error.to_string().ends_with("does not name an app of connection `prod`: accepted are `a` and `b`"),
        "{error}"
    );
    for (from, to, says) in [
        ("name = \"b\"", "name = \"a\"", "holds two apps called `a`"),
        ("3MVG9b", "3MVG9a", "two apps with one `client_id`"),
        ("name = \"b\", ", "", "this app lacks `name`"),
        ("name = \"b\"", "name = \"../b\"", "is no name for an app"),
        ("certificate", "crt", "the certificate is `certificate"),
        ("username", "client_id = \"x\"\nusername", "has `apps` and `client_id`"),
    ] {
        let found = mistakes(&config.replacen(from, to, 1));
        assert!(found.len() == 1 && found[0].contains(says), "{to} {found:?}");
    }
    let one = r#"apps = [{ name = "a", client_id = "3MVG9a", key = { file = "a.key" } }]"#;
    let found = mistakes(&format!("{}{one}\n", config.split("apps").next().unwrap()));
    assert!(found[0].contains("`apps` holds 1; accepted is a list of two"), "{found:?}");
}

#[test]
fn a_connection_of_one_app_does_not_inherit_two_nor_the_other_way_round() {
    let apps = r#"apps = [{ name = "a", client_id = "3MVG9a", key = { file = "a.key" } }, { name = "b", client_id = "3MVG9b", key = { file = "b.key" } }]"#;
    assert!(House::new(&format!("[defaults]\n{apps}\n{PROD}")).prod().credentials.standby().is_none());
    let user = "login_url = \"https://acme.my.salesforce.com\"\nusername = \"a@b.example\"\n";
    let config = format!(
        "[defaults]\nclient_id = \"3MVG9z\"\nkey = {{ file = \"z\" }}\n[connections.prod]\n{user}{apps}\n"
    );
    assert_eq!(House::new(&config).prod().credentials.standby().unwrap().name, "b");
}

#[test]
fn defaults_for_one_app_and_for_two_contradict_each_other() {
    let apps = r#"apps = [{ name = "a", client_id = "3MVG9a", key = { file = "a.key" } }, { name = "b", client_id = "3MVG9b", key = { file = "b.key" } }]"#;
    let found = mistakes(&format!("[defaults]\n{apps}\ncertificate = \"x.crt\"\n{PROD}"));
    assert_eq!(
        found,
        ["sfmint.toml:1:2: `[defaults]` has `apps` and `certificate`; with `apps`, each app has its own"]
    );
}

//! The room as its users meet it: files and variables in, connections or mistakes out.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::base::{Connection, Explain, Fault, SecretSource, TokenCacheKind};

use super::locations::{FoundBy, Roots};
use super::{ConfigError, Environment, Flags, Settings, StoreLocation, keys};

const PROD: &str = r#"[connections.prod]
login_url = "https://acme.my.salesforce.com"
client_id = "3MVG9abc"
username = "integration@acme.example"
key = { file = "certs/prod.key" }
"#;

/// A folder with a config file in it, and an environment that names a state directory there.
struct House {
    dir: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl House {
    fn new(config: &str) -> Self {
        let house = Self::empty();
        house.write("sfmint.toml", config);
        house
    }

    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state").display().to_string();
        Self { dir, environment: vec![("SFMINT_STATE_DIR".into(), state)] }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o644);
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn environment(&self) -> Environment {
        Environment::from_pairs(self.environment.clone())
    }

    /// Loads `sfmint.toml` as if `--config` named it.
    fn load(&self) -> Result<Settings, ConfigError> {
        let flags = Flags { config: Some(self.path("sfmint.toml")), ..Flags::default() };
        Settings::from_layers(flags, &self.environment())
    }

    /// Loads what is found from here, where `/etc` is the folder `etc`.
    fn search(&self) -> Result<Settings, ConfigError> {
        let roots = Roots { current: self.path(""), system: self.path("etc") };
        Settings::from_roots(Flags::default(), &self.environment(), &roots)
    }

    fn prod(&self) -> Connection {
        self.load().unwrap().connection("prod").unwrap()
    }
}

fn set_mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// The mistakes of a config text, each without its path.
fn mistakes(config: &str) -> Vec<String> {
    mistakes_in(&House::new(config))
}

fn mistakes_in(house: &House) -> Vec<String> {
    let error = house.load().expect_err("should be refused");
    assert_eq!((error.code(), error.fault()), ("config.invalid", Fault::Misuse));
    let folder = format!("{}/", house.dir.path().display());
    error.mistakes().iter().map(|mistake| mistake.to_string().replace(&folder, "")).collect()
}

/// `PROD` with a line more.
fn prod_and(line: &str) -> String {
    format!("{PROD}{line}\n")
}

#[test]
fn a_connection_has_what_its_table_says_and_usual_values_elsewhere() {
    let house = House::new(PROD);
    let connection = house.prod();
    assert_eq!(connection.audience.as_str(), "https://acme.my.salesforce.com");
    let credential = connection.credentials.active();
    assert_eq!((credential.name.as_str(), credential.client_id.as_str()), ("main", "3MVG9abc"));
    let SecretSource::File(key) = &credential.key.pem else { panic!("{:?}", credential.key) };
    assert_eq!(*key, house.path("certs/prod.key"), "relative to the config file");
    assert_eq!(connection.policy.refresh_buffer.as_secs(), 300);
    assert_eq!(connection.policy.mint_attempts, 3);
    assert_eq!(connection.state_dir, Some(house.path("state")));
}

#[test]
fn the_nearer_layer_wins() {
    let config = format!(
        "[defaults]\nrefresh_buffer_seconds = 60\nmint_attempts = 5\n{}",
        prod_and("refresh_buffer_seconds = 30")
    );
    let policy = House::new(&config).prod().policy;
    assert_eq!((policy.refresh_buffer.as_secs(), policy.mint_attempts), (30, 5));
}

#[test]
fn every_key_of_the_table_is_taken_and_shown_with_its_line() {
    let said = r#"[connections.prod]
login_url = "https://acme.my.salesforce.com"
audience = "https://login.salesforce.com"
client_id = "3MVG9abc"
username = "integration@acme.example"
key = { env = "KEY" }
certificate = "certs/prod.crt"
auth = "jwt"
api_version = "66.0"
session_timeout_seconds = 900
refresh_buffer_seconds = 60
mint_attempts = 2
mint_budget_per_hour = 100
token_cache = "memory"
instance_hosts = [".acme.example"]
ca_file = "ca.pem"
proxy = "http://proxy.example:3128"

[connections.two]
login_url = "https://acme.my.salesforce.com"
username = "integration@acme.example"
apps = [{ name = "a", client_id = "3MVG9a", key = { file = "a.key" } }, { name = "b", client_id = "3MVG9b", key = { file = "b.key" } }]

[defaults]
store = { sqlite = "facts.db" }
keep_history_days = 30
"#;
    let house = House::new(said);
    let settings = house.load().unwrap();
    let shown = settings.show();
    let names = keys::CONNECTION.iter().map(|key| key.name).chain(keys::GENERAL.iter().map(|key| key.name));
    for name in names {
        let line = 1 + said.lines().position(|line| line.starts_with(&format!("{name} ="))).expect(name);
        let column = said.lines().nth(line - 1).unwrap().find("= ").unwrap() + 3;
        let origin = format!("{}:{line}:{column}", house.path("sfmint.toml").display());
        assert!(
            shown.iter().any(|one| one.key == name && one.origin.to_string() == origin),
            "{name} {origin}\n{shown:#?}"
        );
    }
    let connection = settings.connection("prod").unwrap();
    assert_eq!(connection.audience.as_str(), "https://login.salesforce.com");
    assert_eq!(connection.api_version.unwrap().to_string(), "66.0");
    assert_eq!(connection.policy.session_timeout.unwrap().as_secs(), 900);
    assert_eq!(connection.policy.mint_budget_per_hour, 100);
    assert_eq!(connection.policy.cache, TokenCacheKind::Memory);
    assert_eq!(connection.instance_hosts.entries(), [".acme.example"]);
    assert_eq!(connection.network.ca_file, Some(house.path("ca.pem")));
    assert_eq!(connection.network.proxy.unwrap().expose(), "http://proxy.example:3128");
    assert_eq!(connection.credentials.active().certificate, Some(house.path("certs/prod.crt")));
    assert_eq!(settings.keep_history_days(), 30);
    assert_eq!(settings.store(), StoreLocation::Sqlite(house.path("state/facts.db")));
}

#[test]
fn the_defaults_in_the_table_are_the_ones_in_force() {
    let house = House::new(PROD);
    let policy = house.prod().policy;
    let said = |name: &str| keys::CONNECTION.iter().find(|key| key.name == name).unwrap().default;
    assert_eq!(said("refresh_buffer_seconds"), policy.refresh_buffer.as_secs().to_string());
    assert_eq!(said("mint_attempts"), policy.mint_attempts.to_string());
    assert_eq!(said("mint_budget_per_hour"), policy.mint_budget_per_hour.to_string());
    assert_eq!((said("token_cache"), policy.cache), ("\"file\"", TokenCacheKind::File));
    let settings = house.load().unwrap();
    assert_eq!(settings.keep_history_days(), 400);
    assert_eq!(settings.store(), StoreLocation::Sqlite(house.path("state/state.db")));
}

#[test]
fn each_mistake_says_where_what_and_what_is_accepted() {
    for (line, expected) in [
        (
            "refresh_bufer_seconds = 1",
            "6:1: unknown key `refresh_bufer_seconds`; did you mean `refresh_buffer_seconds`?",
        ),
        (
            "refresh_buffer_seconds = \"300\"",
            "6:26: `refresh_buffer_seconds` is a number in quotes; accepted is a whole number from 1 to 86400, without quotes",
        ),
        (
            "refresh_buffer_seconds = 0",
            "6:26: `refresh_buffer_seconds` is 0; accepted is a whole number from 1 to 86400",
        ),
        (
            "refresh_buffer_seconds = -5",
            "6:26: `refresh_buffer_seconds` is -5; accepted is a whole number from 1 to 86400",
        ),
        (
            "refresh_buffer_seconds = 99999999999999999999999999999999999999999999",
            "6:26: `refresh_buffer_seconds` is 999999999999999999999999…; accepted is a whole number from 1 to 86400",
        ),
        (
            "refresh_buffer_seconds = 1.5",
            "6:26: `refresh_buffer_seconds` is a number with a point; accepted is a whole number from 1 to 86400",
        ),
        (
            "mint_attempts = true",
            "6:17: `mint_attempts` is true or false; accepted is a whole number from 1 to 10",
        ),
        ("mint_attempts = 11", "6:17: `mint_attempts` is 11; accepted is a whole number from 1 to 10"),
        (
            "token_cache = \"flie\"",
            "6:15: `token_cache` is `flie`; accepted is \"file\" or \"memory\"; did you mean `file`?",
        ),
        (
            "api_version = 67.0",
            "6:15: `api_version` is a number with a point; accepted is a version in quotes such as \"67.0\"",
        ),
        ("api_version = \"67\"", "6:15: `api_version` is refused: `67` is not an API version such as 67.0"),
        (
            "audience = \"http://login.salesforce.com\"",
            "6:12: `audience` is refused: audience http://login.salesforce.com is not https",
        ),
        (
            "instance_hosts = []",
            "6:18: `instance_hosts` is an empty list; accepted is a list of hosts (\"api.example.com\") and suffixes (\".example.com\")",
        ),
        (
            "certificate = \"~/prod.crt\"",
            "6:15: `certificate` starts with `~`, which is a shell's word; write the whole path",
        ),
        ("certificate = \"\"", "6:15: `certificate` is an empty path"),
        (
            "ca_file = acme.pem",
            "6:11: text must stand in quotes, \"like this\"; numbers are whole and plain, like 300",
        ),
        ("username = \"b@acme.example\"", "6:1: `username` stands twice"),
        (
            "consumer_key = \"x\"",
            "6:1: unknown key `consumer_key` in `[connections.prod]`; the consumer key is `client_id`",
        ),
        (
            "client_secret = \"x\"",
            "6:1: unknown key `client_secret` in `[connections.prod]`; nothing of the kind is needed, the key signs: remove it, and change it if this file was shared",
        ),
        (
            "auth = \"refresh_token\"",
            "6:8: `auth` = \"refresh_token\" is not supported by this version of sfmint",
        ),
        (
            "proxy = \"socks5://p:1\"",
            "6:9: `proxy` is not an http or https address such as \"http://proxy.example:3128\"",
        ),
        (
            "colour = 1",
            "6:1: unknown key `colour` in `[connections.prod]`, which takes login_url, audience, client_id, username, key, certificate, apps, auth, api_version, session_timeout_seconds, refresh_buffer_seconds, mint_attempts, mint_budget_per_hour, token_cache, instance_hosts, ca_file, proxy",
        ),
        (
            "[jobs.accounts]",
            "6:2: `jobs` is not supported by this version of sfmint (0.1.0); jobs come in a later one",
        ),
        ("[connection.x]", "6:2: unknown key `connection`; did you mean `connections`?"),
        (
            "[staging]\nlogin_url = \"x\"",
            "6:2: unknown table `[staging]`; did you mean `[connections.staging]`?",
        ),
        (
            "[defaults]\nschedule = \"@daily\"",
            "7:1: `schedule` is not supported by this version of sfmint (0.1.0); jobs come in a later one",
        ),
        (
            "[defaults]\nstore = { postgres = { env = \"X\" } }",
            "7:11: `postgres` is not supported by this version of sfmint (0.1.0)",
        ),
        (
            "[defaults]\nkeep_history_days = 0",
            "7:21: `keep_history_days` is 0; accepted is a whole number from 1 to 36500",
        ),
    ] {
        assert_eq!(mistakes(&prod_and(line)), [format!("sfmint.toml:{expected}")], "{line}");
    }
}

#[test]
fn keys_of_later_versions_are_refused_by_name_and_nothing_else_is_missed() {
    for key in ["broker", "broker_key", "allow_refresh_token", "admin_connection"] {
        let config =
            format!("[connections.prod]\nlogin_url = \"https://acme.my.salesforce.com\"\n{key} = \"x\"\n");
        let expected = format!("sfmint.toml:3:1: `{key}` is not supported by this version of sfmint (0.1.0)");
        assert_eq!(mistakes(&config), [expected]);
    }
    for kind in ["pkcs12", "jks", "signer", "pkcs11", "kms"] {
        let config = PROD.replace("file =", &format!("{kind} ="));
        assert_eq!(
            mistakes(&config),
            [format!("sfmint.toml:5:9: `{kind}` is not supported by this version of sfmint (0.1.0)")]
        );
    }
}

#[test]
fn all_mistakes_come_at_once_in_order_also_beside_broken_lines() {
    let found = mistakes(
        "[defaults]\nmint_attempts = 0\n[connections.a]\nlogin_url = https://a.example\nusername = 5\nbogus = 1\n[connections.'b c']\n",
    );
    let places: Vec<&str> = found.iter().map(|mistake| mistake.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        ["sfmint.toml:2:17", "sfmint.toml:4:13", "sfmint.toml:5:12", "sfmint.toml:6:1", "sfmint.toml:7:14"]
    );
}

#[test]
fn what_is_missing_is_told_at_the_tables_head() {
    assert_eq!(
        mistakes("[connections.prod]\nusername = \"a@b.example\"\n"),
        ["login_url", "client_id", "key"]
            .map(|key| format!("sfmint.toml:1:14: connection `prod` lacks `{key}`"))
    );
}

#[test]
fn a_file_with_fifty_thousand_mistakes_is_told_in_a_page() {
    let house = House::new(&"x y\n".repeat(50_000));
    let shown = house.load().unwrap_err().to_string();
    assert!(shown.lines().count() < 60 && shown.contains("50000 mistakes"), "{}", shown.lines().count());
}

#[test]
fn a_secret_is_a_reference_and_its_text_is_never_shown() {
    let canary = "canary-5f2e";
    for line in [
        "key = \"CANARY\"",
        "key = { file = \"a\", passphrase = \"CANARY\" }",
        "key = { text = \"CANARY\" }",
        "key = { pem = \"CANARY\", file = \"x\" }",
        "key = { env = \"-----CANARY\" }",
        "key = [\"CANARY\"]",
        "key = CANARY",
        "key = \"CANARY\nsecond",
        "key = \"\"\"-----BEGIN PRIVATE KEY-----\nCANARY\n-----END\"\"\"",
        "passphrase = \"CANARY\"",
        "client_secret = \"CANARY\"",
        "proxy = \"http://user:CANARY@proxy.example\"",
        "certificate = \"-----BEGIN PRIVATE KEY----- CANARY\"",
        "audience = \"https://user:CANARY@acme.my.salesforce.com\"",
        "-----BEGIN CANARY-----",
        "CANARY",
        "CANARY = CANARY CANARY",
        "'CANARY",
    ] {
        let config = PROD.replace("key = { file = \"certs/prod.key\" }", &line.replace("CANARY", canary));
        let house = House::new(&config);
        let error = house.load().unwrap_err();
        let told = format!("{error} {error:?} {:?}", error.hints());
        // A bare word in a key's place is a key, and keys are named.
        let named = line.starts_with("CANARY = ");
        assert!(named || !told.contains(canary), "{line}\n{told}");
    }
}

#[test]
fn a_plain_key_is_refused_with_what_to_write() {
    let config = PROD.replace("{ file = \"certs/prod.key\" }", "\"certs/prod.key\"");
    assert_eq!(
        mistakes(&config),
        [
            "sfmint.toml:5:7: `key` is plain text (not shown), and secrets do not stand in this file; for a file write { file = \"path\" }; accepted is { file = \"path\" }, { env = \"NAME\" } or { command = [\"prog\", \"arg\"] }, with `passphrase` where it needs one"
        ]
    );
}

#[test]
fn secrets_come_from_a_variable_a_file_or_a_command() {
    let with =
        |key: &str| House::new(&PROD.replace("{ file = \"certs/prod.key\" }", key)).with("KEY", "pem-text");
    let source = |house: &House| house.prod().credentials.active().key.clone();
    let key = source(&with("{ env = \"KEY\", passphrase = { env = \"NOT_SET\" } }"));
    let SecretSource::Env { value: Some(value), .. } = &key.pem else { panic!("{key:?}") };
    assert_eq!(value.expose(), "pem-text");
    assert!(matches!(&key.passphrase, Some(SecretSource::Env { name, value: None }) if name == "NOT_SET"));
    let house = with("{ command = [\"./fetch key\", \"$x\"] }");
    let SecretSource::Command(argv) = source(&house).pem else { panic!() };
    assert_eq!(argv, [house.path("./fetch key").display().to_string(), "$x".into()]);
    let SecretSource::Command(argv) = source(&with("{ command = [\"vault\", \"read\"] }")).pem else {
        panic!()
    };
    assert_eq!(argv, ["vault", "read"]);
    for (key, says) in [
        ("{}", "says nowhere where the secret is"),
        ("{ passphrase = { env = \"X\" } }", "says nowhere where the secret is"),
        ("{ env = \"KEY\", file = \"x\" }", "says more than once"),
        ("{ command = [] }", "is an empty list"),
        ("{ command = \"vault read\" }", "is text"),
        ("{ command = [\"\"] }", "names no program"),
        ("{ env = 5 }", "is a whole number"),
        ("{ fiel = \"x\" }", "unknown key `fiel`; did you mean `file`?"),
    ] {
        let found = mistakes_in(&with(key));
        assert!(found.len() == 1 && found[0].contains(says), "{key} {found:?}");
    }
}

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
fn the_connection_meant_is_the_named_the_default_or_the_only_one() {
    let other = PROD.replace("prod", "staging");
    let settings = House::new(&format!("{PROD}{other}")).load().unwrap();
    assert_eq!(settings.connection("staging").unwrap().name.as_str(), "staging");
    assert_eq!(
        settings.connection_names().map(|name| name.as_str()).collect::<Vec<_>>(),
        ["prod", "staging"]
    );
    let error = settings.connection("stagin").unwrap_err();
    assert_eq!(error.to_string(), "no connection is called `stagin`; did you mean `staging`?");
    assert_eq!(error.hints()[0].as_str(), "there are: `prod`, `staging`");
    assert_eq!(settings.connection(None).unwrap_err().code(), "config.which_connection");
    assert_eq!(House::new(PROD).load().unwrap().connection(None).unwrap().name.as_str(), "prod");
    let default = PROD.replace("prod", "default");
    let settings = House::new(&format!("{PROD}{default}")).load().unwrap();
    assert_eq!(settings.connection(None).unwrap().name.as_str(), "default");
    let error = House::new("").load().unwrap().connection(None).unwrap_err();
    assert_eq!(error.code(), "config.no_connection");
}

#[test]
fn files_of_connections_d_are_read_in_order_and_hold_connections_only() {
    let house = House::new(PROD);
    house.write("connections.d/b.toml", &PROD.replace("prod", "b"));
    house.write("connections.d/a.toml", &PROD.replace("prod", "a"));
    house.write("connections.d/notes.txt", "not TOML");
    house.write("connections.d/.hidden.toml", "not TOML");
    let settings = house.load().unwrap();
    assert_eq!(settings.connection_names().map(|name| name.as_str()).collect::<Vec<_>>(), ["a", "b", "prod"]);
    let SecretSource::File(key) = settings.connection("a").unwrap().credentials.active().key.pem.clone()
    else {
        panic!()
    };
    assert_eq!(key, house.path("connections.d/certs/a.key"), "relative to the file it stands in");

    house.write("connections.d/c.toml", PROD);
    house.write("connections.d/d.toml", "[defaults]\nmint_attempts = 1\n");
    let found = mistakes_in(&house);
    assert_eq!(found[0], "connections.d/c.toml:1:14: connection `prod` stands at sfmint.toml:1:14 already");
    assert!(
        found[1].starts_with("connections.d/d.toml:1:2: `[defaults]` belongs in sfmint.toml"),
        "{found:?}"
    );
}

#[test]
fn jobs_d_is_left_alone_and_said() {
    let house = House::new(PROD);
    house.write("jobs.d/accounts.toml", "anything");
    let settings = house.load().unwrap();
    assert_eq!(settings.warnings()[0].code, "config.jobs_later");
}

#[test]
fn the_search_ends_at_the_first_file_that_is_there() {
    let house = House::empty().with("XDG_CONFIG_HOME", "/nonexistent");
    house.write("etc/sfmint/sfmint.toml", &PROD.replace("prod", "system"));
    let name = |house: &House| house.search().unwrap().connection(None).unwrap().name.to_string();
    assert_eq!(name(&house), "system");
    house.write("xdg/sfmint/sfmint.toml", &PROD.replace("prod", "user"));
    let xdg = house.path("xdg").display().to_string();
    let house = house.with("XDG_CONFIG_HOME", &xdg);
    assert_eq!(name(&house), "user");
    house.write("config/sfmint.toml", &PROD.replace("prod", "here"));
    assert_eq!(name(&house), "here");
    let named = house.path("etc/sfmint/sfmint.toml").display().to_string();
    assert_eq!(name(&house.with("SFMINT_CONFIG", &named)), "system");
}

#[test]
fn no_file_at_all_is_told_when_a_connection_is_wanted() {
    let house = House::empty().with("HOME", "/nonexistent");
    let settings = house.search().unwrap();
    let error = settings.connection("prod").unwrap_err();
    assert_eq!(error.code(), "config.no_connection");
    let hints = format!("{:?}", error.hints());
    assert!(hints.contains("config/sfmint.toml, /nonexistent/.config/sfmint/sfmint.toml"), "{hints}");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let house = House::empty();
    let error = house.load().unwrap_err();
    assert_eq!(error.code(), "config.not_found");
    assert!(error.to_string().ends_with("it was named by flag --config"), "{error}");
    let house = house.with("SFMINT_CONFIG", "/nonexistent.toml");
    let error = house.search().unwrap_err();
    assert!(error.to_string().ends_with("it was named by environment variable SFMINT_CONFIG"), "{error}");
}

#[test]
fn a_command_is_not_run_for_a_file_that_merely_lay_here() {
    let house = House::empty();
    house.write(
        "config/sfmint.toml",
        &format!(
            "{}{}",
            PROD.replace("{ file = \"certs/prod.key\" }", "{ command = [\"evil\"] }"),
            PROD.replace("prod", "plain")
        ),
    );
    let settings = house.search().unwrap();
    assert_eq!(settings.found_by, FoundBy::CurrentDirectory);
    assert!(settings.connection("plain").is_ok());
    let error = settings.connection("prod").unwrap_err();
    assert_eq!(error.code(), "config.command_refused");
    assert!(settings.check().iter().any(|finding| finding.code == "config.command_refused"));
    let named = house.path("config/sfmint.toml").display().to_string();
    assert!(house.with("SFMINT_CONFIG", &named).search().unwrap().connection("prod").is_ok());
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_write_is_refused() {
    for (name, mode) in [("sfmint.toml", 0o646), ("sfmint.toml", 0o666), ("connections.d/a.toml", 0o646)] {
        let house = House::new(PROD);
        house.write(name, &PROD.replace("prod", "a"));
        set_mode(&house.path(name), mode);
        let error = house.load().unwrap_err();
        assert_eq!(error.code(), "config.writable_by_others");
        assert!(error.hints()[0].as_str().starts_with("run `chmod go-w "), "{:?}", error.hints());
    }
}

// faults F12
#[cfg(unix)]
#[test]
fn links_are_followed_when_named_and_distrusted_when_found() {
    use std::os::unix::fs::{lchown, symlink};
    let house = House::empty();
    house.write("real.toml", PROD);
    symlink("real.toml", house.path("sfmint.toml")).unwrap();
    assert!(house.load().is_ok());
    fs::create_dir(house.path("config")).unwrap();
    symlink("../real.toml", house.path("config/sfmint.toml")).unwrap();
    assert!(house.search().is_ok());
    // Only root can give a link away; for others the rule is tested in `file.rs` by numbers.
    if rustix::process::geteuid().is_root() {
        lchown(house.path("config/sfmint.toml"), Some(12345), None).unwrap();
        assert_eq!(house.search().unwrap_err().code(), "config.not_yours");
        lchown(house.path("config/sfmint.toml"), Some(0), None).unwrap();
        std::os::unix::fs::chown(house.path("real.toml"), Some(12345), None).unwrap();
        assert_eq!(house.search().unwrap_err().code(), "config.not_yours");
        assert!(house.load().is_ok(), "a file that is named may be somebody else's");
    }
    fs::remove_file(house.path("real.toml")).unwrap();
    assert_eq!(house.load().unwrap_err().code(), "config.dangling_link");
    assert_eq!(house.search().unwrap_err().code(), "config.dangling_link");
}

#[cfg(unix)]
#[test]
fn a_connection_laid_into_a_shared_folder_by_somebody_else_is_refused() {
    let house = House::new(PROD);
    house.write("connections.d/a.toml", &PROD.replace("prod", "a"));
    set_mode(&house.path("connections.d"), 0o777);
    assert!(house.load().is_ok(), "Kubernetes mounts volumes so; the file is ours");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(house.path("connections.d/a.toml"), Some(12345), None).unwrap();
        assert_eq!(house.load().unwrap_err().code(), "config.not_yours");
    }
}

#[test]
fn what_is_no_config_file_is_called_by_its_name() {
    let house = House::empty();
    fs::create_dir(house.path("sfmint.toml")).unwrap();
    assert!(house.load().unwrap_err().to_string().ends_with("is a folder, not a file"));
    fs::remove_dir(house.path("sfmint.toml")).unwrap();

    fs::write(house.path("sfmint.toml"), b"a = 1\nb = '\xff'\n").unwrap();
    assert!(house.load().unwrap_err().to_string().ends_with("is not UTF-8 text (line 2)"));
    fs::write(house.path("sfmint.toml"), b"\xff\xfea\0=\01\0").unwrap();
    assert!(house.load().unwrap_err().hints()[0].as_str().contains("UTF-16"));

    let file = fs::File::create(house.path("sfmint.toml")).unwrap();
    file.set_len(1 << 30).unwrap();
    assert_eq!(house.load().unwrap_err().code(), "config.too_large");

    house.write("sfmint.toml", &format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000)));
    assert!(mistakes_in(&house)[0].contains("nest too deeply"));
    house.write("sfmint.toml", &format!("\u{feff}{PROD}").replace('\n', "\r\n"));
    assert!(house.load().is_ok(), "a BOM and CRLF are what editors on Windows write");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let house = House::empty();
    let path = house.path("sfmint.toml");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert_eq!(house.load().unwrap_err().code(), "config.not_a_file");
}

#[test]
fn a_connection_comes_wholly_from_the_environment() {
    let house = House::empty()
        .with("SFMINT_LOGIN_URL", "https://acme.my.salesforce.com")
        .with("SFMINT_CLIENT_ID", "3MVG9abc")
        .with("SFMINT_USERNAME", "integration@acme.example")
        .with("SFMINT_PRIVATE_KEY", "canary-key")
        .with("SFMINT_PRIVATE_KEY_PASSPHRASE_FILE", "/run/secrets/passphrase");
    let connection = Connection::from_environment(&house.environment()).unwrap();
    assert_eq!(connection.name.as_str(), "default");
    let key = &connection.credentials.active().key;
    let SecretSource::Env { name, value: Some(value) } = &key.pem else { panic!("{key:?}") };
    assert_eq!((name.as_str(), value.expose().as_str()), ("SFMINT_PRIVATE_KEY", "canary-key"));
    assert!(
        matches!(&key.passphrase, Some(SecretSource::File(path)) if path == Path::new("/run/secrets/passphrase"))
    );
    assert!(!format!("{connection:?}").contains("canary"));

    house.write("config/sfmint.toml", &format!("[defaults]\nmint_attempts = 7\n{PROD}"));
    let settings = house.search().unwrap();
    assert!(!format!("{settings:?} {:?}", settings.show()).contains("canary"));
    let connection = settings.connection(None).unwrap();
    assert_eq!((connection.name.as_str(), connection.policy.mint_attempts), ("default", 7));
    let shown = settings.show();
    let line =
        shown.iter().find(|one| one.section == "connections.default" && one.key == "username").unwrap();
    assert_eq!(line.origin.to_string(), "environment variable SFMINT_USERNAME");

    house.write("config/sfmint.toml", &PROD.replace("prod", "default"));
    let error = house.search().unwrap_err();
    assert!(
        error.to_string().contains("makes a connection called `default`, and there is one at"),
        "{error}"
    );
}

#[test]
fn a_part_of_a_connection_in_the_environment_names_each_variable_that_is_missing() {
    let house = House::empty()
        .with("SFMINT_AUDIENCE", "https://login.salesforce.com")
        .with("SFMINT_USERNAME", "")
        .with("SFMINT_CLIENTID", "x");
    let error = Connection::from_environment(&house.environment()).unwrap_err();
    let told: Vec<String> = error.mistakes().iter().map(|mistake| mistake.to_string()).collect();
    let why = "while SFMINT_AUDIENCE is; a connection from the environment needs it";
    assert_eq!(
        told,
        [
            format!("environment variable SFMINT_LOGIN_URL: is not set, {why}"),
            format!(
                "environment variable SFMINT_CLIENT_ID: is not set, {why}; SFMINT_CLIENTID is, did you mean that one?"
            ),
            format!("environment variable SFMINT_USERNAME: is set, and empty, {why}"),
            format!(
                "environment variable SFMINT_PRIVATE_KEY: is not set (nor is SFMINT_PRIVATE_KEY_FILE), {why}"
            ),
        ]
    );
    let none = Connection::from_environment(&House::empty().environment()).unwrap_err();
    assert_eq!(none.code(), "config.no_connection");
}

#[test]
fn what_the_environment_says_twice_or_wrongly_is_refused() {
    let whole = || {
        House::empty()
            .with("SFMINT_LOGIN_URL", "https://acme.my.salesforce.com")
            .with("SFMINT_CLIENT_ID", "3MVG9abc")
            .with("SFMINT_USERNAME", "integration@acme.example")
            .with("SFMINT_PRIVATE_KEY_FILE", "key.pem")
    };
    let connection = Connection::from_environment(&whole().environment()).unwrap();
    assert!(
        matches!(&connection.credentials.active().key.pem, SecretSource::File(path) if path.is_absolute())
    );
    for (name, value, says) in [
        ("SFMINT_PRIVATE_KEY", "x", "is set, and SFMINT_PRIVATE_KEY_FILE is too; set one of them"),
        ("SFMINT_LOGIN_URL", "https://u:canary@acme.my.salesforce.com", "looks like a secret (not shown)"),
        ("SFMINT_LOGIN_URL", "acme.my.salesforce.com", "did you mean https://acme.my.salesforce.com?"),
        ("SFMINT_USERNAME", "integration", "is refused: username `integration` does not look like"),
    ] {
        let error =
            Connection::from_environment(&whole().with(name, value).environment()).unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("canary"), "{error}");
    }
}

#[test]
fn a_variable_that_the_file_refers_to_does_not_ask_for_a_connection_of_its_own() {
    let config = PROD.replace("{ file = \"certs/prod.key\" }", "{ env = \"SFMINT_PRIVATE_KEY\" }");
    let settings = House::new(&config).with("SFMINT_PRIVATE_KEY", "pem").load().unwrap();
    assert_eq!(settings.connection_names().count(), 1);
}

#[test]
fn a_state_directory_is_made_for_us_alone_or_done_without() {
    let house = House::new(PROD);
    let settings = house.load().unwrap();
    assert_eq!(settings.state_dir(), Some(house.path("state").as_path()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(house.path("state")).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let house = House::new(PROD);
    house.write("state", "a file");
    let settings = house.load().unwrap();
    assert_eq!((settings.state_dir(), settings.store()), (None, StoreLocation::Memory));
    assert_eq!(settings.warnings().len(), 1);
    assert!(
        settings.warnings()[0].says.ends_with("is not a folder; tokens and history are kept in memory only")
    );
    assert_eq!(settings.connection("prod").unwrap().state_dir, None);
    let mut house = House::new(PROD);
    house.environment.clear();
    assert!(
        house.load().unwrap().warnings()[0].says.starts_with("there is no state directory: HOME is not set")
    );
}

#[cfg(unix)]
#[test]
fn a_state_directory_of_somebody_else_is_not_used() {
    let house = House::new(PROD);
    fs::create_dir(house.path("state")).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(house.path("state"), Some(12345), None).unwrap();
        assert!(house.load().unwrap().warnings()[0].says.contains("belongs to user id 12345"));
    } else {
        set_mode(&house.path("state"), 0o777);
        assert!(house.load().unwrap().warnings()[0].says.contains("can be written by others"));
    }
}

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
    let listed = super::variables(&environment);
    assert!(!format!("{listed:?}").contains("canary"));
    let of = |name: &str| listed.iter().find(|variable| variable.name == name).unwrap();
    assert!(of("SFMINT_PRIVATE_KEY").is_set && !of("SFMINT_CLIENT_ID").is_set);
    assert_eq!(of("SFMINT_USERNAME").value.as_deref(), Some("a@b.example"));
}

#[test]
fn the_example_has_no_mistake() {
    let house = House::new(include_str!("../../config/sfmint.example.toml"));
    let settings = house.load().unwrap();
    for name in settings.connection_names() {
        settings.connection(name.as_str()).unwrap();
    }
    let codes: Vec<&str> = settings.check().iter().map(|finding| finding.code).collect();
    assert!(codes.iter().all(|code| *code == "config.file_missing"), "{codes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        let _ = House::new(&text).load();
    }

    #[test]
    fn no_toml_makes_it_panic(
        lines in proptest::collection::vec(
            (0..keys::CONNECTION.len(), prop_oneof![
                Just("1"), Just("-1"), Just("\"x\""), Just("[]"), Just("{}"), Just("[[{}]]"), Just("{ env = \"K\" }"),
                Just("1979-05-27"), Just("inf"), Just("[{}, {}]"), Just("\"\""), Just("{ file = {} }"), Just("é"),
            ]), 0..12)
    ) {
        let mut text = String::from("[connections.x]\n");
        for (key, value) in lines {
            text.push_str(&format!("{} = {value}\n", keys::CONNECTION[key].name));
        }
        let _ = House::new(&text).load();
    }

    #[test]
    fn a_secret_in_a_secrets_place_never_comes_back(secret in "[A-Za-z0-9+/=!#%_.@: -]{12,80}", place in 0..5usize) {
        let canary = format!("Zq{secret}qZ");
        let line = [
            format!("key = \"{canary}\""),
            format!("key = {{ file = \"f\", passphrase = \"{canary}\" }}"),
            format!("key = {{ env = \"a{canary}#\" }}"),
            format!("key = \"{canary}"),
            format!("client_secret = '{canary}'"),
        ];
        let config = PROD.replace("key = { file = \"certs/prod.key\" }", &line[place]);
        let error = House::new(&config).load().unwrap_err();
        let told = format!("{error} {error:?}");
        prop_assert!(!told.contains(&canary));
    }
}

/// Compares a committed file with what the code makes, and says how to make it anew.
fn assert_current(name: &str, made: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if fs::read_to_string(root.join(name)).unwrap_or_default() != made {
        let fresh = root.join("target/generated").join(name);
        fs::create_dir_all(fresh.parent().unwrap()).unwrap();
        fs::write(&fresh, made).unwrap();
        panic!("{name} is not current; run: cp -r target/generated/. .");
    }
}

#[test]
fn the_committed_schema_is_current() {
    assert_current("config/sfmint.schema.json", &format!("{:#}\n", super::schema()));
}

#[test]
fn the_committed_reference_pages_are_current() {
    assert_current("docs/reference/config.md", &super::reference());
    assert_current("docs/reference/environment.md", &super::environment_reference());
}

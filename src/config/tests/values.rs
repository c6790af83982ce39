use super::*;
use crate::base::{SecretSource, TokenCacheKind};
use crate::config::{StoreLocation, keys};

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
fn the_contracts_own_example_is_taken() {
    let house = House::new(
        r#"[defaults]                                             # any connection or job key, for all
store = { sqlite = "state.db" }                        # or { postgres = { env = "DATABASE_URL" } }
keep_history_days = 400

[connections.prod]
login_url   = "https://acme.my.salesforce.com"
# audience  = "https://login.salesforce.com"           # default: login_url
client_id   = "3MVG9..."
username    = "integration@acme.example"
key         = { file = "certs/prod/current.key" }       # see below
certificate = "certs/prod/current.crt"
"#,
    );
    assert_eq!(house.prod().credentials.active().client_id.as_str(), "3MVG9...");
    assert_eq!(house.load().unwrap().store(), StoreLocation::Sqlite(house.path("state/state.db")));
}

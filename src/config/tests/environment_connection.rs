use super::*;
use crate::base::SecretSource;

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

    house.write("etc/sfmint/sfmint.toml", &format!("[defaults]\nmint_attempts = 7\n{PROD}"));
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

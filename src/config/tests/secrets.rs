use super::*;
use crate::base::SecretSource;

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
    assert_eq!(argv, [house.path("fetch key").display().to_string(), "$x".into()]);
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

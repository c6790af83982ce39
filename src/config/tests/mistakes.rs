use super::*;

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
        ("[connection.x]", "6:2: unknown key `connection`; did you mean `connections`?"),
        (
            "[staging]\nlogin_url = \"x\"",
            "6:2: unknown table `[staging]`; did you mean `[connections.staging]`?",
        ),
        (
            "[defaults]\nhosts = [\"a.example\"]",
            "7:1: `hosts` is not supported by this version of sfmint (0.1.0)",
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

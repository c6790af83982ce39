use super::*;
use crate::base::SecretSource;

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

#[cfg(unix)]
#[test]
fn a_home_of_somebody_else_is_passed_by_and_said() {
    let house = House::empty();
    house.write("home/.config/sfmint/sfmint.toml", &PROD.replace("prod", "home"));
    house.write("etc/sfmint/sfmint.toml", &PROD.replace("prod", "system"));
    set_mode(&house.path("home"), 0o000);
    let home = house.path("home").display().to_string();
    let house = house.with("HOME", &home);
    let settings = house.search().unwrap();
    let name = settings.connection(None).unwrap().name.to_string();
    let said = settings.warnings().iter().any(|warning| warning.code == "config.not_looked_at");
    // No mode keeps root out.
    let root = rustix::process::geteuid().is_root();
    assert_eq!((name.as_str(), said), if root { ("home", false) } else { ("system", true) });
    set_mode(Path::new(&home), 0o700);
}

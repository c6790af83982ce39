use super::*;
use crate::config::locations::FoundBy;

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
    // Only root can give a link away; for others there is what root owns.
    if rustix::process::geteuid().is_root() {
        lchown(house.path("config/sfmint.toml"), Some(12345), None).unwrap();
        assert_eq!(house.search().unwrap_err().code(), "config.not_yours");
        lchown(house.path("config/sfmint.toml"), Some(0), None).unwrap();
        std::os::unix::fs::chown(house.path("real.toml"), Some(12345), None).unwrap();
        assert_eq!(house.search().unwrap_err().code(), "config.not_yours");
        assert!(house.load().is_ok(), "a file that is named may be somebody else's");
    } else {
        fs::remove_file(house.path("config/sfmint.toml")).unwrap();
        symlink("/etc/passwd", house.path("config/sfmint.toml")).unwrap();
        assert_eq!(house.search().unwrap_err().code(), "config.not_yours");
        fs::remove_file(house.path("config/sfmint.toml")).unwrap();
        symlink("../real.toml", house.path("config/sfmint.toml")).unwrap();
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
    } else {
        // Others can give nothing away; that root's file is read, and found to be no config, is all they see.
        fs::remove_file(house.path("connections.d/a.toml")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", house.path("connections.d/a.toml")).unwrap();
        assert_ne!(house.load().unwrap_err().code(), "config.not_yours");
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
    fs::write(house.path("sfmint.toml"), b"\xff\xfea\x00=\x001\x00").unwrap();
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

// faults D6
#[cfg(unix)]
#[test]
fn a_files_name_does_not_write_to_the_terminal() {
    let house = House::new(PROD);
    house.write("connections.d/\u{1b}[31m.toml", "x");
    let error = house.load().unwrap_err();
    assert!(
        error.to_string().contains("\\u{1b}[31m.toml:1:") && !error.to_string().contains('\u{1b}'),
        "{error}"
    );
}

/// A connection whose key lies beside the file, and lines more or in place of those.
fn found(lines: &str) -> House {
    let house = House::empty();
    house.write("config/certs/prod.key", "");
    let kept: Vec<&str> = PROD
        .lines()
        .filter(|line| {
            let key = line.split(" = ").next().unwrap_or_default();
            !lines.lines().any(|other| other.split(" = ").next() == Some(key))
        })
        .collect();
    house.write(
        "config/sfmint.toml",
        &format!("{}\n{lines}\n{}", kept.join("\n"), PROD.replace("prod", "plain")),
    );
    house
}

#[test]
fn a_file_that_merely_lay_here_does_not_say_where_assertions_go_or_whose_key_signs() {
    for (line, setting) in [
        ("proxy = \"http://evil.example:3128\"", "`proxy`"),
        ("proxy = { env = \"SOME_PROXY\" }", "`proxy`"),
        ("ca_file = \"ca.pem\"", "`ca_file`"),
        ("instance_hosts = [\".evil.example\"]", "`instance_hosts`"),
        ("login_url = \"https://evil.example\"", "`login_url`"),
        ("login_url = \"https://my.salesforce.com.evil.example\"", "`login_url`"),
        ("audience = \"https://evil.example\"", "`audience`"),
        ("key = { env = \"SOME_KEY\" }", "a key"),
        ("key = { file = \"/home/ann/prod.key\" }", "a key"),
        ("key = { file = \"../prod.key\" }", "a key"),
        ("key = { file = \"certs/../../prod.key\" }", "a key"),
        ("key = { file = \"certs/prod.key\", passphrase = { env = \"SOME_WORD\" } }", "a key or passphrase"),
        (
            "key = { file = \"certs/prod.key\", passphrase = { file = \"/etc/hostname\" } }",
            "a key or passphrase",
        ),
    ] {
        let house = found(line).with("SOME_PROXY", "http://proxy.example:3128");
        let settings = house.search().unwrap();
        assert!(settings.connection("plain").is_ok(), "{line}: the others go on");
        let error = settings.connection("prod").expect_err(line);
        assert_eq!(error.code(), "config.setting_refused", "{line}");
        assert!(error.to_string().contains(setting), "{line}: {error}");
        assert!(error.hints()[0].as_str().contains("--config"), "{:?}", error.hints());
        let codes: Vec<&str> = settings.check().iter().map(|finding| finding.code).collect();
        assert!(codes.contains(&"config.setting_refused"), "{line}: {codes:?}");
        let named = house.path("config/sfmint.toml").display().to_string();
        assert!(house.with("SFMINT_CONFIG", &named).search().unwrap().connection("prod").is_ok(), "{line}");
    }
}

#[test]
fn a_file_that_merely_lay_here_may_use_its_own_keys_with_salesforce_and_with_this_machine() {
    for line in [
        "login_url = \"http://127.0.0.1:8080\"",
        "login_url = \"http://localhost:8080\"",
        "login_url = \"https://acme.my.site.com/portal\"",
        "audience = \"https://login.salesforce.com\"",
        "key = { file = \"./certs/../certs/prod.key\" }",
    ] {
        assert!(found(line).search().unwrap().connection("prod").is_ok(), "{line}");
    }
    let house = found("");
    let beside = PROD.replace("prod]", "beside]").replace("certs/", "../certs/");
    house.write("config/connections.d/beside.toml", &beside);
    assert!(house.search().unwrap().connection("beside").is_ok());
}

#[cfg(unix)]
#[test]
fn a_link_to_the_users_key_is_no_key_of_the_file_that_merely_lay_here() {
    let house = found("");
    house.write("home/real.key", "");
    fs::remove_file(house.path("config/certs/prod.key")).unwrap();
    std::os::unix::fs::symlink("../../home/real.key", house.path("config/certs/prod.key")).unwrap();
    assert_eq!(house.search().unwrap().connection("prod").unwrap_err().code(), "config.setting_refused");
}

#[test]
fn defaults_that_merely_lay_here_are_not_laid_under_the_connection_of_the_environment() {
    let defaults = "[defaults]\naudience = \"https://evil.example\"\nproxy = \"http://evil.example:3128\"\n\
                    ca_file = \"ca.pem\"\ninstance_hosts = [\".evil.example\"]\n";
    let house = House::empty()
        .with("SFMINT_LOGIN_URL", "https://custom.example")
        .with("SFMINT_CLIENT_ID", "3MVG9abc")
        .with("SFMINT_USERNAME", "integration@acme.example")
        .with("SFMINT_PRIVATE_KEY", "canary-7f3a");
    house.write("config/sfmint.toml", defaults);
    let connection = house.search().unwrap().connection(None).unwrap();
    assert_eq!(connection.audience.as_str(), "https://custom.example");
    assert!(connection.network.proxy.is_none() && connection.network.ca_file.is_none());
    assert_eq!(connection.instance_hosts, crate::base::InstanceHosts::default());

    let named = house.path("config/sfmint.toml").display().to_string();
    let connection = house.with("SFMINT_CONFIG", &named).search().unwrap().connection(None).unwrap();
    assert_eq!(connection.audience.as_str(), "https://evil.example", "a file that is named does say");
}

#[test]
fn a_store_outside_the_state_directory_is_not_taken_from_a_file_that_merely_lay_here() {
    for outside in ["/home/ann/.profile", "../../.profile"] {
        let house = found("");
        house.write(
            "config/sfmint.toml",
            &format!("[defaults]\nstore = {{ sqlite = \"{outside}\" }}\n{PROD}"),
        );
        let settings = house.search().unwrap();
        let usual = crate::config::StoreLocation::Sqlite(house.path("state/state.db"));
        assert_eq!(settings.store(), usual, "{outside}");
        assert!(settings.warnings().iter().any(|finding| finding.code == "config.setting_refused"));
    }
    let house = found("");
    house.write("config/sfmint.toml", &format!("[defaults]\nstore = {{ sqlite = \"mine.db\" }}\n{PROD}"));
    let settings = house.search().unwrap();
    assert_eq!(settings.store(), crate::config::StoreLocation::Sqlite(house.path("state/mine.db")));
}

#[test]
fn every_variable_that_holds_a_secret_is_known_whichever_connection_it_belongs_to() {
    let key = "key = { env = \"OTHER_KEY\", passphrase = { env = \"OTHER_WORD\" } }";
    let other = PROD.replace("prod]", "other]").replace("key = { file = \"certs/prod.key\" }", key);
    let text = format!("[defaults]\nproxy = {{ env = \"OUR_PROXY\" }}\n{PROD}{other}");
    let house = House::new(&text).with("OUR_PROXY", "http://user:pass@proxy.example:3128");
    let settings = house.load().unwrap();
    let names: Vec<&str> = settings.secret_variables().collect();
    assert_eq!(
        names,
        ["SFMINT_PRIVATE_KEY", "SFMINT_PRIVATE_KEY_PASSPHRASE", "OTHER_KEY", "OTHER_WORD", "OUR_PROXY"]
    );
}

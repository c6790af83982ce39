use proptest::prelude::*;

use super::*;
use crate::config::keys;

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
        // Whatever is understood is there; nothing is dropped without a word.
        if let Ok(settings) = House::new(&text).load() {
            prop_assert!(settings.connection("x").is_ok(), "{text}");
        }
    }

    #[cfg(feature = "sync")]
    #[test]
    fn no_job_makes_it_panic(
        lines in proptest::collection::vec(
            (0..crate::config::jobs::JOB.len(), prop_oneof![
                Just("1"), Just("-1"), Just("\"x\""), Just("[]"), Just("{}"), Just("[\"Name\"]"), Just("\"Account\""),
                Just("\"SELECT Id FROM A\""), Just("\"SELECT '\""), Just("\"weekly\""), Just("\"* * 31 2 *\""), Just("\"UTC\""),
                Just("{ csv = \"x\" }"), Just("{ stdout = \"jsonl\" }"), Just("\"full\""), Just("\"remove\""), Just("\"\""),
            ]), 0..12)
    ) {
        let mut text = format!("{PROD}\n[jobs.x]\n");
        for (key, value) in lines {
            text.push_str(&format!("{} = {value}\n", crate::config::jobs::JOB[key].name));
        }
        // Whatever is understood is there; nothing is dropped without a word.
        if let Ok(settings) = House::new(&text).load() {
            prop_assert!(settings.job("x").is_ok(), "{text}");
        }
    }

    #[cfg(feature = "sync")]
    #[test]
    fn a_secret_in_a_jobs_place_never_comes_back(secret in "[A-Za-z0-9]{64,80}", key in 0..crate::config::jobs::JOB.len()) {
        let name = crate::config::jobs::JOB[key].name;
        for value in [format!("\"{secret}\""), format!("[\"{secret}\"]"), format!("{{ \"{secret}\" = 1 }}")] {
            let error = match House::new(&format!("{PROD}\n[jobs.x]\n{name} = {value}\n")).load() {
                Err(error) => format!("{error} {error:?}"),
                Ok(_) => continue,
            };
            prop_assert!(!error.contains(&secret), "{error}");
        }
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

//! Whatever stands in a configuration file: no panic, no hang, and every mistake has its words.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sfmint::base::Explain;
use sfmint::config::{Environment, Settings};

fuzz_target!(|text: &str| {
    let environment = Environment::from_pairs([("KEY", "value")]);
    if let Err(error) = Settings::check_text("sfmint.toml", text, &environment) {
        assert!(!error.to_string().is_empty());
        let _ = (error.code(), error.fault(), error.hints());
    }
});

//! Whatever a token endpoint answers: no panic, and what is accepted goes only where a token may go.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sfmint::base::{Explain, InstanceHosts, LoginUrl};
use sfmint::token::{http_date, refusal, retry_after, success};

fuzz_target!(|bytes: &[u8]| {
    let login: LoginUrl = "https://acme.my.salesforce.com".parse().expect("a login URL");
    match success(bytes, &InstanceHosts::default(), &login) {
        Ok(response) => {
            let url = response.instance_url.url();
            assert_eq!(url.scheme(), "https");
            assert_eq!((url.username(), url.password(), url.port()), ("", None, None));
            let host = url.host_str().expect("a host");
            assert!(InstanceHosts::default().entries().iter().any(|suffix| host.ends_with(suffix)), "{host}");
            assert!(response.access_token.expose().bytes().all(|byte| byte.is_ascii_graphic()));
        }
        Err(error) => {
            let _ = (error.code(), error.fault(), error.hints());
            assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
        }
    }
    if let Some(reason) = refusal(bytes) {
        let _ = sfmint::token::diagnosis::diagnose(&reason);
        assert!(!reason.to_string().chars().any(char::is_control), "{reason:?}");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = retry_after(text, http_date(text));
    }
});

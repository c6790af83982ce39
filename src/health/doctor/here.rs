use std::time::Duration;

use crate::api::Client;
use crate::assertion::CertificateFacts;
use crate::base::{Clock, Connection, Explain, Finding, Hint, Level};
use crate::health::age;
use crate::health::examine::{Examination, from_error};
use crate::token::{MintError, SKEW_THAT_MATTERS};

use super::reach::{Reached, reach, resolve};

/// The key of each credential, and the certificate beside it: whether the active one can sign, and its certificate.
pub(super) fn look_at_key(
    client: &Client,
    clock: &dyn Clock,
    exam: &mut Examination<'_>,
) -> (bool, Option<CertificateFacts>) {
    let connection = client.connection();
    let (mut usable, mut active_certificate) = (false, None);
    for (at, credential) in connection.credentials.iter().enumerate() {
        let active = at == 0;
        let of = if connection.credentials.standby().is_some() {
            format!(" of credential `{}`", credential.name)
        } else {
            String::new()
        };
        let signer = match client.tokens().minter().signer(credential) {
            Ok(signer) => signer,
            // The standby is needed only when the active one is refused.
            Err(error) if !active => {
                exam.note(from_error(&error, Level::Warn));
                continue;
            }
            Err(error) => {
                exam.error(&error);
                exam.skipped("certificate", "the key it must belong to cannot be used");
                continue;
            }
        };
        usable |= active;
        exam.ok("key", format!("the key{of} from {} can sign: {}", credential.key, signer.key_id().short()));
        match signer.certificate() {
            Some(facts) => {
                exam.ok(
                    "certificate",
                    format!("the certificate{of} belongs to the key: {}, SHA-256 {}", facts.subject, facts.sha256),
                );
                exam.note(age::certificate(&facts, clock.now()));
                if active {
                    active_certificate = Some(facts);
                }
            }
            None => exam.note(
                Finding::new("certificate", Level::Info, format!("no certificate is named{of}: its end cannot be watched, and a wrong key is found by Salesforce only"))
                    .hint(Hint::new("name the file that was uploaded to the app in `certificate`")),
            ),
        }
    }
    (usable, active_certificate)
}

/// Name resolution and TLS. `None` where the login host was not reached.
pub(super) async fn touch(
    connection: &Connection,
    clock: &dyn Clock,
    exam: &mut Examination<'_>,
) -> Option<Reached> {
    let host = connection.login_url.host();
    let resolved = match connection.network.proxy {
        Some(_) => Err("the proxy resolves names".to_string()),
        None => resolve(host).await,
    };
    let reached = reach(connection, clock).await;
    match (&resolved, &reached) {
        (_, Err(error @ MintError::ForeignAddress { .. })) => {
            exam.error(error);
            exam.skipped("tls", "the login host has no address that it can have");
            return None;
        }
        (Ok(addresses), _) => {
            let shown: Vec<String> = addresses.iter().take(3).map(ToString::to_string).collect();
            exam.ok("dns", format!("{host} is at {}", shown.join(", ")));
        }
        // A proxy from the environment may resolve what this machine cannot.
        (Err(why), Ok(_)) => exam.note(Finding::new(
            "dns",
            Level::Info,
            format!("{host} is not resolved here ({why}); it was reached all the same, through a proxy"),
        )),
        (Err(why), Err(_)) if connection.network.proxy.is_some() => exam.skipped("dns", why.as_str()),
        (Err(why), Err(error)) => {
            let finding = Finding::new("dns", Level::Fail, format!("{host} has no address: {why}"));
            exam.fail(
                finding.hint(Hint::new("check the spelling of `login_url`, this machine's name servers, and `proxy` or HTTPS_PROXY")),
                error.fault(),
            );
            exam.skipped("tls", "the login host has no address");
            return None;
        }
    }
    match reached {
        Ok(reached) => {
            let took = reached.took.as_millis();
            let how = match connection.login_url.url().scheme() {
                "https" => "proved that it is it, and answered",
                _ => "answered without TLS, as only this machine may,",
            };
            exam.ok("tls", format!("{host} {how} within {took} ms"));
            Some(reached)
        }
        Err(error) => {
            exam.error(&error);
            None
        }
    }
}

/// How far the two clocks are apart.
pub(super) fn look_at_clock(reached: &Reached, exam: &mut Examination<'_>) {
    let Some(skew) = reached.skew else {
        exam.skipped("clock.skew", "the login host's answer has no date");
        return;
    };
    let by = age::spoken(Duration::from_secs(skew.unsigned_abs()));
    let side = if skew > 0 { "behind" } else { "ahead of" };
    if skew.abs() <= SKEW_THAT_MATTERS {
        exam.ok("clock.skew", format!("this machine's clock agrees with the org's within {}", by));
    } else {
        let says =
            format!("this machine's clock is {by} {side} the org's; assertions are dated by the org's");
        exam.note(
            Finding::new("clock.skew", Level::Warn, says).hint(Hint::new("set this machine's clock by NTP")),
        );
    }
}

use std::time::Duration;

use crate::api::identity::{ToldBy, user_row, whoami};
use crate::api::{ApiError, Client, Request, choose, rest};
use crate::assertion::CertificateFacts;
use crate::base::{AccessToken, ApiVersion, Clock, Connection, Explain, Finding, Hint, Level};
use crate::health::examine::{Examination, Report, Say, from_error};
use crate::health::{age, place};
use crate::token::{Claimant, MintError, Need, SKEW_THAT_MATTERS};

use super::reach::{Reached, reach, resolve};
use super::who;

/// How much of the daily calls may be used before it is said. Percent.
const CALLS_TO_WARN: u64 = 80;

/// What rests on a token.
const AFTER_MINT: [&str; 3] = ["identity", "api.access", "api.version"];

/// Looks at every step from the configuration to the API, in order, and says each finding as it comes.
///
/// # Shape
///
/// | rung                 | codes                                          | stops what rests on it when it fails |
/// |----------------------|------------------------------------------------|----------------------|
/// | configuration        | `config`                                       |                      |
/// | key                  | `key`, or the key's error                      | mint and after       |
/// | certificate          | `certificate`, `certificate.*`                 | nothing: Salesforce is the judge |
/// | name resolution      | `dns`                                          | all after            |
/// | TLS                  | `tls`, or `tls.*`, `mint.unreachable`          | all after            |
/// | clock                | `clock.skew`                                   | nothing: assertions are dated by the org's clock |
/// | audience and host    | `host.*`, `username.sandbox`                   | nothing              |
/// | mint                 | `mint`, or the refusal's code with cause and fix | all after          |
/// | identity             | `identity`, `identity.*`                       | nothing              |
/// | API access           | `api.access`, or the error's code              | API version          |
/// | API version          | `api.version`, `api.version_*`                 |                      |
///
/// One mint is made, past the cache and out of the reserve of the mint budget; its token replaces the kept one. At most
/// five calls follow. Nothing in the org changes.
pub async fn doctor(client: &Client, clock: &dyn Clock, say: Say<'_>) -> Report {
    let connection = client.connection();
    let mut exam = Examination::new(say);
    let credential = connection.credentials.active();
    exam.ok(
        "config",
        format!(
            "connection `{}`: {} at {} through app {}",
            connection.name,
            connection.username,
            connection.login_url,
            short(credential.client_id.as_str())
        ),
    );

    let (has_key, certificate) = look_at_key(client, clock, &mut exam);
    let reached = touch(connection, clock, &mut exam).await;
    match &reached {
        Some(reached) => look_at_clock(reached, &mut exam),
        None => exam.skipped("clock.skew", "the login host was not reached"),
    }
    place(connection).into_iter().for_each(|finding| exam.note(finding));

    let why = match (&reached, has_key) {
        (Some(_), true) => None,
        (None, _) => Some("the login host was not reached"),
        (_, false) => Some("the key cannot be used"),
    };
    let token = match why {
        None => mint(client, certificate.as_ref(), clock, &mut exam).await,
        Some(why) => {
            exam.skipped("mint", why);
            None
        }
    };
    match token {
        Some(token) => {
            look_at_identity(client, &token, &mut exam).await;
            look_at_api(client, &mut exam).await;
        }
        None => AFTER_MINT.into_iter().for_each(|rung| exam.skipped(rung, "there is no token")),
    }
    exam.done()
}

/// Enough of a consumer key to know it by.
fn short(client_id: &str) -> String {
    match client_id.char_indices().nth(12) {
        Some((at, _)) => format!("{}…", &client_id[..at]),
        None => client_id.to_string(),
    }
}

fn look_at_key(
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
async fn touch(connection: &Connection, clock: &dyn Clock, exam: &mut Examination<'_>) -> Option<Reached> {
    let host = connection.login_url.host();
    let resolved = match connection.network.proxy {
        Some(_) => Err("the proxy resolves names".to_string()),
        None => resolve(host).await,
    };
    let reached = reach(connection, clock).await;
    match (&resolved, &reached) {
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

fn look_at_clock(reached: &Reached, exam: &mut Examination<'_>) {
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

async fn mint(
    client: &Client,
    certificate: Option<&CertificateFacts>,
    clock: &dyn Clock,
    exam: &mut Examination<'_>,
) -> Option<AccessToken> {
    let need = Need { fresh: true, claimant: Claimant::Doctor, ..Need::default() };
    match client.tokens().hand(need).await {
        Ok(handed) => {
            let token = handed.token;
            let scopes = if token.scope.is_empty() { "none told".into() } else { token.scope.join(" ") };
            exam.ok("mint", format!("Salesforce gave a token for {}; scopes: {scopes}", token.instance_url));
            if !token.scope.is_empty() && !token.scope.iter().any(|scope| scope == "api" || scope == "full") {
                let says = "the token lacks the scope `api`: the REST API will refuse it";
                exam.note(Finding::new("mint.scope_api", Level::Warn, says).hint(Hint::new(
                    "add `Manage user data via APIs (api)` to the app's selected OAuth scopes",
                )));
            }
            Some(token)
        }
        Err(error) => {
            let mut finding = from_error(&error, Level::Fail);
            // faults C8: Salesforce is asked with a lapsed certificate too, and its refusal is explained by it.
            if let (MintError::Refused { .. }, Some(facts)) = (&error, certificate)
                && clock.now() > facts.not_after
                && error.code() == "mint.assertion"
            {
                let hint = format!("most likely because the certificate ended on {}", facts.not_after);
                finding.hints.insert(0, Hint::new(hint));
            }
            if matches!(error.code(), "mint.audience" | "mint.app_not_found" | "mint.not_approved") {
                finding.hints.push(Hint::new(
                    "`sfmint doctor --probe` tries the likely pairs of host and audience, each once",
                ));
            }
            exam.fail(finding, error.fault());
            None
        }
    }
}

async fn look_at_identity(client: &Client, token: &AccessToken, exam: &mut Examination<'_>) {
    let connection = client.connection();
    match whoami(client, &token.user_id).await {
        Ok(told) => {
            let differs = told.username.to_lowercase() != connection.username.folded();
            // For some kinds of user, userinfo's name is not the Username: the row decides.
            let told = match told.told_by {
                ToldBy::UserInfo if differs => user_row(client, &token.user_id)
                    .await
                    .map(|row| crate::api::identity::Identity { org_id: told.org_id.clone(), ..row })
                    .unwrap_or(told),
                _ => told,
            };
            exam.note(who::judge(&told, token, connection));
        }
        Err(error) => {
            let finding = from_error(&error, Level::Skipped);
            exam.note(Finding { code: "identity", ..finding });
        }
    }
}

async fn look_at_api(client: &Client, exam: &mut Examination<'_>) {
    let offered = rest::versions(client).await;
    let spoken = match (client.connection().api_version, &offered) {
        (Some(pinned), _) => pinned,
        (None, Ok(offered)) => {
            choose(None, offered).map_or(ApiVersion::NEWEST_KNOWN, |chosen| chosen.version)
        }
        (None, Err(_)) => ApiVersion::NEWEST_KNOWN,
    };
    match access(client, spoken).await {
        Ok(says) => exam.ok("api.access", says),
        // The version's own rung tells that better.
        Err(ApiError::VersionRetired { .. } | ApiError::NotFound { .. }) if offered.is_ok() => {
            exam.ok("api.access", "the REST API knows the session");
        }
        Err(error) => {
            exam.error(&error);
            exam.skipped("api.version", "the REST API refuses the session");
            return;
        }
    }
    if let Some(usage) = client.usage().filter(|usage| usage.percent() >= CALLS_TO_WARN) {
        let says = format!("{} of {} API calls of the last 24 hours are used", usage.used, usage.max);
        exam.note(Finding::new("api.usage", Level::Warn, says).hint(Hint::new(
            "see who uses them in Setup > Company Information > API Requests, Last 24 Hours",
        )));
    }
    match offered {
        Ok(offered) => look_at_version(client.connection().api_version, &offered, exam),
        Err(error) => {
            exam.error(&error);
        }
    }
}

/// Asks for what lies below a version: every user with API access may.
async fn access(client: &Client, version: ApiVersion) -> Result<String, ApiError> {
    let request = Request::get(format!("/services/data/v{version}")).within(Duration::from_secs(30));
    client.send(request).await?.success()?.json()?;
    let used = client
        .usage()
        .map(|usage| format!("; {} of {} calls of the last 24 hours are used", usage.used, usage.max));
    Ok(format!("the REST API accepts the session{}", used.unwrap_or_default()))
}

fn look_at_version(pinned: Option<ApiVersion>, offered: &[ApiVersion], exam: &mut Examination<'_>) {
    let newest = offered.iter().max().copied();
    match choose(pinned, offered) {
        Ok(chosen) if chosen.deprecated => {
            let says = format!("API version {} is announced for retirement", chosen.version);
            exam.note(Finding::new("api.version_deprecated", Level::Warn, says).hint(Hint::new(
                "take `api_version` out of the connection, or pin a newer one: 31.0 to 40.0 end with Summer '28",
            )));
        }
        Ok(chosen) => {
            let how = if pinned.is_some() { "pinned" } else { "the newest that both sides know" };
            let ahead = newest.filter(|newest| *newest > ApiVersion::NEWEST_KNOWN && pinned.is_none());
            let ahead = ahead.map(|newest| format!("; the org knows {newest} already")).unwrap_or_default();
            exam.ok("api.version", format!("API version {}, {how}{ahead}", chosen.version));
        }
        Err(error) => exam.error(&error),
    }
}

use std::time::Duration;

use crate::api::identity::{Identity, ToldBy, user_row, whoami};
use crate::api::{ApiError, Client, Request, choose, rest};
use crate::assertion::CertificateFacts;
use crate::base::{AccessToken, ApiVersion, Clock, Explain, Finding, Hint, Level};
use crate::health::examine::{Examination, from_error};
use crate::token::{Claimant, MintError, Need};

use super::who;

/// How much of the daily calls may be used before it is said. Percent.
const CALLS_TO_WARN: u64 = 80;

/// One mint, past the cache.
pub(super) async fn mint(
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

/// Whom the token is for.
pub(super) async fn look_at_identity(client: &Client, token: &AccessToken, exam: &mut Examination<'_>) {
    let connection = client.connection();
    match whoami(client, &token.user_id).await {
        Ok(told) => {
            let differs = told.username.to_lowercase() != connection.username.folded();
            // For some kinds of user, userinfo's name is not the Username: the row decides.
            let told = match told.told_by {
                ToldBy::UserInfo if differs => user_row(client, &token.user_id)
                    .await
                    .map(|row| Identity { org_id: told.org_id.clone(), ..row })
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

/// Whether the REST API takes the session, and which version is spoken.
pub(super) async fn look_at_api(client: &Client, exam: &mut Examination<'_>) {
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

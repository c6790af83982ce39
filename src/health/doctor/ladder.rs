use crate::api::Client;
use crate::base::Clock;
use crate::health::examine::{Examination, Report, Say};
use crate::health::place;

use super::here::{look_at_clock, look_at_key, touch};
use super::there::{look_at_api, look_at_identity, mint};

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

use std::sync::Arc;

use crate::base::{
    Audience, Clock, Connection, Credentials, Explain, Finding, Hint, Level, LoginUrl, TokenPolicy,
};
use crate::store::Store;
use crate::token::{Claimant, MintError, Minter, Need, TokenSource};

use super::examine::{Examination, Report, Say, from_error};

/// The most pairs that are tried: each refused one is a failed login in the org's history.
pub const MOST_PAIRS: usize = 8;

/// A login URL and an audience to try together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Where the assertion is posted.
    pub login_url: LoginUrl,
    /// Whom it is addressed to.
    pub audience: Audience,
}

/// What came of a probe.
#[derive(Debug)]
pub struct Probed {
    /// The findings, one for each pair that was tried.
    pub report: Report,
    /// The pair to pin; `None` where none worked.
    pub works: Option<Pair>,
}

/// The pairs worth trying for a connection, the likeliest first, none twice.
///
/// # Shape
///
/// | host                         | audiences, in order                    |
/// |------------------------------|----------------------------------------|
/// | `login_url`                  | as configured, itself, login, test     |
/// | a My Domain named by `audience` | itself                              |
/// | login, test                  | itself                                 |
///
/// A `login_url` on loopback stays on loopback: no other host is asked then. `test` comes before `login` where the
/// host's name shows a sandbox.
///
/// # Source
///
/// Protocol reference §1.2; sfdx-core `getLoginAudienceCombos`, which guesses at every login what is tried here once.
pub fn grid(connection: &Connection) -> Vec<Pair> {
    let own = &connection.login_url;
    let shared =
        |text: &str| -> Option<(LoginUrl, Audience)> { Some((text.parse().ok()?, text.parse().ok()?)) };
    let mut hosts = ["https://login.salesforce.com", "https://test.salesforce.com"];
    if own.host().contains("--") || own.host().contains(".sandbox.") || own.host().contains(".scratch.") {
        hosts.reverse();
    }
    let shared: Vec<(LoginUrl, Audience)> = hosts.into_iter().filter_map(shared).collect();
    let mut pairs = vec![
        Pair { login_url: own.clone(), audience: connection.audience.clone() },
        Pair { login_url: own.clone(), audience: own.into() },
    ];
    pairs.extend(
        shared.iter().map(|(_, audience)| Pair { login_url: own.clone(), audience: audience.clone() }),
    );
    if !own.is_loopback() {
        if let Ok(named) = connection.audience.as_str().parse::<LoginUrl>()
            && !named.is_shared_host()
            && !named.is_loopback()
        {
            pairs.push(Pair { audience: (&named).into(), login_url: named });
        }
        pairs.extend(shared.into_iter().map(|(login_url, audience)| Pair { login_url, audience }));
    }
    let mut once: Vec<Pair> = Vec::new();
    for pair in pairs {
        if !once.contains(&pair) {
            once.push(pair);
        }
    }
    once.truncate(MOST_PAIRS);
    once
}

/// Tries the pairs of [`grid`] once each, in order, until one works; for `doctor --probe` only, never in service.
///
/// # Shape
///
/// Each pair is one mint out of the reserve of the mint budget, one attempt without repeats, and a row in the
/// history. A refusal that no other pair would change (the user is inactive, the login rate is spent, the key
/// is unusable) ends it. What the last measured clock says is kept from pair to pair by the org itself.
pub async fn probe(
    tokens: &TokenSource,
    clock: &Arc<dyn Clock>,
    store: Option<&Arc<dyn Store>>,
    say: Say<'_>,
) -> Probed {
    let mut exam = Examination::new(say);
    for pair in grid(tokens.connection()) {
        let Pair { login_url, audience } = &pair;
        match try_pair(tokens, &pair, clock, store).await {
            Ok(()) => {
                let says = format!("login_url {login_url} with audience {audience} works");
                let pin = match audience.as_str() == login_url.as_str() {
                    true => format!("write `login_url = \"{login_url}\"` and no `audience`"),
                    false => format!("write `login_url = \"{login_url}\"` and `audience = \"{audience}\"`"),
                };
                exam.note(Finding::new("probe.works", Level::Ok, says).hint(Hint::new(pin)));
                // What failed on the way was the question, not a fault.
                return Probed { report: Report { fault: None, ..exam.done() }, works: Some(pair) };
            }
            Err(error) => {
                let finding = from_error(&error, Level::Fail);
                let says = format!("login_url {login_url} with audience {audience}: {}", finding.says);
                let ends = !another_place_may_help(&error);
                let hints = if ends { finding.hints } else { Vec::new() };
                exam.fail(Finding { says, hints, ..finding }, error.fault());
                if ends {
                    return Probed { report: exam.done(), works: None };
                }
            }
        }
    }
    let none = Finding::new("probe.none", Level::Fail, "no pair of host and audience works").hint(Hint::new(
        "the refusal of the first pair tells most; `sfmint doctor` explains it. Check `client_id` and the app's approval",
    ));
    exam.note(none);
    Probed { report: exam.done(), works: None }
}

async fn try_pair(
    tokens: &TokenSource,
    pair: &Pair,
    clock: &Arc<dyn Clock>,
    store: Option<&Arc<dyn Store>>,
) -> Result<(), MintError> {
    let original = tokens.connection();
    let active = original.credentials.active().clone();
    let signer = tokens.minter().signer(&active)?;
    let connection = Connection {
        login_url: pair.login_url.clone(),
        audience: pair.audience.clone(),
        credentials: Credentials::one(active.clone()),
        policy: TokenPolicy { mint_attempts: 1, ..original.policy.clone() },
        ..original.clone()
    };
    let minter = Minter::new(Arc::new(connection), clock.clone()).with_signer(&active.name, signer);
    let source = TokenSource::over(minter, clock.clone(), store.cloned())
        .map_err(|error| MintError::Client { source: Arc::new(error) })?;
    let need = Need { fresh: true, claimant: Claimant::Doctor, ..Need::default() };
    source.hand(need).await.map(|_| ())
}

/// Whether another host or audience could make a difference to this refusal.
fn another_place_may_help(error: &MintError) -> bool {
    matches!(
        error.code(),
        "mint.audience"
            | "mint.app_not_found"
            | "mint.not_approved"
            | "mint.not_preauthorized"
            | "mint.client_id"
            | "mint.flow_disabled"
            | "mint.assertion"
            | "mint.refused"
            | "mint.unreachable"
            | "mint.not_oauth"
            | "mint.redirected"
            | "mint.instance_url"
            | "tls.not_trusted"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::test_words::connection;

    fn shown(login: &str, audience: &str) -> Vec<String> {
        let mut connection = connection(login);
        connection.audience = audience.parse().unwrap();
        let short = |text: &str| text.replace("https://", "").replace(".salesforce.com", "");
        grid(&connection)
            .iter()
            .map(|pair| format!("{} {}", short(pair.login_url.as_str()), short(pair.audience.as_str())))
            .collect()
    }

    // Protocol reference §1.2.
    #[test]
    fn the_likeliest_pair_is_first_and_none_comes_twice() {
        const PROD: &str = "https://acme.my.salesforce.com";
        assert_eq!(
            shown(PROD, PROD),
            ["acme.my acme.my", "acme.my login", "acme.my test", "login login", "test test"]
        );
        assert_eq!(
            shown("https://acme--dev.sandbox.my.salesforce.com", "https://login.salesforce.com"),
            [
                "acme--dev.sandbox.my login",
                "acme--dev.sandbox.my acme--dev.sandbox.my",
                "acme--dev.sandbox.my test",
                "test test",
                "login login"
            ]
        );
        assert_eq!(
            shown("https://login.salesforce.com", PROD),
            ["login acme.my", "login login", "login test", "acme.my acme.my", "test test"]
        );
    }

    #[test]
    fn a_probe_of_the_built_in_org_stays_on_this_machine() {
        for pair in grid(&connection("http://127.0.0.1:9000")) {
            assert!(pair.login_url.is_loopback(), "{pair:?}");
        }
    }
}

use std::sync::Arc;

use serde_json::json;

use crate::api::Client;
use crate::base::{Fault, printable};
use crate::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME, Org, OrgConfig};
use crate::store::{Location, MintQuery, MintRow};
use crate::token::{Need, Revoked, SystemClock, TokenSource};

use super::super::init::{self, Wanted};
use super::super::report::{self, Complaint, told, told_of};
use super::super::sync::grouped;
use super::super::wire::Wire;
use super::accounts;
use super::stage::Stage;
use super::syncing;
use super::tell::Teller;

/// The session timeout that the demo's connection reckons with. Minutes.
const SESSION_TIMEOUT: u32 = 120;

/// How the story ended.
#[derive(Debug)]
pub struct End {
    /// Where the org was.
    pub org_url: String,
    /// The history.
    pub mints: Vec<MintRow>,
    /// Requests to the token endpoint, counted by the org.
    pub token_posts: u64,
    /// Tokens it gave out.
    pub tokens: u64,
    /// Other calls.
    pub api_requests: u64,
}

/// Ten steps, each of them done before it is told.
pub async fn tell(stage: &Stage, teller: &mut Teller) -> anyhow::Result<End> {
    teller.begins()?;
    let org = start(teller).await?;
    let wire = connect(stage, teller, &org)?;
    let client = wire.client(wire.connection()?)?;
    let tokens = client.tokens().clone();
    mint(teller, &org, &wire, &tokens).await?;
    use_again(teller, &org, &tokens).await?;
    query(teller, &org, &client).await?;
    survive(teller, &org, &client).await?;
    syncing::sync(stage, teller, &org, &wire, &client).await?;
    diagnose(stage, teller, &org, &tokens).await?;
    let mints = history(teller, &wire, &tokens).await?;
    clean_up(stage, teller, &tokens).await?;
    let counters = org.admin().counters();
    let end = End {
        org_url: org.url(),
        mints,
        token_posts: counters.token_posts,
        tokens: counters.minted(),
        api_requests: counters.api_requests,
    };
    org.stop().await;
    Ok(end)
}

async fn start(teller: &mut Teller) -> anyhow::Result<Org> {
    let step = teller.step("A Salesforce org starts on this machine");
    let config = OrgConfig::default();
    let (apps, users, accounts) = (config.apps.len(), config.users.len(), config.records.accounts);
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let org = Org::start(config, Arc::new(SystemClock::new()), listen).await.map_err(|error| {
        told(
            Complaint::new("org.cannot_start", Fault::Misuse, "the built-in org cannot start").because(error),
        )
    })?;
    step.done(
        teller,
        &[
            format!("{}, with {apps} apps, {users} users and {} accounts", org.url(), grouped(accounts)),
            "It checks every assertion with code of its own, and refuses in Salesforce's words.".into(),
        ],
        json!({ "org_url": org.url(), "accounts": accounts }),
    )?;
    Ok(org)
}

/// Key, certificate and connection, as `sfmint init` makes them; the administrator's part is played by the org's admin.
fn connect(stage: &Stage, teller: &mut Teller, org: &Org) -> anyhow::Result<Wire> {
    let step = teller.step("A key and a certificate are made, the certificate goes to the app");
    let places = stage.places();
    let credential = init::find_or_make(&places, stage.name(), 365, 2048)?;
    let certificate = &credential.certificate;
    let given = org.admin().set_certificate(DEMO_CONSUMER_KEY, Some(&certificate.pem()), 0);
    given.map_err(|mistake| told(Complaint::new("demo.certificate", Fault::Bug, mistake.to_string())))?;
    step.done(
        teller,
        &[
            format!(
                "RSA {}, key {}, readable by you alone; it never leaves this machine",
                credential.bits,
                certificate.key_id().short()
            ),
            format!(
                "{} until {}; the app holds nothing else",
                certificate.subject(),
                certificate.not_after()
            ),
        ],
        json!({ "key_id": certificate.key_id(), "certificate_sha256": certificate.sha256() }),
    )?;

    let step = teller.step("A connection is written to a config file, and read back");
    let wanted = Wanted {
        name: stage.name().clone(),
        client_id: DEMO_CONSUMER_KEY.parse()?,
        login_url: org.url().parse()?,
        username: DEMO_USERNAME.parse()?,
    };
    init::write_connection(&places, &wanted, SESSION_TIMEOUT)?;
    let wire = Wire::new(stage.global())?;
    let connection = wire.connection()?;
    step.done(
        teller,
        &[
            format!("login_url = {}", connection.login_url),
            format!("username  = {}; no password, no client secret, no refresh token", connection.username),
        ],
        json!({ "login_url": connection.login_url, "username": connection.username }),
    )?;
    Ok(wire)
}

async fn mint(teller: &mut Teller, org: &Org, wire: &Wire, tokens: &TokenSource) -> anyhow::Result<()> {
    let step = teller.step("An assertion is signed and exchanged for an access token");
    let before = org.admin().counters().token_posts;
    let connection = tokens.connection();
    let claims = connection.claims(connection.credentials.active(), wire.now());
    let handed = tokens.hand(Need::default()).await.map_err(told_of(&connection.name))?;
    let posts = org.admin().counters().token_posts - before;
    let token = &handed.token;
    step.done(
        teller,
        &[
            format!(
                "sub {}, aud {}, exp in {} s, RS256",
                claims.sub,
                claims.aud,
                claims.exp.seconds_since(wire.now())
            ),
            format!(
                "{posts} POST; token {} of org {} (a fingerprint: tokens are never shown)",
                token.id(),
                token.org_id
            ),
        ],
        json!({ "token_posts": posts, "token_id": token.id(), "org_id": token.org_id.as_str() }),
    )
}

async fn use_again(teller: &mut Teller, org: &Org, tokens: &TokenSource) -> anyhow::Result<()> {
    let step = teller.step("The token is asked for a thousand times more");
    let before = org.admin().counters().token_posts;
    for _ in 0..1000 {
        tokens.hand(Need::default()).await.map_err(told_of(&tokens.connection().name))?;
    }
    let posts = org.admin().counters().token_posts - before;
    step.done(
        teller,
        &[format!("{posts} POSTs: one mint serves every caller and process of one user")],
        json!({ "asked": 1000, "token_posts": posts }),
    )
}

async fn query(teller: &mut Teller, org: &Org, client: &Client) -> anyhow::Result<()> {
    let step = teller.step("The accounts are queried, page by page");
    let fetched = accounts::fetch(client).await?;
    let one = |mark: char| fetched.names.iter().find(|name| name.contains(mark));
    let examples: Vec<String> =
        [one('"'), one('\n')].into_iter().flatten().map(|name| printable(name, 40)).collect();
    step.done(
        teller,
        &[
            format!(
                "{} rows in {} pages, as many as the org announced",
                grouped(fetched.names.len() as u64),
                fetched.pages
            ),
            format!("among them  {}", examples.join("  and  ")),
        ],
        json!({ "rows": fetched.names.len(), "announced": fetched.announced, "pages": fetched.pages,
            "api_requests": org.admin().counters().api_requests }),
    )
}

async fn survive(teller: &mut Teller, org: &Org, client: &Client) -> anyhow::Result<()> {
    let step = teller.step("An administrator ends the session, and the same query runs again");
    let before = org.admin().counters();
    let killed = org.admin().expire_all_sessions();
    let fetched = accounts::fetch(client).await?;
    let after = org.admin().counters();
    let mints = after.minted() - before.minted();
    // What the org was asked beyond one call a page.
    let replays = (after.api_requests - before.api_requests).saturating_sub(fetched.pages as u64);
    step.done(
        teller,
        &[
            format!("{killed} session ended; the org answered 401 INVALID_SESSION_ID"),
            format!(
                "{mints} mint, {} call replayed, {} rows all the same: nobody had to log in",
                replays,
                grouped(fetched.names.len() as u64)
            ),
        ],
        json!({ "sessions_ended": killed, "mints": mints, "replays": replays, "rows": fetched.names.len() }),
    )
}

async fn diagnose(stage: &Stage, teller: &mut Teller, org: &Org, tokens: &TokenSource) -> anyhow::Result<()> {
    let step = teller.step("The user is frozen, and a new token is asked for");
    let freeze = |frozen: bool| {
        org.admin()
            .change_user(DEMO_USERNAME, |user| user.frozen = frozen)
            .map_err(|mistake| told(Complaint::new("demo.user", Fault::Bug, mistake.to_string())))
    };
    freeze(true)?;
    let before = org.admin().counters().token_posts;
    let refused = tokens.hand(Need { fresh: true, ..Need::default() }).await.map_err(told_of(stage.name()));
    let posts = org.admin().counters().token_posts - before;
    freeze(false)?;
    let Err(error) = refused else {
        return Err(told(Complaint::new("demo.not_refused", Fault::Bug, "a frozen user was given a token")));
    };
    let mut words = Vec::new();
    report::in_words(
        &mut words,
        &error.to_string(),
        &report::causes(&error),
        &report::hints(&error),
        teller.colour(),
    )?;
    let words = String::from_utf8_lossy(&words).into_owned();
    let mut lines: Vec<String> = words.lines().map(str::to_string).collect();
    lines.push(format!("{posts} POST: a refusal is not asked again, so nobody is locked out"));
    step.done(
        teller,
        &lines,
        json!({ "token_posts": posts, "message": error.to_string(), "causes": report::causes(&error),
            "hints": report::hints(&error) }),
    )
}

async fn history(teller: &mut Teller, wire: &Wire, tokens: &TokenSource) -> anyhow::Result<Vec<MintRow>> {
    let step = teller.step("Every mint and refusal is in the store, and no token is");
    let store = wire.store();
    let mut rows = store.mints(MintQuery::default()).await.map_err(told)?;
    rows.reverse();
    let held = tokens.kept(&Need::default());
    if let (Some(held), Location::Sqlite { path }) = (held, wire.store_location()) {
        for end in ["", "-wal"] {
            let mut file = path.clone().into_os_string();
            file.push(end);
            let bytes = std::fs::read(file).unwrap_or_default();
            let token = held.token.expose().as_bytes();
            if bytes.windows(token.len()).any(|window| window == token) {
                return Err(told(Complaint::new("demo.secret", Fault::Bug, "the store holds a token")));
            }
        }
    }
    step.done(teller, &super::tell::table(&rows)?, json!({ "mints": &rows }))?;
    Ok(rows)
}

/// The token is revoked, so that nothing that works is left, and what the frozen user taught is forgotten.
async fn clean_up(stage: &Stage, teller: &mut Teller, tokens: &TokenSource) -> anyhow::Result<()> {
    let step = teller.step("The token is revoked");
    let revoked = tokens.revoke().await.map_err(told_of(stage.name()))?;
    let says = match &revoked {
        Some((id, Revoked::Ended)) => format!("{id}: its session is over at the org, the cache is empty"),
        Some((id, Revoked::WasOver(_))) => format!("{id} was over already"),
        None => "none was kept".to_string(),
    };
    step.done(teller, &[says], json!({ "token_id": revoked.map(|(id, _)| id) }))
}

use std::io::Write;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;
use zeroize::Zeroizing;

use super::report::told_of;
use super::wire::{Wire, block_on, print};
use super::{Exit, Global};
use crate::base::{ApiVersion, Connection};
use crate::token::{Handed, Need, Origin};

/// Print a valid access token
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  curl -H \"$(sfmint token --format header)\" https://acme.my.salesforce.com/services/data/v67.0/limits\n  eval \"$(sfmint token --format env)\"\n\nThe token is kept, and shared by all processes of one user. Where its life is known\n(session_timeout_seconds), asking every minute logs in once an hour or two; else every ten minutes."
)]
pub struct Verb {
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Raw, value_name = "FORMAT")]
    format: Format,
    /// Mint a new one, whatever is kept
    #[arg(long)]
    fresh: bool,
    /// Seconds it must still be good for; where its life is not known, 900 from its mint are counted on
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    min_valid: u64,
}

/// How a token is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The token alone
    Raw,
    /// A JSON object with everything known of it
    Json,
    /// Shell assignments: SF_ACCESS_TOKEN, SF_INSTANCE_URL and the rest
    Env,
    /// An HTTP header line: `Authorization: Bearer ...`
    Header,
}

/// The shape of `--format json`; times are RFC 3339 in UTC, `expires_at` is null where nobody knows.
#[derive(Serialize)]
struct Document<'a> {
    access_token: &'a str,
    token_type: &'static str,
    instance_url: &'a str,
    connection: &'a str,
    username: &'a str,
    org_id: &'a str,
    user_id: &'a str,
    scope: String,
    minted_at: String,
    expires_at: Option<String>,
    source: &'static str,
}

/// Prints the token of a connection: the kept one without any ado, else a new one.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let connection = wire.connection()?;
    let name = connection.name.clone();
    let tokens = wire.tokens(connection)?;
    let need = Need {
        fresh: verb.fresh,
        min_valid: Duration::from_secs(verb.min_valid),
        wait_for_renewal: true,
        ..Need::default()
    };
    let handed = match tokens.kept(&need) {
        Some(handed) => handed,
        None => block_on(async { tokens.hand(need).await.map_err(told_of(&name)) })?,
    };
    if handed.origin == Origin::Cache {
        crate::token::tell(&handed, tokens.connection(), "kept", &*wire.clock());
    }
    let format = if global.json { Format::Json } else { verb.format };
    let text = text(&handed, tokens.connection(), format, || wire.api_version(&tokens))?;
    print(|out| out.write_all(&text))
}

/// The token in a format; `version` is asked for only where it is printed.
fn text(
    handed: &Handed,
    connection: &Connection,
    format: Format,
    version: impl FnOnce() -> ApiVersion,
) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let token = &handed.token;
    let mut out = Zeroizing::new(Vec::with_capacity(8192));
    match format {
        Format::Raw => writeln!(out, "{}", token.expose())?,
        Format::Header => writeln!(out, "Authorization: Bearer {}", token.expose())?,
        Format::Env => {
            for (name, value) in super::exec::variables(token, version()) {
                // Opaque tokens hold a `!`, which shells expand outside single quotes.
                writeln!(out, "export {name}='{}'", value.expose().replace('\'', "'\\''"))?;
            }
        }
        Format::Json => {
            let document = Document {
                access_token: token.expose(),
                token_type: "Bearer",
                instance_url: token.instance_url.as_str(),
                connection: connection.name.as_str(),
                username: token.username.as_str(),
                org_id: token.org_id.as_str(),
                user_id: token.user_id.as_str(),
                scope: token.scope.join(" "),
                minted_at: token.minted_at.to_string(),
                expires_at: token.expires_at.map(|at| at.to_string()),
                source: match handed.origin {
                    Origin::Minted => "minted",
                    Origin::Cache => "cache",
                },
            };
            serde_json::to_writer_pretty(&mut *out, &document)?;
            out.push(b'\n');
        }
    }
    Ok(out)
}

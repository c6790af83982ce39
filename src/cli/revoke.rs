use serde::Serialize;

use super::report::told_of;
use super::wire::{Wire, block_on, print, print_json};
use super::{Exit, Global};
use crate::token::Revoked;

/// End the access token of a connection, and forget it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The session ends at Salesforce for everybody who holds the token. The next `sfmint token` mints another."
)]
pub struct Verb {}

#[derive(Serialize)]
struct Document {
    connection: String,
    token_id: Option<String>,
    outcome: &'static str,
}

/// Ends the session, then forgets the token.
pub fn run(_: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let connection = wire.connection()?;
    let name = connection.name.clone();
    let tokens = wire.tokens(connection)?;
    let revoked = block_on(async { tokens.revoke().await.map_err(told_of(&name)) })?;
    if global.json {
        let outcome = match &revoked {
            Some((_, Revoked::Ended)) => "revoked",
            Some((_, Revoked::WasOver(_))) => "was_over",
            None => "none_kept",
        };
        let token_id = revoked.map(|(id, _)| id.to_string());
        return print_json(&Document { connection: name.to_string(), token_id, outcome });
    }
    print(|out| match revoked {
        Some((id, Revoked::Ended)) => writeln!(out, "token {id} of `{name}` is revoked and forgotten"),
        Some((id, Revoked::WasOver(reason))) => {
            writeln!(out, "token {id} of `{name}` was over already ({reason}); it is forgotten")
        }
        None => writeln!(out, "no token of `{name}` was kept; nothing to revoke"),
    })
}

use std::io::Write;
use std::path::PathBuf;

use crate::base::{Connection, ConnectionName};
use crate::token::{Claimant, Handed, Need};

use super::super::report::told_of;
use super::super::wire::{Wire, block_on, print, print_json};
use super::super::{Exit, Global};
use super::places::Places;
use super::tell::{Story, flags, shown};

/// Asks for a token, as every later command will: configuration, key, certificate, app and approval in one.
fn mint(name: &ConnectionName, global: &Global) -> anyhow::Result<Handed> {
    let global = Global { connection: Some(name.to_string()), ..global.clone() };
    let wire = Wire::new(&global)?;
    let tokens = wire.tokens(wire.connection()?)?;
    let need = Need { fresh: true, wait_for_renewal: true, claimant: Claimant::Proof, ..Need::default() };
    block_on(async { tokens.hand(need).await.map_err(told_of(name)) })
}

/// The end of a run that made the connection.
pub fn first(
    name: &ConnectionName,
    story: &Story<'_>,
    made: &[PathBuf],
    global: &Global,
) -> anyhow::Result<Exit> {
    let handed = mint(name, global).inspect_err(|_| {
        if !global.json && !global.quiet {
            // Talk; the error that follows is what counts.
            let _ = writeln!(
                std::io::stderr(),
                "The connection is written and stays. Salesforce takes 2 to 10 minutes to know a new app or certificate; then run `sfmint init {name}{}` again.",
                flags(global)
            );
        }
    })?;
    if global.json {
        return print_json(&story.document("ready", made, Some(&handed), &next(name, global)));
    }
    proven(name, &handed, global)
}

/// The end of a run that found the connection configured.
pub fn again(known: &Connection, places: &Places, global: &Global) -> anyhow::Result<Exit> {
    if !global.json {
        print(|out| writeln!(out, "`{}` is configured already, in {}", known.name, shown(&places.config)))?;
    }
    let handed = mint(&known.name, global)?;
    if global.json {
        return print_json(&serde_json::json!({
            "state": "ready",
            "connection": known.name.as_str(),
            "config_file": places.config,
            "written": [],
            "token_id": handed.token.id(),
            "org_id": handed.token.org_id.as_str(),
            "username": handed.token.username.as_str(),
            "next": next(&known.name, global),
        }));
    }
    proven(&known.name, &handed, global)
}

fn proven(name: &ConnectionName, handed: &Handed, global: &Global) -> anyhow::Result<Exit> {
    let token = &handed.token;
    print(|out| {
        writeln!(
            out,
            "token        minted: {} in org {}, at {}\n\nready. Try:\n",
            token.username, token.org_id, token.instance_url
        )?;
        next(name, global).iter().try_for_each(|command| writeln!(out, "  {command}"))
    })
}

/// What to try with a connection that works.
fn next(name: &ConnectionName, global: &Global) -> Vec<String> {
    let flags = flags(global);
    vec![
        format!("sfmint token{flags} -c {name} --format header"),
        format!("sfmint exec{flags} -c {name} -- sh -c 'echo \"a token for $SF_USERNAME\"'"),
        format!("sfmint config show{flags}"),
    ]
}

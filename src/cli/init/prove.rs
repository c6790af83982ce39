use std::path::PathBuf;

use crate::base::{Connection, ConnectionName};
use crate::token::{Claimant, Handed, Need};

use super::super::report::told_of;
use super::super::wire::{Wire, block_on, print, print_json};
use super::super::{Exit, Global};
use super::places::Places;
use super::tell::{Story, shown};

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
    let handed = mint(name, global)?;
    if global.json {
        return print_json(&story.document("ready", made, Some(&handed), Vec::new()));
    }
    proven(name, &handed)
}

/// The end of a run that found the connection configured.
pub fn again(known: &Connection, places: &Places, global: &Global) -> anyhow::Result<Exit> {
    if !global.json {
        print(|out| writeln!(out, "`{}` is configured already, at {}", known.name, shown(&places.config)))?;
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
            "next": next(&known.name),
        }));
    }
    proven(&known.name, &handed)
}

fn proven(name: &ConnectionName, handed: &Handed) -> anyhow::Result<Exit> {
    let token = &handed.token;
    print(|out| {
        writeln!(
            out,
            "token        minted: {} in org {}, at {}\n\nready. Try:\n",
            token.username, token.org_id, token.instance_url
        )?;
        next(name).iter().try_for_each(|command| writeln!(out, "  {command}"))
    })
}

/// What to try with a connection that works.
pub fn next(name: &ConnectionName) -> Vec<String> {
    vec![
        format!("sfmint token -c {name} --format header"),
        format!("sfmint exec -c {name} -- CMD"),
        format!("sfmint config show -c {name}"),
    ]
}

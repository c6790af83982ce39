use std::io::{self, Write};

use super::render;
use super::report::{told, told_of};
use super::wire::{Wire, block_on, print, print_json};
use super::{Exit, Global};
use crate::health::{self, ConnectionStatus, MintStatus};

/// Show how connections stand, from what is known on this machine
#[derive(Debug, clap::Args)]
#[command(after_help = "Sends nothing and reads no key. Without --connection, every connection is shown.")]
pub struct Verb {}

/// Shows one connection, or all.
pub fn run(_: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let names: Vec<String> = match &global.connection {
        Some(name) => vec![name.clone()],
        None => wire.settings().connection_names().map(|name| name.to_string()).collect(),
    };
    let store = wire.store();
    let clock = wire.clock();
    let all = block_on(async {
        let mut all = Vec::new();
        for name in &names {
            let connection = wire.settings().connection(name.as_str()).map_err(told)?;
            let name = connection.name.clone();
            let tokens = wire.tokens(connection)?;
            all.push(health::status(&tokens, Some(&*store), &*clock).await.map_err(told_of(&name))?);
        }
        Ok(all)
    })?;
    if global.json {
        return print_json(&serde_json::json!({ "connections": all }));
    }
    print(|out| all.iter().try_for_each(|status| tell(out, status)))
}

fn tell(out: &mut dyn Write, status: &ConnectionStatus) -> io::Result<()> {
    let line = |out: &mut dyn Write, key: &str, says: String| writeln!(out, "  {key:<12} {says}");
    writeln!(out, "{}: {} at {}", status.connection, status.username, status.login_url)?;
    let token = match &status.token {
        None => "none kept; the next call mints one".to_string(),
        Some(token) => {
            let due = match token.due_in_seconds {
                Some(seconds) => format!("next renewal in {}", span(seconds)),
                None => "renewed when it is refused".to_string(),
            };
            let from = token.lifetime_from;
            format!("{}, {}, {} old, {due} (life: {from})", token.id, token.standing, span(token.age_seconds))
        }
    };
    line(out, "token", token)?;
    for certificate in &status.certificates {
        let says = match (&certificate.trouble, certificate.not_after, certificate.days_left) {
            (Some(trouble), _, _) => trouble.clone(),
            (None, Some(end), Some(days)) => format!("{days} days left, until {end}"),
            _ => "none named; a wrong key is found by Salesforce only".to_string(),
        };
        line(out, "certificate", format!("{}: {says}", certificate.credential))?;
    }
    let mint = |mint: &MintStatus| {
        let why = mint.salesforce.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let code = mint.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        format!("{} {}{code}{why}, {} ms", mint.at, mint.outcome, mint.duration_ms)
    };
    line(out, "last mint", status.last_mint.as_ref().map_or("none in the history".into(), mint))?;
    if let Some(failure) = &status.last_failure {
        line(out, "last failure", mint(failure))?;
    }
    line(out, "mints", format!("{} of {} in the last hour", status.mints_used, status.mint_budget_per_hour))?;
    if let Some(skew) = status.skew_seconds.filter(|skew| skew.abs() > 1) {
        line(out, "clock", format!("the org's is {skew} s ahead of this machine's"))?;
    }
    Ok(())
}

fn span(seconds: u64) -> String {
    render::span(i64::try_from(seconds).unwrap_or(i64::MAX))
}

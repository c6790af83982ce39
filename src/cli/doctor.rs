use std::io::Write;

use super::report::told_of;
use super::wire::{Wire, block_on, print_json};
use super::{Exit, Global, render};
use crate::base::{Finding, Level};
use crate::health::{self, About, Report};

/// Look at every step from the configuration to the API, and say what to change
#[derive(Debug, clap::Args)]
#[command(
    after_help = "One new token is minted, whatever is kept. Nothing in the org changes.\n\nExamples:\n  sfmint doctor\n  sfmint doctor --probe     which host and audience belong together\n  sfmint doctor --org       the app's policies and the user's rights, as far as the token may read them"
)]
pub struct Verb {
    /// Try login hosts and audiences against each other, once each, and print the pair to pin
    #[arg(long, conflicts_with = "org")]
    probe: bool,
    /// Ask the org about the app, the user, and who changed what
    #[arg(long)]
    org: bool,
}

/// Says each finding as it comes; ends as the first failure's fault says.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let connection = wire.connection()?;
    let name = connection.name.clone();
    let client = wire.client(connection)?;
    let clock = wire.clock();
    let colour = global.colour(&std::io::stdout());
    let mut say = |finding: &Finding| {
        if !global.json {
            let mut stdout = std::io::stdout().lock();
            // A reader who has seen enough stops no examination.
            let _ = render::finding(&mut stdout, finding, colour).and_then(|()| stdout.flush());
        }
    };
    let report = block_on(async {
        if verb.probe {
            return Ok(health::probe(client.tokens(), &clock, Some(&wire.store()), &mut say).await.report);
        }
        let mut report = health::doctor(&client, &*clock, &mut say).await;
        if verb.org && report.fault.is_none() {
            let token = client.tokens().token().await.map_err(told_of(&name))?;
            let about = About { user_id: token.user_id.clone(), app: None };
            let of_org = health::org(&client, &about, &*clock, &mut say).await;
            report.findings.extend(of_org.findings);
            report.fault = of_org.fault;
        }
        Ok(report)
    })?;
    if global.json {
        print_json(&report)?;
    } else {
        sum_up(&report)?;
    }
    Ok(report.fault.map_or(Exit::Done, Exit::from))
}

/// Counts what was found.
pub fn sum_up(report: &Report) -> anyhow::Result<Exit> {
    let count = |level| report.findings.iter().filter(|finding| finding.level == level).count();
    let (ok, warned, failed) = (count(Level::Ok), count(Level::Warn), count(Level::Fail));
    super::wire::print(|out| writeln!(out, "\n{ok} ok, {warned} to watch, {failed} to change"))
}

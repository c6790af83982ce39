use std::io::Write;
use std::path::PathBuf;

use crate::base::{Connection, ConnectionName, Finding};
use crate::health::{self, Report};

use super::super::wire::{Wire, block_on, print, print_json};
use super::super::{Exit, Global, doctor, render};
use super::places::Places;
use super::tell::{Story, flags, shown};

/// Looks at the connection as `sfmint doctor` does: configuration, key, certificate, network, app and approval in one.
fn examine(name: &ConnectionName, global: &Global) -> anyhow::Result<Report> {
    let global = Global { connection: Some(name.to_string()), ..global.clone() };
    let wire = Wire::new(&global)?;
    let client = wire.client(wire.connection()?)?;
    let clock = wire.clock();
    let colour = global.colour(&std::io::stdout());
    let mut say = |finding: &Finding| {
        if !global.json {
            let mut stdout = std::io::stdout().lock();
            // A reader who has seen enough stops no examination.
            let _ = render::finding(&mut stdout, finding, colour).and_then(|()| stdout.flush());
        }
    };
    block_on(async { Ok(health::doctor(&client, &*clock, &mut say).await) })
}

/// The end of a run that made the connection.
pub fn first(
    name: &ConnectionName,
    story: &Story<'_>,
    made: &[PathBuf],
    global: &Global,
) -> anyhow::Result<Exit> {
    let report = examine(name, global)?;
    if global.json {
        print_json(&story.document(state(&report), made, Some(&report), &next(name, &report, global)))?;
    } else {
        told(name, &report, global)?;
    }
    Ok(report.fault.map_or(Exit::Done, Exit::from))
}

/// The end of a run that found the connection configured.
pub fn again(known: &Connection, places: &Places, global: &Global) -> anyhow::Result<Exit> {
    if !global.json {
        print(|out| writeln!(out, "`{}` is configured already, in {}\n", known.name, shown(&places.config)))?;
    }
    let report = examine(&known.name, global)?;
    if global.json {
        print_json(&serde_json::json!({
            "state": state(&report),
            "connection": known.name.as_str(),
            "config_file": places.config,
            "written": [],
            "findings": report.findings,
            "fault": report.fault,
            "next": next(&known.name, &report, global),
        }))?;
    } else {
        told(&known.name, &report, global)?;
    }
    Ok(report.fault.map_or(Exit::Done, Exit::from))
}

fn state(report: &Report) -> &'static str {
    if report.fault.is_none() { "ready" } else { "not_ready" }
}

fn told(name: &ConnectionName, report: &Report, global: &Global) -> anyhow::Result<Exit> {
    doctor::sum_up(report)?;
    print(|out| {
        match report.fault {
            None => writeln!(out, "\nready. Try:\n")?,
            Some(_) => writeln!(
                out,
                "\nThe connection is written and stays. A new app or certificate takes 2 to 10 minutes until every server\nof Salesforce knows it. When what is said above is changed, run\n"
            )?,
        }
        next(name, report, global).iter().try_for_each(|command| writeln!(out, "  {command}"))
    })
}

/// What to try with a connection that works; with one that does not, this again.
fn next(name: &ConnectionName, report: &Report, global: &Global) -> Vec<String> {
    let flags = flags(global);
    match report.fault {
        Some(_) => vec![format!("sfmint init {name}{flags}")],
        None => vec![
            format!("sfmint token{flags} -c {name} --format header"),
            format!("sfmint query{flags} -c {name} 'SELECT Id, Name FROM Account LIMIT 5'"),
            format!("sfmint exec{flags} -c {name} -- sh -c 'echo \"a token for $SF_USERNAME\"'"),
        ],
    }
}

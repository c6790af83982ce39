use clap::Subcommand;

use super::report::told;
use super::wire::{Wire, print, print_json};
use super::{Exit, Global, render};
use crate::base::Level;
use crate::config::{self, Environment, Flags, Settings};

/// Look at the configuration
#[derive(Debug, clap::Args)]
pub struct Verb {
    /// What to do with it.
    #[command(subcommand)]
    what: What,
}

/// What can be done with a configuration.
#[derive(Debug, Subcommand)]
enum What {
    /// Find every mistake, each with file, line and what is accepted
    Check,
    /// Show every value in force and where it comes from; secrets are never shown
    Show,
    /// Print the JSON Schema of the configuration file
    Schema,
    /// List the environment variables that mean something, and which are set
    Env,
}

/// Looks at the configuration; sends nothing.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    match verb.what {
        What::Check => check(global),
        What::Show => show(global),
        What::Schema => print_json(&config::schema()),
        What::Env => env(global),
    }
}

fn check(global: &Global) -> anyhow::Result<Exit> {
    let flags = Flags { config: global.config.clone(), state_dir: global.state_dir.clone() };
    let settings = Settings::from_layers(flags, &Environment::from_process()).map_err(told)?;
    if settings.connection_names().next().is_none() {
        settings.connection(None).map_err(told)?;
    }
    let findings = settings.check();
    let worst = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok);
    if global.json {
        print_json(&serde_json::json!({ "findings": findings }))?;
    } else {
        let colour = global.colour(&std::io::stdout());
        print(|out| {
            findings.iter().try_for_each(|finding| render::finding(out, finding, colour))?;
            let connections: Vec<&str> = settings.connection_names().map(|name| name.as_str()).collect();
            let file = settings
                .config_file()
                .map_or("the environment alone".into(), |path| path.display().to_string());
            write!(out, "{file}: {} connection(s): {}", connections.len(), connections.join(", "))?;
            let jobs: Vec<String> = settings.jobs().iter().map(|job| job.name.to_string()).collect();
            match jobs.is_empty() {
                true => writeln!(out),
                false => writeln!(out, "; {} job(s): {}", jobs.len(), jobs.join(", ")),
            }
        })?;
    }
    Ok(if worst == Level::Fail { Exit::Config } else { Exit::Done })
}

fn show(global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let lines = wire.settings().show();
    if global.json {
        return print_json(&serde_json::json!({ "values": lines }));
    }
    let rows: Vec<Vec<String>> = lines
        .into_iter()
        .map(|line| vec![line.section, line.key.to_string(), line.value, line.origin.to_string()])
        .collect();
    print(|out| render::columns(out, &["section", "key", "value", "from"], &rows))
}

fn env(global: &Global) -> anyhow::Result<Exit> {
    let variables = config::variables(&Environment::from_process());
    if global.json {
        return print_json(&serde_json::json!({ "variables": variables }));
    }
    let rows: Vec<Vec<String>> = variables
        .into_iter()
        .map(|variable| {
            let holds =
                variable.value.unwrap_or_else(|| if variable.is_set { "(set)" } else { "" }.to_string());
            vec![variable.name.to_string(), holds, variable.says.to_string()]
        })
        .collect();
    print(|out| render::columns(out, &["variable", "holds", "says"], &rows))
}

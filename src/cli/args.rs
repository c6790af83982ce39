use std::io::IsTerminal;
use std::path::PathBuf;

use crate::config::Environment;
use clap::{ArgAction, Parser, Subcommand, ValueEnum};

/// Salesforce access tokens from a certificate, for work that runs with nobody watching.
#[derive(Debug, Parser)]
#[command(
    name = "sfmint",
    version,
    propagate_version = true,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(
    after_help = "Begin with `sfmint demo`: it needs no Salesforce org.\nExit codes: 0 done, 1 a predicate says no, 2 usage, 65 data, 70 bug, 74 disk, 75 try again later, 77 refused, 78 configuration."
)]
pub struct Args {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options everywhere")]
pub struct Global {
    /// The connection; the only one, or `default`, when left out
    #[arg(short, long, global = true, value_name = "NAME")]
    pub connection: Option<String>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where kept tokens and the history live
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// One JSON document on stdout; a failure is the last line of stderr, as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say what is done; twice: every request
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// How log lines on stderr look
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// No progress bars
    #[arg(long, global = true)]
    pub no_progress: bool,
}

impl Global {
    /// Whether text for `stream` may be coloured: a terminal, and `NO_COLOR` is not set, or set to nothing (<https://no-color.org>).
    pub fn colour(&self, stream: &impl IsTerminal) -> bool {
        stream.is_terminal() && !Environment::from_process().is_set("NO_COLOR")
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Every verb, in the order in which people meet them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See it work: real calls against the built-in org, in a few seconds
    Demo(super::demo::Verb),
    /// Set up a connection: key, certificate, and the app for the administrator
    Init(super::init::Verb),
    /// Print a valid access token
    Token(super::token::Verb),
    /// Run a program with an access token in its environment
    Exec(super::exec::Verb),
    /// Make an authenticated call
    Api(super::api::Verb),
    /// Run a SOQL query and print its rows
    Query(super::query::Verb),
    /// Load the rows of a file into an object, by the Bulk API
    Load(super::load::Verb),
    /// Sync jobs: run them, list them, look at their history, verify, reset
    Sync(super::sync::Verb),
    /// Look at every step from the configuration to the API, and say what to change
    Doctor(super::doctor::Verb),
    /// Show how connections stand, from what is known on this machine
    Status(super::status::Verb),
    /// End the access token of a connection, and forget it
    Revoke(super::revoke::Verb),
    /// Run the built-in org: a small, strict Salesforce on this machine
    Emulator(super::emulator::Verb),
    /// Look at the configuration: check, show, schema, env
    Config(super::config::Verb),
    /// Look after the store: info, migrate, prune, rebuild
    Store(super::store::Verb),
    /// Print a shell's completion script
    Completions(super::completions::Verb),
    /// Print or write the manual pages
    Man(super::man::Verb),
}

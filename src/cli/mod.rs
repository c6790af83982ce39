//! Words people type, and words they read back.
//!
//! One file a verb; what they share is how errors are told (`report`), which number the process ends with (`exit`) and
//! where the floors are joined (`wire`). Nothing is decided here. Start at [`run`].

mod api;
mod args;
mod completions;
mod config;
mod demo;
mod doctor;
mod emulator;
mod exec;
mod exit;
mod init;
#[cfg(unix)]
mod init_process;
mod load;
mod log;
mod man;
mod query;
mod render;
mod report;
mod revoke;
mod shutdown;
mod status;
mod store;
mod sync;
mod token;
mod whole_file;
mod wire;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

pub use args::{Args, Command, Global};
pub use exit::Exit;

/// Runs the command line `args`, the program's name first, and says how the process ends.
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let args = match command().try_get_matches_from(args).and_then(|matches| Args::from_arg_matches(&matches))
    {
        Ok(args) => args,
        Err(error) => {
            // Help and version are data; a mistake is talk. Either may find its pipe closed.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
    };
    log::start(&args.global);
    match dispatch(&args) {
        Ok(exit) => exit.into(),
        Err(error) => report::failure(&error, &args.global).into(),
    }
}

/// The whole command line as clap knows it: for parsing, completions, man pages and the reference.
pub fn command() -> clap::Command {
    Args::command()
}

fn dispatch(args: &Args) -> anyhow::Result<Exit> {
    let global = &args.global;
    match &args.command {
        Command::Demo(verb) => demo::run(verb, global),
        Command::Init(verb) => init::run(verb, global),
        Command::Token(verb) => token::run(verb, global),
        Command::Exec(verb) => exec::run(verb, global),
        Command::Revoke(verb) => revoke::run(verb, global),
        Command::Emulator(verb) => emulator::run(verb, global),
        Command::Api(verb) => api::run(verb, global),
        Command::Query(verb) => query::run(verb, global),
        Command::Load(verb) => load::run(verb, global),
        Command::Doctor(verb) => doctor::run(verb, global),
        Command::Status(verb) => status::run(verb, global),
        Command::Config(verb) => config::run(verb, global),
        Command::Sync(verb) => sync::run(verb, global),
        Command::Store(verb) => store::run(verb, global),
        Command::Completions(verb) => completions::run(verb),
        Command::Man(verb) => man::run(verb),
    }
}

use std::ffi::OsString;
use std::io;
use std::process::Command;

use super::report::{Complaint, told_of, told_with};
use super::wire::{Wire, block_on};
use super::{Exit, Global};
use crate::base::{AccessToken, ApiVersion, Fault, Secret};
use crate::token::Need;

/// Run a program with an access token in its environment
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The program finds SF_ACCESS_TOKEN, SF_INSTANCE_URL, SF_USERNAME, SF_ORG_ID and SF_API_VERSION.\nVariables that hold a key, passphrase or proxy of any connection are not passed on.\n\nExample:\n  sfmint exec -- python3 nightly.py"
)]
pub struct Verb {
    /// Seconds the token must still be good for when the program starts
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    min_valid: u64,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    argv: Vec<OsString>,
}

/// What a child is told of a token and of the API version to speak.
pub fn variables(token: &AccessToken, version: ApiVersion) -> Vec<(&'static str, Secret<String>)> {
    let plain = |text: &str| Secret::new("variable", text.to_string());
    vec![
        ("SF_ACCESS_TOKEN", Secret::new("access token", token.expose().to_string())),
        ("SF_INSTANCE_URL", plain(token.instance_url.as_str())),
        ("SF_USERNAME", plain(token.username.as_str())),
        ("SF_ORG_ID", plain(token.org_id.as_str())),
        ("SF_API_VERSION", plain(&version.to_string())),
    ]
}

/// Becomes the program, or, as the first process of a container, watches over it.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let connection = wire.connection()?;
    let name = connection.name.clone();
    let tokens = wire.tokens(connection)?;
    let need = Need {
        min_valid: std::time::Duration::from_secs(verb.min_valid),
        wait_for_renewal: true,
        ..Need::default()
    };
    let handed = match tokens.kept(&need) {
        Some(handed) => handed,
        None => block_on(async { tokens.hand(need).await.map_err(told_of(&name)) })?,
    };
    let version = wire.api_version(&tokens);
    let [program, arguments @ ..] = verb.argv.as_slice() else { return Ok(Exit::Usage) };
    let mut command = Command::new(program);
    command.args(arguments);
    for name in wire.settings().secret_variables() {
        command.env_remove(name);
    }
    for (name, value) in variables(&handed.token, version) {
        command.env(name, value.expose());
    }
    become_program(command)
}

/// Replaces this process by the program, so that signals, exit code and terminal are its own; nothing of sfmint stays in memory.
///
/// As process 1 of a container we stay instead: a program there would get no default action for its
/// signals, and its orphans would have nobody. We pass signals on and bury orphans.
#[cfg(unix)]
fn become_program(mut command: Command) -> anyhow::Result<Exit> {
    if std::process::id() == 1 {
        return super::init_process::watch(command);
    }
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    cannot_run(&command, error)
}

#[cfg(not(unix))]
fn become_program(mut command: Command) -> anyhow::Result<Exit> {
    match command.status() {
        Ok(status) => Ok(Exit::Child(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))),
        Err(error) => cannot_run(&command, error),
    }
}

/// 127 where there is no such program, 126 where it cannot be run: what shells say.
pub(super) fn cannot_run(command: &Command, error: io::Error) -> anyhow::Result<Exit> {
    let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
    let program = command.get_program().to_string_lossy();
    let complaint =
        Complaint::new("exec.cannot_run", Fault::Misuse, format!("`{program}` cannot be run")).because(error);
    Err(told_with(Exit::Child(code), complaint))
}

use std::path::PathBuf;

use crate::config::{Environment, Settings};

use super::super::report::told;
use super::answers::quoted;
use super::ask::Wanted;
use super::places::Places;
use super::write;

/// What a new config file holds.
const MAIN: &str = "\
# sfmint's configuration. Connections are in connections.d/, a file each; `sfmint config show` shows what is in force.
# [defaults]
# keep_history_days = 400
";

/// Writes the connection, and the config file where there is none. Back come the paths.
///
/// Both are checked as the configuration they will be, before either is written.
///
/// # Errors
///
/// `init.exists` where a file of that name holds something else; those of the check.
pub fn write(places: &Places, wanted: &Wanted, session_timeout_minutes: u32) -> anyhow::Result<Vec<PathBuf>> {
    let text = text(wanted, session_timeout_minutes);
    Settings::check_text(&places.connection, &text, &Environment::default()).map_err(told)?;
    let mut made = Vec::new();
    if !places.config_is_there {
        write::new(&places.config, MAIN.as_bytes())?;
        made.push(places.config.clone());
    }
    // A run that was killed here has left its file, which is this one.
    if std::fs::read(&places.connection).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(made);
    }
    write::new(&places.connection, text.as_bytes())?;
    made.push(places.connection.clone());
    Ok(made)
}

/// The connection as a user would write it. Relative paths start where the file is.
pub fn text(wanted: &Wanted, session_timeout_minutes: u32) -> String {
    let Wanted { name, client_id, login_url, username } = wanted;
    format!(
        "# Made by `sfmint init {name}`, which does not change it again: it is yours to edit.\n\
         [connections.{name}]\n\
         login_url = {}\n\
         client_id = {}\n\
         username = {}\n\
         key = {{ file = \"../certs/{name}/current.key\" }}\n\
         certificate = \"../certs/{name}/current.crt\"\n\
         # As the app's policy has it; tokens are renewed before it ends.\n\
         session_timeout_seconds = {}\n",
        quoted(login_url.as_str()),
        quoted(client_id.as_str()),
        quoted(username.as_str()),
        u64::from(session_timeout_minutes) * 60,
    )
}

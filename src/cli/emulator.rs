use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::report::{Complaint, told};
use super::wire::{block_on, print, read_input};
use super::{Exit, Global, shutdown};
use crate::base::Fault;
use crate::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME, Org, OrgConfig};
use crate::token::SystemClock;

/// Run the built-in org: a small, strict Salesforce on this machine
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The first line of stdout is the org's URL: login URL, audience and instance URL in one.\nThe ready org has one user and two apps that wait for a certificate:\n  sfmint emulator --certificate dev.crt\n`--config FILE` describes another org. Its state is changed over HTTP below /_emulator, as docs/reference/emulator.md says."
)]
pub struct Verb {
    /// Address to listen on; loopback only, port 0 for any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The certificate to put on every app that has none
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

/// Serves until it is told to stop.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let unusable = |says: String| told(Complaint::new("org.invalid", Fault::Misuse, says));
    let mut config = match &global.config {
        Some(path) => {
            let text = String::from_utf8_lossy(&read_input(path)?).into_owned();
            let reason = |error: &dyn std::error::Error| {
                error.source().map_or(error.to_string(), |cause| cause.to_string())
            };
            OrgConfig::from_toml(&text)
                .map_err(|error| unusable(format!("{}: {}", path.display(), reason(&error).trim_end())))?
        }
        None => OrgConfig::default(),
    };
    if let Some(path) = &verb.certificate {
        let pem = crate::crypto::read_certificate(&read_input(path)?).map_err(told)?.pem();
        for app in config.apps.iter_mut().filter(|app| app.certificate.is_none()) {
            app.certificate = Some(pem.clone());
        }
    }
    block_on(async {
        let org = Org::start(config, Arc::new(SystemClock::new()), verb.listen).await;
        let org = org.map_err(|error| {
            told(
                Complaint::new("org.cannot_start", Fault::Misuse, "the built-in org cannot start")
                    .because(error),
            )
        })?;
        let asked = shutdown::asked();
        print(|out| writeln!(out, "{}", org.url()))?;
        if !global.quiet {
            eprint_line(&format!(
                "the built-in org is up; user {DEMO_USERNAME}, consumer key {DEMO_CONSUMER_KEY}"
            ));
        }
        asked.await;
        org.stop().await;
        Ok(Exit::Done)
    })
}

/// Talk, for people; nobody reads it by machine.
fn eprint_line(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

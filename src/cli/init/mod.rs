//! `sfmint init`: from nothing to a connection, with the Salesforce administrator in the middle.
//!
//! Makes key, certificate, the app to create and a packet to hand over; goes on with the same key once the consumer key is
//! known. Decides nothing about apps (`api::metadata`) or keys (`crypto`). Start at [`run`].

mod answers;
mod ask;
mod connection_file;
mod credential;
mod handover;
mod packet;
mod places;
mod prove;
mod tell;
#[cfg(test)]
mod tests;
mod write;

use std::path::PathBuf;

use crate::api::metadata::AppPackage;
use crate::base::{ConnectionName, ConsumerKey, LoginUrl, Username};
use crate::crypto::Certificate;

use super::report::told;
use super::{Exit, Global};

use answers::Answers;

pub use ask::Wanted;
pub use connection_file::write as write_connection;
pub use credential::find_or_make;
pub use places::Places;
pub use tell::word;

/// Set up a connection: key, certificate, and the app for the administrator
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --client-id it stops at \"waiting for the Salesforce administrator\", with a packet to hand over.\nRun it again with what comes back, and it goes on with the same key:\n  sfmint init prod --contact-email salesforce-admin@acme.example\n  sfmint init prod --client-id 3MVG9... --login-url https://acme.my.salesforce.com --username integration@acme.example\nA key and certificate of your own are used where they lie as certs/NAME/current.key and current.crt beside the config file.\nNothing of yours is ever overwritten."
)]
pub struct Verb {
    /// What you call the connection: prod, acme-sandbox
    #[arg(value_name = "NAME")]
    name: ConnectionName,
    /// The org's My Domain, such as `https://acme.my.salesforce.com`
    #[arg(long, value_name = "URL")]
    login_url: Option<LoginUrl>,
    /// The consumer key of the app, from the administrator
    #[arg(long, value_name = "KEY")]
    client_id: Option<ConsumerKey>,
    /// The Username that tokens are for
    #[arg(long, value_name = "USER")]
    username: Option<Username>,
    /// What the app is called in Salesforce; `sfmint NAME` when left out
    #[arg(long, value_name = "LABEL")]
    app_name: Option<String>,
    /// Whom Salesforce writes to about the app
    #[arg(long, value_name = "EMAIL")]
    contact_email: Option<String>,
    /// How long a session of the app lives without a call: 15 to 1440, 120 when left out
    #[arg(long, value_name = "MINUTES")]
    session_timeout_minutes: Option<u32>,
    /// How long the certificate holds
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    days: u32,
    /// The size of the key: 2048, 3072 or 4096
    #[arg(long, value_name = "BITS", default_value_t = 2048)]
    bits: u32,
    /// Where what is handed over goes; `handover/NAME` beside the config file when left out
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Ask nothing
    #[arg(long)]
    yes: bool,
}

/// Goes as far as what is known allows.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let places = Places::find(&verb.name, global)?;
    if let Some(known) = places.configured(verb)? {
        return prove::again(&known, &places, global);
    }
    let before = Answers::read(&places.answers)?;
    let asked = ask::what_is_missing(verb, before.as_ref())?;
    let answers = Answers::of(verb, &asked, before.as_ref());
    let credential = credential::find_or_make(&places, &verb.name, verb.days, verb.bits)?;
    let app = app(&verb.name, &answers, &credential.certificate)?;
    let handover = answers.handover(&places);
    // A certificate that was made anew is in none of the files that an earlier run wrote.
    let handed = credential.handed_before(&handover);
    let handed = handed.as_ref().unwrap_or(&credential.certificate);
    let old = before.as_ref().and_then(|old| self::app(&verb.name, old, handed).ok());
    let files = handover::files(&verb.name, &app, &answers, &credential.certificate)?;
    let ours = match (&before, &old) {
        (Some(before), Some(old)) => handover::files(&verb.name, old, before, handed)?,
        _ => Vec::new(),
    };
    let written = write::all(&handover, &files, &ours)?;
    answers.write(&places.answers, &verb.name)?;

    let is_first_run = before.is_none();
    let story = tell::Story {
        verb,
        places: &places,
        credential: &credential,
        app: &app,
        handover,
        written,
        is_first_run,
    };
    let Some(wanted) = asked.connection(&verb.name)? else {
        return story.waiting(global, &answers);
    };
    let made = connection_file::write(&places, &wanted, app.session_timeout_minutes())?;
    story.connected(global, &made)?;
    prove::first(&verb.name, &story, &made, global)
}

/// The app as Salesforce will know it.
fn app(name: &ConnectionName, answers: &Answers, certificate: &Certificate) -> anyhow::Result<AppPackage> {
    AppPackage::new(
        &answers.app_name,
        &format!("sfmint_{name}"),
        &answers.contact_email,
        &certificate.pem(),
        answers.session_timeout_minutes,
    )
    .map_err(told)
}

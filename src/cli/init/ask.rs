use std::io::{self, BufRead, IsTerminal, Write};
use std::str::FromStr;

use crate::base::{ConnectionName, ConsumerKey, Fault, LoginUrl, Username};

use super::super::Exit;
use super::super::report::{Complaint, told_with};
use super::Verb;
use super::answers::{Answers, NO_CONTACT};

/// What flags and answers say about the connection.
#[derive(Debug, Default)]
pub struct Asked {
    pub contact_email: Option<String>,
    pub client_id: Option<ConsumerKey>,
    pub login_url: Option<LoginUrl>,
    pub username: Option<Username>,
}

/// A connection that can be written.
#[derive(Debug)]
pub struct Wanted {
    pub name: ConnectionName,
    pub client_id: ConsumerKey,
    pub login_url: LoginUrl,
    pub username: Username,
}

impl Asked {
    /// The connection, once the administrator has answered; `None` before.
    ///
    /// # Errors
    ///
    /// A consumer key without the rest: usage.
    pub fn connection(&self, name: &ConnectionName) -> anyhow::Result<Option<Wanted>> {
        let Some(client_id) = &self.client_id else { return Ok(None) };
        match (&self.login_url, &self.username) {
            (Some(login_url), Some(username)) => Ok(Some(Wanted {
                name: name.clone(),
                client_id: client_id.clone(),
                login_url: login_url.clone(),
                username: username.clone(),
            })),
            (login_url, username) => {
                let missing = [("--login-url", login_url.is_none()), ("--username", username.is_none())];
                let missing: Vec<&str> =
                    missing.into_iter().filter(|(_, is)| *is).map(|(flag, _)| flag).collect();
                let says = format!("a connection needs {} beside --client-id", missing.join(" and "));
                let complaint = Complaint::new("init.incomplete", Fault::Misuse, says).hint(format!(
                    "run `sfmint init {name} --client-id {client_id} --login-url https://YOUR-DOMAIN.my.salesforce.com --username USERNAME`"
                ));
                Err(told_with(Exit::Usage, complaint))
            }
        }
    }
}

/// Flags first, then what an earlier run knew, then questions, where somebody is there to answer.
pub fn what_is_missing(verb: &Verb, before: Option<&Answers>) -> anyhow::Result<Asked> {
    let earlier = |text: Option<&String>| text.cloned();
    let mut asked = Asked {
        contact_email: verb.contact_email.clone(),
        client_id: verb.client_id.clone(),
        login_url: verb.login_url.clone().or_else(|| earlier(before?.login_url.as_ref())?.parse().ok()),
        username: verb.username.clone().or_else(|| earlier(before?.username.as_ref())?.parse().ok()),
    };
    if verb.yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        // Checked before anything is made, so that a script's mistake leaves nothing behind.
        asked.connection(&verb.name)?;
        return Ok(asked);
    }
    if before.is_none() && asked.contact_email.is_none() && asked.client_id.is_none() {
        let question = format!("E-mail of the Salesforce administrator, for the app [{NO_CONTACT}]");
        asked.contact_email = question_of::<String>(&question)?;
    }
    if asked.client_id.is_none() && before.is_some() {
        asked.client_id = question_of("Consumer key from the administrator [none yet]")?;
    }
    if asked.client_id.is_some() {
        if asked.login_url.is_none() {
            asked.login_url = question_of("My Domain URL of the org, https://...my.salesforce.com")?;
        }
        if asked.username.is_none() {
            asked.username = question_of("Username that tokens are for")?;
        }
    }
    asked.connection(&verb.name)?;
    Ok(asked)
}

/// Asks until the answer fits; `None` for an empty one.
fn question_of<T>(question: &str) -> anyhow::Result<Option<T>>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    answered(question, &mut io::stdin().lock(), &mut io::stderr())
}

pub(super) fn answered<T>(
    question: &str,
    from: &mut impl BufRead,
    to: &mut impl Write,
) -> anyhow::Result<Option<T>>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    loop {
        write!(to, "{question}: ")?;
        to.flush()?;
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 || line.trim().is_empty() {
            return Ok(None);
        }
        match line.trim().parse() {
            Ok(answer) => return Ok(Some(answer)),
            Err(mistake) => writeln!(to, "  {mistake}")?,
        }
    }
}

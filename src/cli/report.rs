use std::error::Error;
use std::fmt;
use std::io::Write;

use serde::Serialize;

use crate::base::{ConnectionName, Explain, Fault, Hint, OAuthError, printable};

use super::{Exit, Global};

/// An error of a room on its way to the person who reads it, with the connection it happened to.
#[derive(Debug)]
pub struct Told {
    error: Box<dyn Explain + Send + Sync>,
    connection: Option<ConnectionName>,
    exit: Option<Exit>,
}

/// Takes a room's error up: `.map_err(told)?`.
pub fn told(error: impl Explain + Send + Sync + 'static) -> anyhow::Error {
    Told { error: Box::new(error), connection: None, exit: None }.into()
}

/// The same, where the number the process ends with is not the fault's.
pub fn told_with(exit: Exit, error: impl Explain + Send + Sync + 'static) -> anyhow::Error {
    Told { error: Box::new(error), connection: None, exit: Some(exit) }.into()
}

/// The same, for an error that happened to one connection: `.map_err(told_of(&connection.name))?`.
pub fn told_of<E: Explain + Send + Sync + 'static>(name: &ConnectionName) -> impl Fn(E) -> anyhow::Error {
    let name = name.clone();
    move |error| Told { error: Box::new(error), connection: Some(name.clone()), exit: None }.into()
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.connection {
            Some(name) => write!(f, "{} for connection `{name}`", self.error),
            None => self.error.fmt(f),
        }
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// An error that the command line itself finds.
#[derive(Debug, thiserror::Error)]
#[error("{says}")]
pub struct Complaint {
    code: &'static str,
    fault: Fault,
    says: String,
    hints: Vec<Hint>,
    source: Option<std::io::Error>,
}

impl Complaint {
    /// What is wrong, and who must act.
    pub fn new(code: &'static str, fault: Fault, says: impl Into<String>) -> Self {
        Self { code, fault, says: says.into(), hints: Vec::new(), source: None }
    }

    /// The same complaint with what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(Hint::new(hint.into()));
        self
    }

    /// The same complaint with what the system said.
    pub fn because(mut self, error: std::io::Error) -> Self {
        self.source = Some(error);
        self
    }
}

impl Explain for Complaint {
    fn fault(&self) -> Fault {
        self.fault
    }
    fn code(&self) -> &'static str {
        self.code
    }
    fn hints(&self) -> Vec<Hint> {
        self.hints.clone()
    }
}

/// The shape of a failure with `--json`: the last line of stderr.
#[derive(Serialize)]
struct Document<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: String,
    cause: Option<String>,
    hints: Vec<Hint>,
    fault: Fault,
    salesforce: Option<&'a OAuthError>,
}

/// Puts a failure into words, once, on stderr, and says how the process ends.
pub fn failure(error: &anyhow::Error, global: &Global) -> Exit {
    let told = error.downcast_ref::<Told>();
    let fault = told.map_or(Fault::Bug, |told| told.error.fault());
    let exit = told.and_then(|told| told.exit).unwrap_or(fault.into());
    let (causes, hints) = (causes(error), hints(error));
    let mut stderr = std::io::stderr().lock();
    // A closed stderr changes nothing about how the process ends.
    let _ = if global.json {
        let cause = (!causes.is_empty()).then(|| causes.join(": "));
        let code = told.map_or("bug", |told| told.error.code());
        let salesforce = told.and_then(|told| told.error.salesforce());
        let body = Body { code, message: error.to_string(), cause, hints, fault, salesforce };
        serde_json::to_writer(&mut stderr, &Document { error: body })
            .map_err(Into::into)
            .and_then(|()| writeln!(stderr))
    } else {
        in_words(&mut stderr, &error.to_string(), &causes, &hints, global.colour(&std::io::stderr()))
    };
    exit
}

/// Says something to the person at the terminal: stdout belongs to data.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Why, from the outside in.
pub fn causes(error: &anyhow::Error) -> Vec<String> {
    error.chain().skip(1).map(|cause| printable(&cause.to_string(), 600)).collect()
}

/// What to do next.
pub fn hints(error: &anyhow::Error) -> Vec<Hint> {
    error.downcast_ref::<Told>().map(|told| told.error.hints()).unwrap_or_default()
}

/// An error as people read it: what, why, what next.
pub fn in_words(
    out: &mut impl Write,
    says: &str,
    causes: &[String],
    hints: &[Hint],
    colour: bool,
) -> std::io::Result<()> {
    let paint = |style: anstyle::Style, text: &str| match colour {
        true => format!("{style}{text}{style:#}"),
        false => text.to_string(),
    };
    let bold = anstyle::Style::new().bold();
    let red = bold.fg_color(Some(anstyle::AnsiColor::Red.into()));
    writeln!(out, "{} {says}", paint(red, "error:"))?;
    for cause in causes {
        writeln!(out, "  {} {cause}", paint(bold, "cause:"))?;
    }
    for hint in hints {
        writeln!(out, "  {} {hint}", paint(bold, "hint:"))?;
    }
    Ok(())
}

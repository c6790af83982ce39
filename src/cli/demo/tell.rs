use std::io;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::base::UnixSeconds;
use crate::store::MintRow;

use super::super::init::word;
use super::super::wire::print;
use super::super::{Exit, Global, render};
use super::story::End;

/// Tells steps as they are done: lines for people, or one document in the end.
#[derive(Debug)]
pub struct Teller {
    json: bool,
    colour: bool,
    started: Instant,
    steps: Vec<Value>,
}

/// A step under way.
#[derive(Debug)]
pub struct Step {
    title: &'static str,
    started: Instant,
}

impl Teller {
    pub fn new(global: &Global) -> Self {
        Self {
            json: global.json,
            colour: !global.json && global.colour(&io::stdout()),
            started: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Whether what is told may be coloured.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// The first words.
    pub fn begins(&mut self) -> anyhow::Result<()> {
        self.started = Instant::now();
        let bold = self.paint(Style::new().bold(), "From a certificate to an access token");
        self.say(&format!("{bold}: real calls against the built-in org, nothing leaves this machine.\n"))
    }

    /// Begins a step.
    pub fn step(&self, title: &'static str) -> Step {
        Step { title, started: Instant::now() }
    }

    /// The last words: what was counted, and what to try next.
    pub fn end(&self, end: &End, kept: Option<&Path>) -> anyhow::Result<Exit> {
        let dim = Style::new().dimmed();
        let took = self.paint(dim, &format!("in {}", shown(self.started.elapsed())));
        self.say(&format!(
            "\nDone {took}. The org counted {} token requests, {} tokens and {} other calls.",
            end.token_posts, end.tokens, end.api_requests
        ))?;
        match kept {
            None => self.say("Everything was cleaned up.\n\nNext:")?,
            Some(folder) => self.say(&format!(
                "All of it is in {}.\n\nStart the same org again, and use it:",
                folder.display()
            ))?,
        }
        for command in next(end, kept) {
            self.say(&format!(
                "  {}",
                self.paint(Style::new().fg_color(Some(AnsiColor::Cyan.into())), &command)
            ))?;
        }
        Ok(Exit::Done)
    }

    /// The story as one JSON document.
    pub fn document(&self, end: &End, kept: Option<&Path>) -> Value {
        json!({
            "steps": self.steps,
            "took_ms": millis(self.started.elapsed()),
            "org_url": end.org_url,
            "counted_by_the_org": {
                "token_posts": end.token_posts,
                "tokens": end.tokens,
                "api_requests": end.api_requests,
            },
            "mints": end.mints,
            "kept": kept,
            "next": next(end, kept),
        })
    }

    fn say(&self, text: &str) -> anyhow::Result<()> {
        if !self.json {
            print(|out| writeln!(out, "{text}"))?;
        }
        Ok(())
    }

    fn paint(&self, style: Style, text: &str) -> String {
        match self.colour {
            true => format!("{style}{text}{style:#}"),
            false => text.to_string(),
        }
    }
}

impl Step {
    /// Ends the step: `lines` for people, `facts` for machines.
    pub fn done(self, teller: &mut Teller, lines: &[String], facts: Value) -> anyhow::Result<()> {
        let took = self.started.elapsed();
        let number = teller.steps.len() + 1;
        let mark = teller
            .paint(Style::new().bold().fg_color(Some(AnsiColor::Green.into())), &format!("{number:>2}"));
        let title = teller.paint(Style::new().bold(), &format!("{:<67}", self.title));
        let time = teller.paint(Style::new().dimmed(), &format!("{:>8}", shown(took)));
        teller.say(&format!("{mark}  {title}{time}"))?;
        for line in lines {
            teller.say(&format!("    {line}"))?;
        }
        teller
            .steps
            .push(json!({ "step": number, "title": self.title, "took_ms": millis(took), "facts": facts }));
        Ok(())
    }
}

/// The history as lines of a table.
pub fn table(rows: &[MintRow]) -> anyhow::Result<Vec<String>> {
    let dash = || "-".to_string();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let short = |text: String| text.chars().take(16).collect::<String>();
            vec![
                time_of_day(row.at),
                row.outcome.to_string(),
                row.reason.to_string(),
                format!("{} ms", row.duration_ms),
                row.key_id.as_ref().map_or_else(dash, |key| short(key.to_string())),
                row.token_id.as_ref().map_or_else(dash, ToString::to_string),
                row.salesforce.as_ref().map_or_else(dash, |refusal| refusal.error.clone()),
            ]
        })
        .collect();
    let mut out = Vec::new();
    render::columns(
        &mut out,
        &["when", "outcome", "why", "took", "key", "token", "Salesforce said"],
        &cells,
    )?;
    Ok(String::from_utf8_lossy(&out).lines().map(str::to_string).collect())
}

/// The time of a moment; the day is today.
fn time_of_day(at: UnixSeconds) -> String {
    let text = at.to_string();
    text.split_once('T').map_or(text.clone(), |(_, time)| time.to_string())
}

/// What to try next.
fn next(end: &End, kept: Option<&Path>) -> Vec<String> {
    let Some(folder) = kept else {
        return vec![
            "sfmint init prod              # a key, a certificate, and what your administrator needs".into(),
            "sfmint demo --keep try        # this again, and go on with it".into(),
            "sfmint --help".into(),
        ];
    };
    let at = |below: &str| word(&folder.join(below).to_string_lossy());
    let listen = end.org_url.trim_start_matches("http://");
    let flags = format!("--config {} --state-dir {}", at("config/sfmint.toml"), at("state"));
    vec![
        format!("sfmint emulator --listen {listen} --certificate {} &", at("config/certs/demo/current.crt")),
        format!("sfmint token {flags} --format json"),
        format!("sfmint exec {flags} -- sh -c 'echo \"a token for $SF_USERNAME at $SF_INSTANCE_URL\"'"),
        format!("sfmint store info {flags}"),
    ]
}

/// A duration as people read it.
fn shown(took: Duration) -> String {
    match took.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.1} ms", seconds * 1000.0),
    }
}

/// Whole microseconds are enough of a millisecond.
fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

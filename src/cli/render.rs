use std::io::{self, Write};

use crate::base::{Finding, Level};

/// Writes rows as aligned columns, two spaces between them; the last column is never padded.
pub fn columns(out: &mut dyn Write, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let header: Vec<String> = header.iter().map(|name| name.to_uppercase()).collect();
    let all = || std::iter::once(&header).chain(rows);
    let width =
        |column: usize| all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..header.len()).map(|column| width(column).unwrap_or(0)).collect();
    for row in all() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Seconds as people say them; below zero is zero.
pub fn span(seconds: i64) -> String {
    match seconds {
        ..=119 => format!("{} s", seconds.max(0)),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Milliseconds as people say them: tenths of a second where they tell something.
pub fn milliseconds(milliseconds: u64) -> String {
    match milliseconds {
        0..=999 => format!("{milliseconds} ms"),
        1_000..=59_999 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => span(i64::try_from(milliseconds / 1_000).unwrap_or(i64::MAX)),
    }
}

/// Writes one finding: its level, what was seen, and what to do on the lines below.
pub fn finding(out: &mut dyn Write, finding: &Finding, colour: bool) -> io::Result<()> {
    use anstyle::{AnsiColor, Style};
    let style = match finding.level {
        Level::Ok => Style::new().fg_color(Some(AnsiColor::Green.into())),
        Level::Info | Level::Skipped => Style::new().dimmed(),
        Level::Warn => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        Level::Fail => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
    };
    let level = format!("{:<7}", finding.level.to_string());
    let level = if colour { format!("{style}{level}{style:#}") } else { level };
    writeln!(out, "{level}  {:<20}  {}", finding.code, finding.says)?;
    for hint in &finding.hints {
        writeln!(out, "         {:<20}  -> {hint}", "")?;
    }
    Ok(())
}

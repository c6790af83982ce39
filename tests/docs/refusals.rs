use std::fmt::Write;

use sfmint::base::Fault;
use sfmint::token::diagnosis::{REFUSALS, Refusal, Retry};

use super::generated::{assert_current, between_marks};
use super::pages::read;

const PAGE: &str = "docs/reference/errors.md";

#[test]
fn what_salesforce_says_is_told_from_the_table() {
    let mut made = String::from("\n| `error` | part of the description | code |\n|---|---|---|\n");
    for row in REFUSALS {
        for (error, part) in row.pairs {
            let error = if *error == "*" { "any".to_string() } else { format!("`{error}`") };
            let part = if part.is_empty() { "any, or none".to_string() } else { format!("`{part}`") };
            let _ = writeln!(made, "| {error} | {part} | [`{}`](#{}) |", row.code, row.code.replace('.', ""));
        }
    }
    let mut told: Vec<&str> = Vec::new();
    for row in REFUSALS {
        if !told.contains(&row.code) {
            told.push(row.code);
            paragraph(&mut made, row.code);
        }
    }
    made.push('\n');
    assert_current(PAGE, &between_marks(&read(PAGE), &made));
}

/// One code: who must act, and what each of its rows means.
fn paragraph(made: &mut String, code: &str) {
    let rows: Vec<&Refusal> = REFUSALS.iter().filter(|row| row.code == code).collect();
    let (fault, exit) = match rows[0].fault() {
        Fault::Transient => ("Transient", 75),
        _ => ("Denied", 77),
    };
    let _ = write!(made, "\n### `{code}`\n\n{fault} · exit {exit}\n");
    for row in rows {
        let words: Vec<String> = row
            .pairs
            .iter()
            .map(|(error, part)| format!("`{}`", format!("{error}: {part}").trim_end_matches(": ")))
            .collect();
        let _ = write!(made, "\n{}: {}. To change it: {}.", words.join(", "), row.cause, row.fix);
        if let Some(path) = row.setup {
            let _ = write!(made, " In Salesforce: {path}.");
        }
        made.push_str(match row.retry {
            Retry::Never => "",
            Retry::OnceMore => {
                " A change takes up to 10 minutes to reach every server; one more try after that is worth it."
            }
            Retry::Later => " Asking again later helps by itself.",
        });
        made.push('\n');
    }
}

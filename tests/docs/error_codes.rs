use std::collections::BTreeSet;

use super::pages::read;
use super::rust_source::{literals, sources};

/// Texts of the same shape that are no codes: endings of file names, and a host.
const OTHER_TEXTS: &[&str] = &["bak.new", "json.damaged", "json.new", "sfmint.example"];

/// Codes without a dot.
const PLAIN_CODES: &[&str] = &["bug", "runtime"];

#[test]
fn every_code_has_its_paragraph_and_every_paragraph_its_code() {
    let in_code = codes_in_code();
    let page = read("docs/reference/errors.md");
    let told: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
        .map(str::to_string)
        .collect();
    let missing: Vec<_> = in_code.difference(&told).collect();
    let gone: Vec<_> = told.difference(&in_code).collect();
    assert!(missing.is_empty(), "docs/reference/errors.md has no paragraph for {missing:?}");
    assert!(gone.is_empty(), "docs/reference/errors.md explains {gone:?}, which nothing says any more");
}

#[test]
fn every_paragraph_says_who_acts_and_how_the_process_ends() {
    let page = read("docs/reference/errors.md");
    for section in page.split("\n### `").skip(1) {
        let mut lines = section.lines().filter(|line| !line.is_empty());
        let (code, who) = (lines.next().unwrap(), lines.next().unwrap_or_default());
        let known = ["Transient", "Denied", "Misuse", "Data", "Disk", "Bug"];
        let exits = ["2", "65", "70", "74", "75", "77", "78", "126", "127"];
        let (fault, exit) = who.split_once(" · ").unwrap_or_default();
        let is_finding = who.starts_with("Finding");
        let all =
            |list: &str, of: &[&str]| list.replace(" or ", ", ").split(", ").all(|one| of.contains(&one));
        let names_both =
            all(fault, &known) && exit.strip_prefix("exit ").is_some_and(|exit| all(exit, &exits));
        assert!(is_finding || names_both, "`{code} begins with: {who}");
        assert!(lines.next().is_some_and(|line| !line.starts_with('#')), "`{code} says nothing");
    }
}

/// Every text in the sources that looks like a code.
fn codes_in_code() -> BTreeSet<String> {
    let is_word = |word: &str| {
        word.len() > 1
            && word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let is_code =
        |text: &String| text.split_once('.').is_some_and(|(room, what)| is_word(room) && is_word(what));
    let is_file = |text: &String| {
        let endings = [
            "crt", "csv", "db", "html", "key", "json", "jsonl", "lock", "md", "pem", "sock", "toml", "txt",
            "xml", "zip",
        ];
        text.split_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
    };
    let found = sources().into_iter().flat_map(|(_, source)| literals(&source));
    let found = found.filter(|text| is_code(text) && !is_file(text) && !OTHER_TEXTS.contains(&text.as_str()));
    found.chain(PLAIN_CODES.iter().map(ToString::to_string)).collect()
}

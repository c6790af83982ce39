use std::path::PathBuf;

use super::pages::{files, read};

/// The sources of the program without the built-in org and without tests.
///
/// A file of tests is left out whole; in other files what follows the first `#[cfg(test)]` is.
pub fn sources() -> Vec<(PathBuf, String)> {
    let is_test = |path: &PathBuf| {
        let path = path.to_string_lossy();
        path.contains("/tests")
            || path.contains("/emulator/")
            || path.ends_with("conformance.rs")
            || path.ends_with("shapes.rs")
    };
    let own = |text: String| match text.find("#[cfg(test)]\nmod tests {") {
        Some(at) => text[..at].to_string(),
        None => text,
    };
    files("src", "rs")
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| (path.clone(), own(read(&path))))
        .collect()
}

/// The plain string literals of a source, comments left out. Raw strings are read as plain ones, which is enough here.
pub fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in source.lines() {
        let mut rest = line.split("//").next().unwrap_or_default();
        if rest.matches('"').count() % 2 == 1 {
            rest = line;
        }
        found.extend(rest.split('"').skip(1).step_by(2).map(str::to_string));
    }
    found
}

/// The arguments of every call of a macro, as text, with what stands in quotes left out: `info!(a = 1, "b")` gives `a = 1, `.
pub fn macro_arguments(source: &str, name: &str) -> Vec<String> {
    let opening = format!("{name}!(");
    let mut found = Vec::new();
    for (at, _) in source.match_indices(&opening) {
        let (mut depth, mut in_quotes, mut escaped) = (1, false, false);
        let mut text = String::new();
        for c in source[at + opening.len()..].chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if in_quotes => escaped = true,
                '"' => in_quotes = !in_quotes,
                _ if in_quotes => {}
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if !in_quotes && c != '"' {
                text.push(c);
            }
        }
        found.push(text);
    }
    found
}

#[test]
fn what_is_scanned_is_found() {
    let source = "info!(a.b = %c(1, 2), \"x = {}\", y);\nlet s = \"one.two\"; // \"not.this\"";
    assert_eq!(macro_arguments(source, "info"), ["a.b = %c(1, 2), , y"]);
    assert_eq!(literals(source), ["x = {}", "one.two"]);
}

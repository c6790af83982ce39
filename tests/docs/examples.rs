use sfmint::config::{Environment, Settings};
use sfmint::emulator::{Injection, OrgConfig};

use super::pages::{files, lines, read};

#[test]
fn every_configuration_in_a_page_is_one_without_mistakes() {
    let mut seen = 0;
    for page in files("", "md").into_iter().filter(|page| !page.starts_with("src")) {
        for block in blocks(&read(&page), "toml") {
            let checked = match block.contains("[[apps]]") {
                true => OrgConfig::from_toml(&block).map(drop).map_err(|error| format!("{error:?}")),
                false => Settings::check_text(&page, &block, &Environment::default())
                    .map_err(|error| error.to_string()),
            };
            if let Err(error) = checked {
                panic!("{}: {error}\n{block}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 0, "no block of TOML was found");
}

#[test]
fn the_fault_that_is_shown_is_one_the_built_in_org_takes() {
    let page = read("docs/reference/emulator.md");
    let block = blocks(&page, "sh").into_iter().find(|block| block.contains("/_emulator/faults")).unwrap();
    let body = block.split('\'').nth(1).unwrap();
    serde_json::from_str::<Injection>(body).unwrap();
}

/// The fenced blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for line in lines(page).into_iter().filter(|line| line.fence == Some(language)) {
        match found.last_mut() {
            Some((last, text)) if *last + 1 == line.number => {
                *last = line.number;
                text.push_str(line.text);
                text.push('\n');
            }
            _ => found.push((line.number, format!("{}\n", line.text))),
        }
    }
    found.into_iter().map(|(_, text)| text).collect()
}

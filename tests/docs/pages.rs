use std::fs;
use std::path::{Path, PathBuf};

/// The top of the source tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A text file of the tree.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `folder` with this ending, as paths from the top. Hidden folders and what tools made are left out.
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "target" || name == "node_modules" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|its| its == ending) {
                found.push(path.strip_prefix(root()).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}

/// A line of a page, and whether it stands in a fenced block.
pub struct Line<'a> {
    /// From 1.
    pub number: usize,
    /// The text.
    pub text: &'a str,
    /// The language of the fenced block it stands in; empty where the fence names none.
    pub fence: Option<&'a str>,
}

/// The lines of a Markdown page; those that open or close a fence are left out.
pub fn lines(page: &str) -> Vec<Line<'_>> {
    let mut fence = None;
    let mut lines = Vec::new();
    for (index, text) in page.lines().enumerate() {
        match (text.trim_start().strip_prefix("```"), fence) {
            (Some(_), Some(_)) => fence = None,
            (Some(language), None) => fence = Some(language.trim()),
            (None, _) => lines.push(Line { number: index + 1, text, fence }),
        }
    }
    lines
}

/// What stands in backticks in a line of prose.
pub fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_map_names_every_page() {
    let map = read("docs/README.md");
    let missing: Vec<PathBuf> = files("docs", "md")
        .into_iter()
        .filter(|page| page != Path::new("docs/README.md"))
        .filter(|page| !page.starts_with("docs/decisions") || page.ends_with("README.md"))
        .filter(|page| !map.contains(&format!("({})", page.strip_prefix("docs").unwrap().display())))
        .collect();
    assert!(missing.is_empty(), "docs/README.md does not link {missing:?}");
}

#[test]
fn the_index_names_every_decision() {
    let index = read("docs/decisions/README.md");
    let missing: Vec<PathBuf> = files("docs/decisions", "md")
        .into_iter()
        .filter(|page| !page.ends_with("README.md"))
        .filter(|page| !index.contains(&format!("({})", page.file_name().unwrap().to_string_lossy())))
        .collect();
    assert!(missing.is_empty(), "docs/decisions/README.md does not link {missing:?}");
}

#[test]
fn the_readme_names_the_two_commands_and_the_compilers() {
    let readme = read("README.md");
    let manifest = read("Cargo.toml");
    let floor = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap();
    for part in ["cargo run --release -- demo", "tests/run", floor.trim_end_matches('"')] {
        assert!(readme.contains(part), "README.md does not say {part}");
    }
}

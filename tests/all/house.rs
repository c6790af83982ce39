//! The map kept true: who imports whom, who names which crate, how long a file is.
//!
//! That each error code has its paragraph is `tests/docs/error_codes.rs`'s to say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// Which rooms a room may import, as design.md draws it; its own files apart. A room that is not here may import nothing.
const FLOORS: [(&str, &[&str]); 11] = [
    ("base", &[]),
    ("config", &["base"]),
    ("store", &["base"]),
    ("crypto", &["base"]),
    ("assertion", &["base", "crypto"]),
    ("token", &["base", "config", "store", "crypto", "assertion"]),
    ("api", &["base", "config", "store", "crypto", "assertion", "token"]),
    ("sync", &["base", "config", "store", "crypto", "assertion", "token", "api"]),
    ("health", &["base", "config", "store", "crypto", "assertion", "token", "api"]),
    ("emulator", &["base"]),
    ("cli", &["*"]),
];

/// Crates that have one home.
const HOMES: [(&str, &[&str]); 5] = [
    ("rsa", &["src/crypto/", "src/emulator/"]),
    ("rustls_pemfile", &["src/crypto/"]),
    ("anyhow", &["src/cli/"]),
    ("rusqlite", &["src/store/sqlite/", "src/sync/"]),
    ("clap", &["src/cli/"]),
];

/// The longest a file may be, tests and tables included. Lines.
const LONGEST: usize = 500;

fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join("src"), &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        (name, text)
    };
    let sources: Vec<_> = found.into_iter().map(read).collect();
    assert!(sources.len() > 100, "src was not found");
    sources
}

/// The text without comments, and without what only tests see at a file's end.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    text.lines().map(|line| line.split("//").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// Tests of a room may look at it from another, and be long.
fn is_test(name: &str) -> bool {
    name.contains("/tests") || name.ends_with("_tests.rs")
}

fn room(name: &str) -> Option<&str> {
    let (room, _) = name.strip_prefix("src/")?.split_once('/')?;
    Some(room)
}

/// Rooms that `text` names behind `crate::`, each with the path that follows.
fn imports(text: &str) -> Vec<(String, String)> {
    static PLAIN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bcrate::([a-z_]+)((?:::[A-Za-z_]+)*)").unwrap());
    static GROUPED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\buse crate::\{([^;]*)\};").unwrap());
    let mut found: Vec<(String, String)> = PLAIN
        .captures_iter(text)
        .map(|capture| (capture[1].to_string(), format!("{}{}", &capture[1], &capture[2])))
        .collect();
    for capture in GROUPED.captures_iter(text) {
        let mut depth = 0;
        let mut word = String::new();
        for letter in capture[1].chars().chain([',']) {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let path = word.trim().to_string();
                    let room = path.split("::").next().unwrap_or_default().trim().to_string();
                    found.push((room, path));
                    word.clear();
                    continue;
                }
                _ => {}
            }
            word.push(letter);
        }
    }
    found
}

#[test]
fn no_room_reaches_upward_or_sideways() {
    let mut reached = Vec::new();
    for (floor, allowed) in FLOORS {
        let there = |room: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room).is_dir();
        for room in allowed.iter().filter(|room| **room != "*").chain([&floor]) {
            assert!(there(room), "there is no room `{room}`: take it off the floors");
        }
    }
    for (name, text) in sources() {
        let Some(room) = room(&name) else { continue };
        if is_test(&name) {
            continue;
        }
        let allowed = FLOORS.iter().find(|(floor, _)| *floor == room);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{name}: the room `{room}` is on no floor"));
        for (other, path) in imports(&code(&text)) {
            let is_room = FLOORS.iter().any(|(floor, _)| *floor == other);
            if is_room && other != room && !allowed.contains(&other.as_str()) && !allowed.contains(&"*") {
                reached.push(format!("{name} reaches for {path}"));
            }
        }
    }
    assert!(reached.is_empty(), "design.md, \"The house\":\n{}", reached.join("\n"));
}

#[test]
fn the_reading_of_imports_reads_them() {
    let text = "use crate::{base::{Clock, Secret}, config::Settings};\nuse crate::token::Minter;\nlet x = crate::store::open();";
    let rooms: BTreeSet<String> = imports(text).into_iter().map(|(room, _)| room).collect();
    assert_eq!(rooms, ["base", "config", "store", "token"].map(String::from).into());
}

#[test]
fn crates_with_one_home_are_named_only_there() {
    let named = HOMES.map(|(krate, homes)| {
        let pattern = format!(r"(?m)(?:^|[^:\w]){krate}::|\buse {krate}\b");
        (krate, homes, Regex::new(&pattern).unwrap())
    });
    let mut strays = Vec::new();
    let mut empty: BTreeSet<(&str, &str)> =
        HOMES.iter().flat_map(|(krate, homes)| homes.iter().map(|home| (*krate, *home))).collect();
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test(name)) {
        let text = code(&text);
        for (krate, homes, pattern) in &named {
            if !text.contains(krate) || !pattern.is_match(&text) {
                continue;
            }
            empty.retain(|(of, home)| of != krate || !name.starts_with(home));
            if !homes.iter().any(|home| name.starts_with(home)) {
                strays.push(format!("{name} names {krate}, whose home is {}", homes.join(", ")));
            }
        }
    }
    assert!(empty.is_empty(), "homes that nobody lives in: {empty:?}");
    assert!(strays.is_empty(), "{}", strays.join("\n"));
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let mut long = Vec::new();
    for (name, text) in sources() {
        let lines = text.lines().count();
        if lines > LONGEST && !is_test(&name) {
            long.push(format!("{name} has {lines} lines"));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

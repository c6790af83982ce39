use std::path::{Path, PathBuf};

use super::pages::{files, lines, read, root};

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for page in files("", "md").into_iter().filter(|page| !page.starts_with("src")) {
        for (line, target) in links(&read(&page)) {
            if !leads_somewhere(&page, &target) {
                broken.push(format!("{}:{line}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

/// The targets of `[text](target)` outside fenced blocks; addresses on the web are left out.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for line in lines(page).into_iter().filter(|line| line.fence.is_none()) {
        for part in line.text.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            if !target.contains("://") && !target.starts_with("mailto:") {
                found.push((line.number, target.to_string()));
            }
        }
    }
    found
}

fn leads_somewhere(page: &Path, target: &str) -> bool {
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path: PathBuf = match file {
        "" => root().join(page),
        _ => root().join(page).parent().unwrap().join(file),
    };
    match (path.exists(), anchor) {
        (true, Some(anchor)) => {
            anchors(&std::fs::read_to_string(&path).unwrap_or_default()).iter().any(|its| its == anchor)
        }
        (exists, _) => exists,
    }
}

/// The anchors that a page's headings get.
fn anchors(page: &str) -> Vec<String> {
    let headings = lines(page).into_iter().filter(|line| line.fence.is_none() && line.text.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.text.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

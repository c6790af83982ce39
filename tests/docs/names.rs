use super::pages::{code_spans, files, lines, read, root};

/// The walkthroughs name files and functions, and a reader looks them up.
#[test]
fn every_file_and_function_that_the_architecture_names_is_there() {
    let sources: String = files("src", "rs").iter().map(read).collect();
    let page = read("docs/architecture.md");
    let mut gone = Vec::new();
    for line in lines(&page).into_iter().filter(|line| line.fence.is_none()) {
        for span in code_spans(line.text) {
            let is_there = match span.split_once("::") {
                _ if span.ends_with(".rs") => {
                    root().join(span).exists() || files("src", "rs").iter().any(|path| path.ends_with(span))
                }
                Some((of, name)) if span.chars().all(|c| c.is_alphanumeric() || "_:".contains(c)) => {
                    let last = name.rsplit("::").next().unwrap();
                    ["fn", "struct", "enum", "trait", "static", "mod"]
                        .iter()
                        .any(|kind| sources.contains(&format!("{kind} {last}")))
                        || ["SystemTime", "Instant", "env"].contains(&of)
                }
                _ => true,
            };
            if !is_there {
                gone.push(format!("line {}: {span}", line.number));
            }
        }
    }
    assert!(gone.is_empty(), "docs/architecture.md names what is not there:\n{}", gone.join("\n"));
}

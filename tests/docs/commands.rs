use super::pages::{code_spans, files, lines, read};
use super::rust_source::sources;

#[test]
fn every_command_in_a_page_is_one_that_the_parser_takes() {
    let mut wrong = Vec::new();
    for page in files("", "md") {
        let text = read(&page);
        for (number, in_shell, command) in commands_of_page(&text) {
            let parsed = if in_shell { parse(&command) } else { parse_in_a_sentence(&command) };
            if let Err(error) = parsed {
                wrong.push(format!("{}:{number}: {}\n{error}", page.display(), command.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "commands that sfmint does not take:\n{}", wrong.join("\n"));
}

#[test]
fn every_command_that_a_hint_tells_people_to_run_is_one_that_the_parser_takes() {
    let mut wrong = Vec::new();
    for (path, source) in sources() {
        for (number, line) in source.lines().enumerate() {
            let spans = code_spans(line).into_iter().filter(|span| span.starts_with("sfmint "));
            for span in spans.filter(|span| !NOT_COMMANDS.contains(span)) {
                // `{}` in a format string stands for a name.
                let span = span.replace("{name}", "NAME").replace("{}", "NAME").replace("...", "");
                if let Err(error) = parse_in_a_sentence(&first_command(&span)) {
                    wrong.push(format!("{}:{}: {span}\n{error}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "commands that sfmint does not take:\n{}", wrong.join("\n"));
}

fn parse(words: &[String]) -> Result<(), clap::Error> {
    use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
    match sfmint::cli::command().try_get_matches_from(words) {
        Err(error) if !matches!(error.kind(), DisplayHelp | DisplayVersion) => Err(error),
        _ => Ok(()),
    }
}

/// The same for a command in a sentence, which may be its name alone, and may hold words to be replaced: "`sfmint exec` becomes the
/// program", "`sfmint completions SHELL`".
fn parse_in_a_sentence(words: &[String]) -> Result<(), clap::Error> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let error = match parse(words) {
        Err(error) => error,
        Ok(()) => return Ok(()),
    };
    let is_placeholder = |value: Option<&ContextValue>| {
        value.is_some_and(|value| value.to_string().chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    match error.kind() {
        ErrorKind::MissingRequiredArgument | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(()),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation
            if is_placeholder(error.get(ContextKind::InvalidValue)) =>
        {
            Ok(())
        }
        _ => Err(error),
    }
}

/// Texts that begin like a command and are none: names of apps and certificates.
const NOT_COMMANDS: &[&str] = &["sfmint NAME", "sfmint classic", "sfmint prod"];

/// Every call of sfmint in a page, with its line: in fenced blocks of shell (true), and in backticks (false).
fn commands_of_page(page: &str) -> Vec<(usize, bool, Vec<String>)> {
    let mut found = Vec::new();
    let mut pending: Option<(usize, String)> = None;
    for line in lines(page) {
        let in_shell = line.fence.is_some_and(|language| {
            matches!(language, "" | "sh" | "bash" | "console" | "shell" | "cron" | "ini")
        });
        if !in_shell {
            pending = None;
            if line.fence.is_none() {
                let spans = code_spans(line.text).into_iter().filter(|span| !NOT_COMMANDS.contains(span));
                found.extend(spans.flat_map(commands).map(|words| (line.number, false, words)));
            }
            continue;
        }
        // In a transcript, lines without a prompt are what came out.
        if line.fence == Some("console") && !line.text.starts_with("$ ") && pending.is_none() {
            continue;
        }
        let (number, mut text) = pending.take().unwrap_or((line.number, String::new()));
        text.push_str(line.text);
        match text.strip_suffix('\\') {
            Some(begun) => pending = Some((number, format!("{begun} "))),
            None => found.extend(commands(&text).into_iter().map(|words| (number, true, words))),
        }
    }
    found
}

/// The calls of sfmint in a line of shell: `sfmint` where a command can begin, or what follows `cargo run ... --`.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    if let Some((_, rest)) = line.split_once("cargo run").and_then(|(_, rest)| rest.split_once(" -- ")) {
        found.push(first_command(&format!("sfmint {rest}")));
    }
    for (at, _) in line.match_indices("sfmint ") {
        let before = line[..at].trim_end();
        let word = before.rsplit([' ', '=']).next().unwrap_or_default();
        let is_assignment = line[..at].ends_with(' ')
            && before.rsplit(' ').next().is_some_and(|word| word.contains('=') && !word.starts_with('-'));
        let begins = before.is_empty()
            || before.ends_with(['$', '|', '(', ';', '&'])
            || matches!(word, "exec" | "then" | "do" | "if" | "!" | "/sfmint")
            || is_assignment;
        let is_path =
            line[..at].ends_with('/') && !line[..at].ends_with("//") && is_program_path(&line[..at]);
        if begins && (line[..at].ends_with([' ', '(', '$']) || at == 0 || is_assignment) || is_path {
            found.push(first_command(&line[at..]));
        }
    }
    found
}

/// `/usr/local/bin/`, as cron and systemd want it: a path into a folder of programs.
fn is_program_path(before: &str) -> bool {
    before.ends_with("bin/")
}

/// The words of the first command of a line, as a shell would cut them.
fn first_command(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(end)) if c == end => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                // A quote that closes one opened before the command began: "$(sfmint token)".
                word.get_or_insert_default();
                quote = Some(c);
            }
            ('|' | '>' | '<' | ';' | '&' | ')', None) => break,
            ('2', None) if word.is_none() && chars.peek() == Some(&'>') => break,
            ('#', None) if word.is_none() => break,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn calls_are_found_where_shells_find_them() {
    let page = "Run `sfmint token --fresh`.\n\n```sh\n$ sfmint exec -- sh -c 'a; b' > out\ncurl -H \"$(sfmint token --format header)\" x\nA=1 sfmint token # now\nsfmint token \\\n  --fresh\necho sfmint token\n* * * * * /usr/local/bin/sfmint token\n```\n";
    let found: Vec<String> =
        commands_of_page(page).into_iter().map(|(_, _, words)| words.join("|")).collect();
    assert_eq!(
        found,
        [
            "sfmint|token|--fresh",
            "sfmint|exec|--|sh|-c|a; b",
            "sfmint|token|--format|header",
            "sfmint|token",
            "sfmint|token|--fresh",
            "sfmint|token"
        ]
    );
}

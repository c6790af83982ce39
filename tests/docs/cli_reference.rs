use std::fmt::Write;

use clap::{Arg, Command};

use super::generated::assert_current;

const HEAD: &str = "\
# Command line

<!-- Generated from the command line itself. A test says how to make it anew. -->

stdout is data, stderr is talk. No flag takes a secret. What the exit codes mean stands in [exit-codes.md](exit-codes.md), what a failure with
`--json` looks like in [errors.md](errors.md). `sfmint man` prints this as a manual page, `sfmint completions SHELL` writes a completion script.
";

#[test]
fn the_reference_of_commands_is_current() {
    let mut built = sfmint::cli::command();
    built.build();
    let mut page = String::from(HEAD);
    let _ = write!(page, "\n## Options everywhere\n\n");
    options(&mut page, sfmint::cli::command().get_arguments());
    for command in built.get_subcommands_mut() {
        section(&mut page, command);
    }
    assert_current("docs/reference/cli.md", &page);
}

/// A command, then those below it.
fn section(page: &mut String, command: &mut Command) {
    if command.is_hide_set() {
        return;
    }
    let name = command.get_bin_name().unwrap_or_default().to_string();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let _ = write!(page, "\n## `{name}`\n\n{about}.\n\n```text\n{usage}\n```\n");
    let own: Vec<&Arg> =
        command.get_arguments().filter(|arg| !arg.is_global_set() && !is_built_in(arg)).collect();
    if !own.is_empty() {
        page.push('\n');
        options(page, own.into_iter());
    }
    if let Some(after) = command.get_after_help() {
        let _ = write!(page, "\n```text\n{}\n```\n", after.to_string().trim());
    }
    for command in command.get_subcommands_mut() {
        section(page, command);
    }
}

fn is_built_in(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

fn options<'a>(page: &mut String, options: impl Iterator<Item = &'a Arg>) {
    page.push_str("| option | says |\n|---|---|\n");
    for arg in options.filter(|arg| !arg.is_hide_set()) {
        let _ = writeln!(page, "| `{}` | {} |", spelt(arg), says(arg));
    }
}

/// `-c`, `--connection NAME`; a positional argument by its name alone.
fn spelt(arg: &Arg) -> String {
    let value = match arg.get_action().takes_values() {
        true => arg.get_value_names().unwrap_or_default().iter().map(|name| format!(" {name}")).collect(),
        false => String::new(),
    };
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let dots = if arg.is_last_set() { "..." } else { "" };
    let names: Vec<String> = short.into_iter().chain(long).collect();
    format!("{}{value}{dots}", names.join(", ")).trim().to_string()
}

fn says(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    text.push('.');
    let values: Vec<String> =
        arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if arg.get_action().takes_values() && !values.is_empty() {
        let _ = write!(text, " One of {}.", values.join(", "));
    }
    let default: Vec<String> =
        arg.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if arg.get_action().takes_values() && !default.is_empty() && !arg.is_hide_default_value_set() {
        let _ = write!(text, " Default: {}.", default.join(", "));
    }
    text
}

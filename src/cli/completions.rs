use clap_complete::Shell;

use super::Exit;

/// Print a shell's completion script
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  sfmint completions bash > ~/.local/share/bash-completion/completions/sfmint\n  sfmint completions zsh > ~/.zfunc/_sfmint"
)]
pub struct Verb {
    /// Which shell
    shell: Shell,
}

/// Prints the script for one shell.
pub fn run(verb: &Verb) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(verb.shell, &mut super::command(), "sfmint", &mut script);
    super::wire::print(|out| out.write_all(&script))?;
    Ok(Exit::Done)
}

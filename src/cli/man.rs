use std::path::PathBuf;

use super::Exit;
use super::report::{Complaint, told};
use crate::base::Fault;

/// Print or write the manual pages
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  sfmint man | man -l -\n  sfmint man --out-dir /usr/local/share/man/man1"
)]
pub struct Verb {
    /// Write every page into this folder, one file a command, instead of printing the first
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
}

/// Prints the page of `sfmint` itself, or writes all pages.
pub fn run(verb: &Verb) -> anyhow::Result<Exit> {
    let Some(dir) = &verb.out_dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(super::command()).render(&mut page)?;
        super::wire::print(|out| out.write_all(&page))?;
        return Ok(Exit::Done);
    };
    let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(super::command(), dir));
    written.map_err(|error| {
        told(
            Complaint::new("output.unwritable", Fault::Disk, format!("{} cannot be written", dir.display()))
                .because(error),
        )
    })?;
    Ok(Exit::Done)
}

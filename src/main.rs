//! The `sfmint` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    sfmint::cli::run(std::env::args_os())
}

use std::process::Command;

use super::pages::root;

/// Runs what the pages show once more: needs Python and curl, as the other tests of whole programs do.
#[test]
fn the_transcripts_are_what_comes_out() {
    let script = root().join("tests/docs/transcripts");
    let checked = Command::new(&script).arg("--check").arg(env!("CARGO_BIN_EXE_sfmint")).output();
    let checked = checked.unwrap_or_else(|error| panic!("{} cannot be run: {error}", script.display()));
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
}

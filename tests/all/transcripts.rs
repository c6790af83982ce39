//! Every message a person can see without a network, as a transcript under `tests/cli`.

use std::os::unix::fs::PermissionsExt;

#[test]
fn transcripts() {
    // A fresh folder for each transcript that writes; a home that is nobody's.
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let cases = trycmd::TestCases::new();
    cases.insert_var("[HOME]", home.path().to_string_lossy().into_owned()).unwrap();
    let keys = crate::org::fixture("").to_string_lossy().trim_end_matches('/').to_string();
    cases.insert_var("[KEYS]", keys).unwrap();
    cases
        .register_bin("sfmint", std::path::Path::new(crate::child::SFMINT))
        .case("tests/cli/*.trycmd")
        .env("HOME", home.path().to_string_lossy())
        .env("SFMINT_STATE_DIR", home.path().join("state").to_string_lossy())
        .env("NO_COLOR", "1");
}

use super::*;

/// Schema and reference pages are made by the code and committed; this says how to make them anew.
#[test]
fn what_is_generated_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stale: Vec<&str> = [
        ("config/sfmint.schema.json", format!("{:#}\n", crate::config::schema())),
        ("docs/reference/config.md", crate::config::reference()),
        ("docs/reference/environment.md", crate::config::environment_reference()),
    ]
    .into_iter()
    .filter(|(name, made)| fs::read_to_string(root.join(name)).unwrap_or_default() != *made)
    .map(|(name, made)| {
        let fresh = root.join("target/generated").join(name);
        fs::create_dir_all(fresh.parent().unwrap()).unwrap();
        fs::write(&fresh, made).unwrap();
        name
    })
    .collect();
    assert!(stale.is_empty(), "{stale:?} not current; run: cp -r target/generated/. .");
}

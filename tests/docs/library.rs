use super::pages::read;

/// The library as README.md shows it, compiled. Never run: it would ask a real org.
#[allow(dead_code, clippy::print_stdout)]
// begin
async fn accounts() -> Result<(), Box<dyn std::error::Error>> {
    let connection = sfmint::Settings::load("config/sfmint.toml")?.connection("prod")?;
    let tokens = sfmint::TokenSource::new(connection)?; // Clone, Send, Sync: one mint for all clones
    let token = tokens.token().await?; // sfmint::MintError knows who must act
    println!("{} until {:?}", token.instance_url, token.expires_at);
    Ok(())
}
// end

#[test]
fn the_readme_shows_the_library_as_it_compiles() {
    let this = include_str!("library.rs");
    let shown = this.split("// begin\n").nth(1).unwrap().split("// end\n").next().unwrap();
    assert!(read("README.md").contains(shown), "README.md does not show:\n{shown}");
}

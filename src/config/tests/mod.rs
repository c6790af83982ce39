//! The room as its users meet it: files and variables in, connections or mistakes out.

mod any_text;
mod apps;
mod environment_connection;
mod generated;
#[cfg(feature = "sync")]
mod jobs;
mod mistakes;
mod places;
mod secrets;
mod state;
mod told;
mod trust;
mod values;

use std::fs;
use std::path::Path;

use crate::base::{Connection, Explain, Fault};

use super::locations::Roots;
use super::{ConfigError, Environment, Flags, Settings};

const PROD: &str = r#"[connections.prod]
login_url = "https://acme.my.salesforce.com"
client_id = "3MVG9abc"
username = "integration@acme.example"
key = { file = "certs/prod.key" }
"#;

/// A folder with a config file in it, and an environment that names a state directory there.
struct House {
    dir: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl House {
    fn new(config: &str) -> Self {
        let house = Self::empty();
        house.write("sfmint.toml", config);
        house
    }

    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state").display().to_string();
        Self { dir, environment: vec![("SFMINT_STATE_DIR".into(), state)] }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o644);
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn environment(&self) -> Environment {
        Environment::from_pairs(self.environment.clone())
    }

    /// Loads `sfmint.toml` as if `--config` named it.
    fn load(&self) -> Result<Settings, ConfigError> {
        let flags = Flags { config: Some(self.path("sfmint.toml")), ..Flags::default() };
        Settings::from_layers(flags, &self.environment())
    }

    /// Loads what is found from here, where `/etc` is the folder `etc`.
    fn search(&self) -> Result<Settings, ConfigError> {
        let roots = Roots { current: self.path(""), system: self.path("etc") };
        Settings::from_roots(Flags::default(), &self.environment(), &roots)
    }

    fn prod(&self) -> Connection {
        self.load().unwrap().connection("prod").unwrap()
    }
}

fn set_mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// The mistakes of a config text, each without its path.
fn mistakes(config: &str) -> Vec<String> {
    mistakes_in(&House::new(config))
}

fn mistakes_in(house: &House) -> Vec<String> {
    let error = house.load().expect_err("should be refused");
    assert_eq!((error.code(), error.fault()), ("config.invalid", Fault::Misuse));
    let folder = format!("{}/", house.dir.path().display());
    error.mistakes().iter().map(|mistake| mistake.to_string().replace(&folder, "")).collect()
}

/// `PROD` with a line more.
fn prod_and(line: &str) -> String {
    format!("{PROD}{line}\n")
}

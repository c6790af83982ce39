use std::path::{Path, PathBuf};

use super::{Environment, Origin};

/// What the command line said about where things are. Empty where it said nothing.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config FILE`
    pub config: Option<PathBuf>,
    /// `--state-dir DIR`
    pub state_dir: Option<PathBuf>,
}

/// Where relative and system-wide places start; tests bring their own.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    /// The current directory; empty for the process's own.
    pub current: PathBuf,
    /// `/etc`
    pub system: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { current: PathBuf::new(), system: PathBuf::from("/etc") }
    }
}

/// How we came to look at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoundBy {
    /// Somebody named it: `--config` or `SFMINT_CONFIG`. It must be there, and may hold commands.
    Name,
    /// It lies in the current directory, where anybody may have put it.
    CurrentDirectory,
    /// It lies where configuration belongs: the user's own folder or the system's.
    Convention,
}

/// A place where a configuration may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub path: PathBuf,
    pub found_by: FoundBy,
}

/// The places where a configuration may be, first to last. One only, where somebody named it.
pub(super) fn config_files(flags: &Flags, environment: &Environment, roots: &Roots) -> Vec<Candidate> {
    let named = flags.config.clone().or_else(|| environment.path("SFMINT_CONFIG"));
    if let Some(path) = named {
        return vec![Candidate { path, found_by: FoundBy::Name }];
    }
    let at = |path, found_by| Candidate { path, found_by };
    let user = environment.absolute_path("XDG_CONFIG_HOME").or_else(|| home(environment, ".config"));
    let mut places = vec![at(roots.current.join("config/sfmint.toml"), FoundBy::CurrentDirectory)];
    places.extend(user.map(|dir| at(dir.join("sfmint/sfmint.toml"), FoundBy::Convention)));
    places.push(at(roots.system.join("sfmint/sfmint.toml"), FoundBy::Convention));
    places
}

/// Where state belongs, and who said so; `None` where not even `HOME` is set.
pub(super) fn state_dir(flags: &Flags, environment: &Environment) -> Option<(PathBuf, Origin)> {
    if let Some(dir) = &flags.state_dir {
        return Some((dir.clone(), Origin::Flag("--state-dir")));
    }
    let said = |name: &str, dir: PathBuf| Some((dir, Origin::Environment(name.to_string())));
    if let Some(dir) = environment.path("SFMINT_STATE_DIR") {
        return said("SFMINT_STATE_DIR", dir);
    }
    // systemd lists several directories with colons between them; the first is the service's own.
    let first =
        environment.get("STATE_DIRECTORY").and_then(|dirs| dirs.split(':').find(|dir| !dir.is_empty()));
    if let Some(dir) = first {
        return said("STATE_DIRECTORY", PathBuf::from(dir));
    }
    if let Some(dir) = environment.absolute_path("XDG_STATE_HOME") {
        return said("XDG_STATE_HOME", dir.join("sfmint"));
    }
    home(environment, ".local/state/sfmint").map(|dir| (dir, Origin::Default))
}

fn home(environment: &Environment, below: impl AsRef<Path>) -> Option<PathBuf> {
    environment.absolute_path("HOME").map(|home| home.join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(flags: &Flags, pairs: &[(&str, &str)]) -> Vec<String> {
        let environment = Environment::from_pairs(pairs.iter().copied());
        let candidates = config_files(flags, &environment, &Roots::default());
        candidates.into_iter().map(|candidate| candidate.path.display().to_string()).collect()
    }

    #[test]
    fn the_config_is_looked_for_in_the_order_of_the_contract() {
        let flag = Flags { config: Some("a.toml".into()), ..Flags::default() };
        let home = ("HOME", "/home/ann");
        assert_eq!(paths(&flag, &[("SFMINT_CONFIG", "b.toml")]), ["a.toml"]);
        assert_eq!(paths(&Flags::default(), &[("SFMINT_CONFIG", "b.toml"), home]), ["b.toml"]);
        let (here, system) = ("config/sfmint.toml", "/etc/sfmint/sfmint.toml");
        assert_eq!(paths(&Flags::default(), &[home]), [here, "/home/ann/.config/sfmint/sfmint.toml", system]);
        assert_eq!(
            paths(&Flags::default(), &[home, ("XDG_CONFIG_HOME", "/x")]),
            [here, "/x/sfmint/sfmint.toml", system]
        );
        assert_eq!(
            paths(&Flags::default(), &[home, ("XDG_CONFIG_HOME", "relative")]),
            [here, "/home/ann/.config/sfmint/sfmint.toml", system]
        );
        assert_eq!(paths(&Flags::default(), &[("SFMINT_CONFIG", "")]), [here, system]);
    }

    #[test]
    fn state_lives_where_the_first_of_five_says() {
        let mut pairs = vec![
            ("SFMINT_STATE_DIR", "/s"),
            ("STATE_DIRECTORY", "/var/lib/one:/var/lib/two"),
            ("XDG_STATE_HOME", "/x"),
            ("HOME", "/home/ann"),
        ];
        let flags = Flags { state_dir: Some("/f".into()), ..Flags::default() };
        let of = |flags: &Flags, pairs: &[(&str, &str)]| {
            let found = state_dir(flags, &Environment::from_pairs(pairs.iter().copied()));
            found.map(|(dir, origin)| format!("{} by {origin}", dir.display()))
        };
        assert_eq!(of(&flags, &pairs).unwrap(), "/f by flag --state-dir");
        for expected in [
            "/s by environment variable SFMINT_STATE_DIR",
            "/var/lib/one by environment variable STATE_DIRECTORY",
            "/x/sfmint by environment variable XDG_STATE_HOME",
            "/home/ann/.local/state/sfmint by default",
        ] {
            assert_eq!(of(&Flags::default(), &pairs).unwrap(), expected);
            pairs.remove(0);
        }
        assert_eq!(of(&Flags::default(), &[]), None);
    }
}

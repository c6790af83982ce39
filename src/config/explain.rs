use crate::base::{ConnectionName, Explain, Fault, Hint, JobName};

use super::ConfigError;
use super::origin::shown;

impl Explain for ConfigError {
    fn fault(&self) -> Fault {
        Fault::Misuse
    }

    fn code(&self) -> &'static str {
        match self {
            ConfigError::Invalid { .. } => "config.invalid",
            ConfigError::NotFound { .. } => "config.not_found",
            ConfigError::DanglingLink { .. } => "config.dangling_link",
            ConfigError::Unreadable { .. } => "config.unreadable",
            ConfigError::NotAFile { .. } => "config.not_a_file",
            ConfigError::TooLarge { .. } => "config.too_large",
            ConfigError::NotText { .. } => "config.not_text",
            ConfigError::WritableByOthers { .. } => "config.writable_by_others",
            ConfigError::NotYours { .. } => "config.not_yours",
            ConfigError::NoConnection { .. } => "config.no_connection",
            ConfigError::UnknownConnection { .. } => "config.unknown_connection",
            ConfigError::WhichConnection { .. } => "config.which_connection",
            ConfigError::NoJob { .. } => "config.no_job",
            ConfigError::UnknownJob { .. } => "config.unknown_job",
            ConfigError::CommandRefused { .. } => "config.command_refused",
            ConfigError::SettingRefused { .. } => "config.setting_refused",
            ConfigError::ActiveApp { .. } => "config.active_app",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let one = |text: String| vec![Hint::new(text)];
        match self {
            ConfigError::Invalid { .. } => one("correct these, then run `sfmint config check`".into()),
            ConfigError::NotFound { named_by, .. } => {
                one(format!("correct the path in {named_by}, or run `sfmint init NAME` to write a first one"))
            }
            ConfigError::DanglingLink { path, .. } => {
                one(format!("point the link {} at a file, or remove it", shown(path)))
            }
            ConfigError::Unreadable { path, .. } => {
                one(format!("make {} readable for the user who runs sfmint", shown(path)))
            }
            ConfigError::NotAFile { .. } => one("name a TOML file with --config or SFMINT_CONFIG".into()),
            ConfigError::TooLarge { .. } => {
                one("spread connections over files in connections.d beside it, if they are that many".into())
            }
            ConfigError::NotText { line: None, .. } => {
                one("save it as UTF-8; it looks like UTF-16, which some editors call Unicode".into())
            }
            ConfigError::NotText { .. } => one("save it as UTF-8".into()),
            ConfigError::WritableByOthers { path, .. } => {
                one(format!("run `chmod go-w {}`, after making sure that nobody changed it", shown(path)))
            }
            ConfigError::NotYours { path, .. } => one(format!(
                "read it, and if you trust it, name the config file with --config or SFMINT_CONFIG; or run `chown $(id -u) {}`",
                shown(path)
            )),
            ConfigError::NoConnection { searched } => {
                let places: Vec<String> = searched.iter().map(|path| shown(path)).collect();
                vec![
                    Hint::new("run `sfmint init NAME` to make one"),
                    Hint::new(
                        "or set SFMINT_LOGIN_URL, SFMINT_CLIENT_ID, SFMINT_USERNAME and SFMINT_PRIVATE_KEY_FILE",
                    ),
                    Hint::new(format!("looked in {}", places.join(", "))),
                ]
            }
            ConfigError::NoJob { searched } => {
                let places: Vec<String> = searched.iter().map(|path| shown(path)).collect();
                vec![
                    Hint::new(
                        "add [jobs.NAME] with `object` and `destination` to the config file, or a file of its own to jobs.d beside it",
                    ),
                    Hint::new(format!("looked in {}", places.join(", "))),
                ]
            }
            ConfigError::UnknownJob { known, .. } => {
                let names: Vec<&str> = known.iter().take(20).map(JobName::as_str).collect();
                let more = if known.len() > names.len() { ", ..." } else { "" };
                one(format!("there are: {}{more}; `sfmint sync list` says more", names.join(", ")))
            }
            ConfigError::UnknownConnection { known, .. } => one(there_are(known)),
            ConfigError::WhichConnection { known } => {
                vec![Hint::new("name one with `-c NAME`"), Hint::new(there_are(known))]
            }
            ConfigError::CommandRefused { config, .. } | ConfigError::SettingRefused { config, .. } => {
                one(format!("read it, and if you trust it, name it: `--config {}`", shown(config)))
            }
            ConfigError::ActiveApp { path, apps, .. } => {
                one(format!("write `{}` or `{}` into {}, or remove it", apps[0], apps[1], shown(path)))
            }
        }
    }
}

fn there_are(known: &[ConnectionName]) -> String {
    let names: Vec<String> = known.iter().take(20).map(|name| format!("`{name}`")).collect();
    let more = match known.len() > names.len() {
        true => format!(" and {} more; see `sfmint config show`", known.len() - names.len()),
        false => String::new(),
    };
    match known {
        [] => "no connection is configured; run `sfmint init NAME` to make one".into(),
        _ => format!("there are: {}{more}", names.join(", ")),
    }
}

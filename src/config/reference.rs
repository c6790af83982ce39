use std::fmt::Write;

use super::keys::{self, Key};
use super::later;
use super::variables::{self, Known};

/// The page docs/reference/config.md, in Markdown, made from the table of keys.
pub fn reference() -> String {
    let mut page = String::from(include_str!("reference_config.md"));
    section(
        &mut page,
        "`[connections.NAME]`",
        "The same keys in `[defaults]` hold for every connection that does not say otherwise.",
        keys::CONNECTION,
    );
    section(&mut page, "`apps`", "Each of the two tables in the list.", keys::APP);
    #[cfg(feature = "sync")]
    section(
        &mut page,
        "`[jobs.NAME]`",
        "What is synced, how far, where to and when. The same keys in `[defaults]` hold for every job that does not say otherwise.",
        super::jobs::JOB,
    );
    section(&mut page, "`[defaults]` alone", "Besides the keys of connections and jobs.", keys::GENERAL);
    let names = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let _ = write!(
        page,
        "\n## Not in this version\n\nThe format has more keys than this version understands. They are refused by name, not ignored: {}, \
         `auth = \"refresh_token\"`, the kinds of key {}, `store = {{ postgres = ... }}`, the destinations `postgres`, `parquet` and addresses of object stores, and `direction` of jobs.\n",
        names(later::CONNECTION),
        names(&later::KEY[..5]),
    );
    page
}

fn section<D>(page: &mut String, title: &str, says: &str, keys: &[Key<D>]) {
    let _ = write!(page, "\n## {title}\n\n{says}\n");
    for key in keys {
        let default = match key.default {
            "" if ["object", "soql"].contains(&key.name) => {
                "one of `object` and `soql` is required".to_string()
            }
            "" => "required".to_string(),
            default => default
                .trim_matches('`')
                .split_once('`')
                .map_or_else(|| code(default), |_| default.to_string()),
        };
        let accepts = key.kind.accepts();
        let _ = write!(
            page,
            "\n### `{}`\n\n{}\n\n- accepted: {accepts}\n- default: {default}\n",
            key.name, key.says
        );
    }
}

/// A default that is a TOML value stands in code; one in words stands as it is.
fn code(default: &str) -> String {
    let is_value = default.starts_with(['"', '{']) || default.chars().all(|c| c.is_ascii_digit());
    if is_value { format!("`{default}`") } else { default.to_string() }
}

/// The page docs/reference/environment.md, in Markdown, made from the table of variables.
pub fn environment_reference() -> String {
    let mut page = String::from(include_str!("reference_environment.md"));
    let table = |page: &mut String, title: &str, says: &str, known: &[Known]| {
        let _ = write!(page, "\n## {title}\n\n{says}\n\n| variable | says |\n|---|---|\n");
        for variable in known {
            let secret = if variable.holds_secret { " Never shown." } else { "" };
            let _ = writeln!(page, "| `{}` | {}{secret} |", variable.name, variable.says);
        }
    };
    table(&mut page, "One connection, wholly from the environment", CONNECTION_SAYS, variables::CONNECTION);
    table(
        &mut page,
        "Where things are",
        "The first that is set wins; flags win over all.",
        variables::PLACES,
    );
    page
}

const CONNECTION_SAYS: &str = "For containers: no config file is needed. The connection is called `default`. Once any of these is set, all required ones must be; \
a variable that the config file refers to with `{ env = \"NAME\" }` does not count. A `[connections.default]` in a file besides it is a mistake. \
`[defaults]` of a config file hold for it too.";

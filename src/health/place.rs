use crate::base::{Connection, Finding, Hint, Level};

/// What kind of org a host's name shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Production,
    Sandbox,
    Scratch,
    Unknown,
}

const LOGIN: &str = "https://login.salesforce.com";
const TEST: &str = "https://test.salesforce.com";

fn kind(host: &str) -> Kind {
    let inner = |infix: &str| host.contains(&format!(".{infix}.my."));
    match host {
        "test.salesforce.com" => Kind::Sandbox,
        "login.salesforce.com" => Kind::Production,
        _ if inner("scratch") => Kind::Scratch,
        _ if inner("sandbox") || (host.contains("--") && host.contains(".my.")) => Kind::Sandbox,
        // Developer, demo, free and Trailhead orgs: login or test, reports differ (restforce#674, #886).
        _ if ["develop", "demo", "free", "trailblaze", "trial", "patch", "stage", "wax"]
            .into_iter()
            .any(inner) =>
        {
            Kind::Unknown
        }
        _ if host.ends_with(".my.salesforce.com") => Kind::Production,
        _ => Kind::Unknown,
    }
}

/// The sandbox's name in `acme--dev.sandbox.my.salesforce.com`: `dev`.
fn sandbox_name(host: &str) -> Option<&str> {
    host.split('.').next()?.split_once("--").map(|(_, name)| name).filter(|name| !name.is_empty())
}

/// Checks login URL, audience and username against each other, without asking anybody.
///
/// # Shape
///
/// One finding for each thing that does not fit, most telling first; one `host.place` that is ok where all
/// fits. Nothing here fails: Salesforce is the judge, and each rule has known exceptions.
///
/// | login URL             | audience            | said                                                      |
/// |-----------------------|---------------------|-----------------------------------------------------------|
/// | login, test           | any                 | External Client Apps answer at My Domain only             |
/// | a sandbox             | login               | a sandbox's audience is My Domain, or test                |
/// | production            | test                | production's audience is My Domain, or login              |
/// | My Domain             | login, test         | right for connected apps and Government Cloud only        |
/// | one My Domain         | another host        | sites and moved orgs only                                 |
/// | a sandbox `x`         |                     | usernames of a sandbox usually end in `.x`                |
///
/// # Source
///
/// Protocol reference §1.2; n8n#28990, simple-salesforce#711, forcedotcom/cli#3325 and #3482.
pub fn place(connection: &Connection) -> Vec<Finding> {
    let login = &connection.login_url;
    let audience = connection.audience.as_str();
    let mut findings = Vec::new();
    let mut warn = |code, level, says: String, hint: &'static str| {
        findings.push(Finding::new(code, level, says).hint(Hint::new(hint)));
    };
    let host = login.host();
    if login.is_shared_host() {
        warn(
            "host.shared",
            Level::Warn,
            format!(
                "`login_url` is {login}, where External Client Apps do not answer: only a connected app works there"
            ),
            "set `login_url` to the org's My Domain (Setup > My Domain): it works for both kinds of app",
        );
    }
    let same = audience == login.as_str();
    match kind(host) {
        _ if same => {}
        Kind::Sandbox | Kind::Scratch if audience == LOGIN => warn(
            "host.audience",
            Level::Warn,
            format!("{host} is not a production org, and `audience` is production's {LOGIN}"),
            "leave `audience` out (it is `login_url` then), or for a connected app set https://test.salesforce.com",
        ),
        Kind::Production if audience == TEST => warn(
            "host.audience",
            Level::Warn,
            format!("{host} is a production org, and `audience` is the sandboxes' {TEST}"),
            "leave `audience` out (it is `login_url` then), or for a connected app set https://login.salesforce.com",
        ),
        _ if audience == LOGIN || audience == TEST => warn(
            "host.audience",
            Level::Info,
            format!(
                "`audience` is {audience}: right for a connected app and for Government Cloud, wrong for an External Client App"
            ),
            "if the mint is refused with `audience is invalid` or `app_not_found`, leave `audience` out",
        ),
        _ if !login.is_loopback() => warn(
            "host.audience",
            Level::Info,
            format!("`audience` {audience} is another host than `login_url` {login}"),
            "unless the user belongs to an Experience Cloud site, leave `audience` out",
        ),
        _ => {}
    }
    if kind(host) == Kind::Sandbox
        && let Some(name) = sandbox_name(host)
    {
        let username = connection.username.folded();
        if !username.ends_with(&format!(".{}", name.to_lowercase())) {
            warn(
                "username.sandbox",
                Level::Info,
                format!(
                    "`username` does not end in `.{name}`, as usernames copied from production into this sandbox do"
                ),
                "if the mint says `user hasn't approved this consumer`, add the sandbox's name to `username`",
            );
        }
    }
    if findings.is_empty() {
        let says = format!("login URL {login} and audience {audience} fit each other");
        findings.push(Finding::new("host.place", Level::Ok, says));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::test_words::connection;

    // Peers T1; protocol reference §1.2, row by row.
    #[test]
    fn hosts_audiences_and_usernames_are_compared() {
        const PROD: &str = "https://acme.my.salesforce.com";
        const SANDBOX: &str = "https://acme--dev.sandbox.my.salesforce.com";
        let cases: [(&str, &str, &str, &[&str]); 15] = [
            (PROD, PROD, "a@acme.example", &["host.place ok"]),
            (PROD, LOGIN, "a@acme.example", &["host.audience info"]),
            (PROD, TEST, "a@acme.example", &["host.audience warn"]),
            (LOGIN, LOGIN, "a@acme.example", &["host.shared warn"]),
            (TEST, TEST, "a@acme.example.dev", &["host.shared warn"]),
            (TEST, LOGIN, "a@acme.example.dev", &["host.shared warn", "host.audience warn"]),
            (SANDBOX, SANDBOX, "a@acme.example.DEV", &["host.place ok"]),
            (SANDBOX, SANDBOX, "a@acme.example", &["username.sandbox info"]),
            (SANDBOX, TEST, "a@acme.example.dev", &["host.audience info"]),
            (SANDBOX, LOGIN, "a@acme.example.dev", &["host.audience warn"]),
            ("https://x-y.scratch.my.salesforce.com", LOGIN, "a@acme.example", &["host.audience warn"]),
            ("https://x-dev-ed.develop.my.salesforce.com", LOGIN, "a@acme.example", &["host.audience info"]),
            (PROD, "https://other.my.salesforce.com", "a@acme.example", &["host.audience info"]),
            (
                "https://acme.my.site.com/portal",
                "https://acme.my.site.com/portal",
                "a@acme.example",
                &["host.place ok"],
            ),
            ("http://127.0.0.1:9000", LOGIN, "a@acme.example", &["host.audience info"]),
        ];
        for (login, audience, username, expected) in cases {
            let mut connection = connection(login);
            connection.audience = audience.parse().unwrap();
            connection.username = username.parse().unwrap();
            let found: Vec<String> = place(&connection)
                .iter()
                .map(|finding| format!("{} {}", finding.code, finding.level))
                .collect();
            let found: Vec<String> = found.iter().map(|text| text.to_lowercase()).collect();
            assert_eq!(found, expected.to_vec(), "{login} {audience} {username}");
        }
    }
}

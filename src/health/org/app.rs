use crate::api::Client;
use crate::api::rest::Record;
use crate::base::{Finding, Hint, Level, printable};
use crate::health::examine::Examination;

use super::ask::{Question, quoted, unanswered};

/// The app that the connection mints through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct App {
    pub id: String,
    pub name: String,
    pub kind: Kind,
}

/// Which of the two kinds of app it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    External,
    Connected,
}

const WANTS: &str = "the permission View Setup and Configuration, and for apps Manage Connected Apps or View External Client Apps";

/// Finds the app in the org, among External Client Apps first, then among connected apps.
///
/// `SELECT Id, DeveloperName, MasterLabel FROM ExternalClientApplication` and `SELECT Id, Name, OptionsAllowAdminApprovedUsersOnly,
/// OptionsHasSessionLevelPolicy, OptionsRefreshTokenValidityMetric, RefreshTokenValidityPeriod FROM ConnectedApplication`. No object shows a
/// consumer key, so the app is known by the name its logins bear. Objects and columns as public tools read them from real
/// orgs; Salesforce's own guide calls the External Client App objects internal.
pub(super) async fn app(client: &Client, name: Option<&str>, exam: &mut Examination<'_>) -> Option<App> {
    let code = "org.app";
    let external =
        Question { columns: &["Id", "DeveloperName", "MasterLabel"], from: "ExternalClientApplication" };
    let external = external.ask(client).await;
    let from = name.map(|name| format!("ConnectedApplication WHERE Name = {}", quoted(name)));
    let columns = [
        "Id",
        "Name",
        "OptionsAllowAdminApprovedUsersOnly",
        "OptionsHasSessionLevelPolicy",
        "OptionsRefreshTokenValidityMetric",
        "RefreshTokenValidityPeriod",
    ];
    let connected = match &from {
        Some(from) => Some((Question { columns: &columns, from }).ask(client).await),
        None => None,
    };
    let found = match (&external, name) {
        (Ok(told), Some(name)) => find_external(&told.rows, name),
        _ => None,
    };
    if let Some(app) = found {
        exam.ok(code, format!("the app is the External Client App `{}`", printable(&app.name, 80)));
        return Some(app);
    }
    if let Some(Ok(told)) = &connected
        && let Some(row) = told.rows.first()
    {
        let app =
            App { id: row.text("Id")?.into(), name: name.unwrap_or_default().into(), kind: Kind::Connected };
        exam.ok(code, format!("the app is the connected app `{}`", printable(&app.name, 80)));
        judge_connected(row).into_iter().for_each(|finding| exam.note(finding));
        return Some(app);
    }
    exam.note(match (name, external, connected) {
        (_, Err(error), None | Some(Err(_))) => unanswered(code, WANTS, &error),
        (None, ..) => Finding::new(
            code,
            Level::Skipped,
            "which app the user logs in through is not known: its logins are not readable",
        ),
        (Some(name), Ok(told), _) => {
            let count = told.rows.len();
            let says = format!(
                "no app of this org is called `{}`; {count} External Client Apps can be seen",
                printable(name, 80)
            );
            Finding::new(code, Level::Warn, says).hint(Hint::new(
                "the app may be used without being installed: Setup > Connected Apps OAuth Usage > Install",
            ))
        }
        (Some(_), Err(error), _) => unanswered(code, WANTS, &error),
    });
    None
}

fn find_external(rows: &[Record], name: &str) -> Option<App> {
    let bears = |row: &&Record| {
        ["MasterLabel", "DeveloperName"]
            .iter()
            .any(|column| row.text(column).is_some_and(|text| text.eq_ignore_ascii_case(name)))
    };
    let row = rows.iter().find(bears)?;
    let name = row.text("MasterLabel").or(row.text("DeveloperName"))?;
    Some(App { id: row.text("Id")?.into(), name: name.into(), kind: Kind::External })
}

/// The policies that stand on the row of a connected app itself.
fn judge_connected(row: &Record) -> Vec<Finding> {
    let mut findings = vec![permitted(row.flag("OptionsAllowAdminApprovedUsersOnly"))];
    if row.flag("OptionsHasSessionLevelPolicy") == Some(true) {
        findings.push(high_assurance(
            Level::Warn,
            "the app has a session policy, which may demand a high-assurance session",
        ));
    }
    if let Some(period) = row.get("RefreshTokenValidityPeriod").and_then(serde_json::Value::as_i64) {
        let says =
            format!("the app ends refresh tokens after a period of {period}: no matter here, there are none");
        findings.push(Finding::new("org.refresh_policy", Level::Info, says));
    }
    findings
}

/// Whether only users that an administrator approved may use the app.
fn permitted(admin_approved: Option<bool>) -> Finding {
    let code = "org.permitted_users";
    match admin_approved {
        Some(true) => Finding::new(code, Level::Ok, "the app is for pre-authorized users only, as this flow needs it"),
        Some(false) => Finding::new(code, Level::Warn, "the app lets users approve themselves: this flow works only for users who once did, and ends when that approval is revoked")
            .hint(Hint::new("attach the permission set first, then set Permitted Users to `Admin approved users are pre-authorized`")),
        None => Finding::new(code, Level::Skipped, "the org does not say who may use the app"),
    }
}

fn high_assurance(level: Level, says: &str) -> Finding {
    Finding::new("org.session_policy", level, says).hint(Hint::new(
        "this flow never has a high-assurance session: the token would be given and then refused. Set the policy to Standard",
    ))
}

/// Reads the policies of an External Client App.
///
/// `SELECT IsEnabled FROM ExtlClntAppPlcyCnfg WHERE ExternalClientApplicationId = '0xI...'` and `SELECT PermittedUsersPolicyType, RequiredSessionLevel,
/// PolicyAction, SessionTimeoutInMinutes, IpRelaxationPolicyType, RefreshTokenPolicyType, IsNamedUserJwtEnabled FROM ExtlClntAppOauthPlcyCnfg WHERE
/// ExternalClientApplicationId = '0xI...'`. Column names as in published type listings of both objects and in tools that query real orgs; one report
/// says that some orgs refuse the object (INVALID_TYPE). Not verified by us.
pub(super) async fn policies(client: &Client, app: &App, exam: &mut Examination<'_>) {
    if app.kind == Kind::Connected {
        return;
    }
    let of = |object: &str| format!("{object} WHERE ExternalClientApplicationId = {}", quoted(&app.id));
    let from = of("ExtlClntAppPlcyCnfg");
    match (Question { columns: &["Id", "IsEnabled"], from: &from }).ask(client).await {
        Ok(told) => exam.note(judge_enabled(told.rows.first())),
        Err(error) => exam.note(unanswered("org.app_enabled", WANTS, &error)),
    }
    let columns = [
        "PermittedUsersPolicyType",
        "RequiredSessionLevel",
        "PolicyAction",
        "SessionTimeoutInMinutes",
        "IpRelaxationPolicyType",
        "RefreshTokenPolicyType",
        "IsNamedUserJwtEnabled",
    ];
    let from = of("ExtlClntAppOauthPlcyCnfg");
    match (Question { columns: &columns, from: &from }).ask(client).await {
        Ok(told) => match told.rows.first() {
            Some(row) => {
                let configured = client.connection().policy.session_timeout.map(|timeout| timeout.as_secs());
                judge_policies(row, configured).into_iter().for_each(|finding| exam.note(finding));
            }
            None => exam.skipped("org.permitted_users", "the org shows no OAuth policies of the app"),
        },
        Err(error) => exam.note(unanswered("org.permitted_users", WANTS, &error)),
    }
}

fn judge_enabled(row: Option<&Record>) -> Finding {
    let code = "org.app_enabled";
    match row.and_then(|row| row.flag("IsEnabled")) {
        Some(true) => Finding::new(code, Level::Ok, "the app is enabled"),
        Some(false) => Finding::new(code, Level::Fail, "the app is disabled: nobody gets a token through it")
            .hint(Hint::new("Setup > External Client App Manager > the app > Policies > enable it")),
        None => Finding::new(code, Level::Skipped, "the org does not say whether the app is enabled"),
    }
}

fn judge_policies(row: &Record, configured: Option<u64>) -> Vec<Finding> {
    let word = |column: &str| row.text(column).map(|text| printable(text, 60));
    let approved =
        word("PermittedUsersPolicyType").map(|text| text.eq_ignore_ascii_case("AdminApprovedPreAuthorized"));
    let mut findings = vec![permitted(approved)];
    let level = word("RequiredSessionLevel").unwrap_or_default().to_ascii_uppercase();
    let blocks = !word("PolicyAction").is_some_and(|action| action.eq_ignore_ascii_case("RaiseSessionLevel"));
    if level.contains("HIGH") {
        let severity = if blocks { Level::Fail } else { Level::Warn };
        findings.push(high_assurance(severity, "the app demands a high-assurance session"));
    }
    if let Some(minutes) =
        row.get("SessionTimeoutInMinutes").and_then(serde_json::Value::as_u64).filter(|minutes| *minutes > 0)
    {
        let seconds = minutes * 60;
        let finding = match configured {
            Some(own) if own > seconds => Finding::new(
                "org.session_timeout",
                Level::Warn,
                format!("the app ends sessions after {minutes} minutes; `session_timeout_seconds = {own}` is longer"),
            )
            .hint(Hint::new(format!("set `session_timeout_seconds = {seconds}`"))),
            Some(_) => Finding::new("org.session_timeout", Level::Ok, format!("the app ends sessions after {minutes} minutes, as configured or later")),
            None => Finding::new("org.session_timeout", Level::Info, format!("the app ends sessions after {minutes} minutes"))
                .hint(Hint::new(format!("set `session_timeout_seconds = {seconds}`, and tokens are renewed in time instead of when refused"))),
        };
        findings.push(finding);
    }
    if let Some(relaxation) = word("IpRelaxationPolicyType") {
        findings.push(Finding::new(
            "org.ip_relaxation",
            Level::Info,
            format!("IP restrictions of the app: {relaxation}"),
        ));
    }
    if let Some(policy) = word("RefreshTokenPolicyType") {
        let says = format!("refresh-token policy of the app: {policy}; no matter here, there are none");
        findings.push(Finding::new("org.refresh_policy", Level::Info, says));
    }
    if row.flag("IsNamedUserJwtEnabled") == Some(true) {
        findings.push(Finding::new(
            "org.jwt_tokens",
            Level::Info,
            "the app issues JWT-format tokens: they work with REST, not with SOAP",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Record {
        serde_json::from_str(json).unwrap()
    }

    fn found(findings: &[Finding]) -> Vec<(&'static str, Level)> {
        findings.iter().map(|finding| (finding.code, finding.level)).collect()
    }

    #[test]
    fn an_app_is_found_by_either_name() {
        let rows = [row(r#"{"Id":"1","DeveloperName":"My_App","MasterLabel":"My App"}"#)];
        for name in ["my app", "MY_APP"] {
            assert_eq!(find_external(&rows, name).unwrap().name, "My App");
        }
        assert_eq!(find_external(&rows, "other"), None);
    }

    #[test]
    fn policies_are_judged_one_by_one() {
        use Level::{Fail, Info, Ok, Skipped, Warn};
        let good = r#"{"PermittedUsersPolicyType":"AdminApprovedPreAuthorized","RequiredSessionLevel":"STANDARD","SessionTimeoutInMinutes":30,
                       "IpRelaxationPolicyType":"Enforce","RefreshTokenPolicyType":"Infinite"}"#;
        assert_eq!(
            found(&judge_policies(&row(good), None)),
            [
                ("org.permitted_users", Ok),
                ("org.session_timeout", Info),
                ("org.ip_relaxation", Info),
                ("org.refresh_policy", Info)
            ]
        );
        assert_eq!(found(&judge_policies(&row(good), Some(3600)))[1], ("org.session_timeout", Warn));
        assert_eq!(found(&judge_policies(&row(good), Some(1800)))[1], ("org.session_timeout", Ok));
        let bad = r#"{"PermittedUsersPolicyType":"AllSelfAuthorized","RequiredSessionLevel":"HIGH_ASSURANCE","PolicyAction":"Block","IsNamedUserJwtEnabled":true}"#;
        assert_eq!(
            found(&judge_policies(&row(bad), None)),
            [("org.permitted_users", Warn), ("org.session_policy", Fail), ("org.jwt_tokens", Info)]
        );
        assert_eq!(found(&judge_policies(&row("{}"), None)), [("org.permitted_users", Skipped)]);
        let connected = r#"{"OptionsAllowAdminApprovedUsersOnly":false,"OptionsHasSessionLevelPolicy":true,"RefreshTokenValidityPeriod":30}"#;
        assert_eq!(
            found(&judge_connected(&row(connected))),
            [("org.permitted_users", Warn), ("org.session_policy", Warn), ("org.refresh_policy", Info)]
        );
    }

    #[test]
    fn a_disabled_app_fails() {
        assert_eq!(judge_enabled(Some(&row(r#"{"IsEnabled":false}"#))).level, Level::Fail);
        assert_eq!(judge_enabled(Some(&row(r#"{"IsEnabled":true}"#))).level, Level::Ok);
        assert_eq!(judge_enabled(None).level, Level::Skipped);
    }
}

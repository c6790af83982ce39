use crate::api::Client;
use crate::api::rest::Record;
use crate::base::{Clock, Finding, Hint, Level, OAuthError, UnixSeconds, printable};
use crate::health::age;
use crate::health::examine::Examination;
use crate::token::diagnosis::diagnose;

use super::About;
use super::app::App;
use super::ask::{Question, quoted, unanswered};

/// The user's last logins, newest first. Asked for at most so many.
const LOGINS: u32 = 50;

/// The newest changes of Setup that are looked through.
const CHANGES: u32 = 200;

/// How many changes are told.
const TOLD: usize = 3;

/// Reads the user's logins; returns the name of the app that the last one went through.
///
/// `SELECT LoginTime, LoginType, LoginSubType, Application, Status, SourceIp, LoginUrl FROM LoginHistory WHERE UserId = '005...'
/// ORDER BY LoginTime DESC LIMIT 50`. `Status`, `Application` and `SourceIp` can be read but not filtered by (Object Reference,
/// quoted in the protocol reference §1.4), so rows are sorted out here. Wants Manage Users; whether a
/// user may read its own rows without it is not verified.
pub(super) async fn logins(client: &Client, about: &About, exam: &mut Examination<'_>) -> Option<String> {
    let from = format!(
        "LoginHistory WHERE UserId = {} ORDER BY LoginTime DESC LIMIT {LOGINS}",
        quoted(about.user_id.as_str())
    );
    let columns = ["LoginTime", "LoginType", "LoginSubType", "Application", "Status", "SourceIp", "LoginUrl"];
    match (Question { columns: &columns, from: &from }).ask(client).await {
        Ok(told) => {
            exam.note(judge_logins(&told.rows));
            app_of(&told.rows)
        }
        Err(error) => {
            exam.note(unanswered("org.logins", "the permission Manage Users", &error));
            None
        }
    }
}

/// The app that the user's last successful login went through.
fn app_of(rows: &[Record]) -> Option<String> {
    rows.iter()
        .filter(|row| succeeded(row))
        .filter_map(|row| row.text("Application"))
        .find(|name| !name.is_empty() && *name != "N/A" && *name != "Browser")
        .map(String::from)
}

fn succeeded(row: &Record) -> bool {
    row.text("Status").is_some_and(|status| status.eq_ignore_ascii_case("success"))
}

/// Judges the logins: a failure newer than the last success is what ails the connection now.
fn judge_logins(rows: &[Record]) -> Finding {
    let code = "org.logins";
    let text = |row: &Record, column: &str| printable(row.text(column).unwrap_or("unknown"), 120);
    let last_success = rows.iter().position(succeeded);
    let last_failure = rows.iter().position(|row| !succeeded(row));
    let said = |row: &Record| {
        format!(
            "{} through `{}` from {}: {}",
            text(row, "LoginTime"),
            text(row, "Application"),
            text(row, "SourceIp"),
            text(row, "Status")
        )
    };
    match (last_success, last_failure) {
        (None, None) => Finding::new(code, Level::Info, "the org shows no logins of this user"),
        (Some(at), None) => Finding::new(
            code,
            Level::Ok,
            format!("{} logins of this user, none failed; the last: {}", rows.len(), said(&rows[at])),
        ),
        (Some(success), Some(failure)) if success < failure => Finding::new(
            code,
            Level::Ok,
            format!(
                "the last login worked: {}; the last that failed: {}",
                said(&rows[success]),
                said(&rows[failure])
            ),
        ),
        (_, Some(at)) => {
            let finding =
                Finding::new(code, Level::Warn, format!("the last login failed: {}", said(&rows[at])));
            let status = text(&rows[at], "Status");
            let words = status.split_once(':').map_or(status.as_str(), |(_, words)| words).trim();
            let row = diagnose(&OAuthError::new("invalid_grant", Some(words)));
            row.map(|row| row.hints()).unwrap_or_default().into_iter().fold(finding, Finding::hint)
        }
    }
}

/// Tells who changed the app, and when.
///
/// `SELECT CreatedDate, CreatedBy.Username, Action, Section, Display FROM SetupAuditTrail ORDER BY CreatedDate DESC LIMIT 200`. Which
/// `Section` and `Action` External Client Apps bear is not verified, so rows are found by the app's name in `Display`, or by
/// words of sections. Wants View Setup and Configuration.
pub(super) async fn changes(
    client: &Client,
    app: Option<&App>,
    clock: &dyn Clock,
    exam: &mut Examination<'_>,
) {
    let columns = ["CreatedDate", "CreatedBy.Username", "Action", "Section", "Display"];
    let from = format!("SetupAuditTrail ORDER BY CreatedDate DESC LIMIT {CHANGES}");
    match (Question { columns: &columns, from: &from }).ask(client).await {
        Ok(told) => exam.note(judge_changes(&told.rows, app.map(|app| app.name.as_str()), clock.now())),
        Err(error) => {
            exam.note(unanswered("org.changes", "the permission View Setup and Configuration", &error));
        }
    }
}

fn judge_changes(rows: &[Record], app: Option<&str>, now: UnixSeconds) -> Finding {
    let code = "org.changes";
    let is_about = |row: &&Record| {
        let lower = |column: &str| row.text(column).unwrap_or_default().to_lowercase();
        let (section, display) = (lower("Section"), lower("Display"));
        let named = app.is_some_and(|app| display.contains(&app.to_lowercase()));
        let kind = ["connected app", "external client app"]
            .iter()
            .any(|word| section.contains(word) || display.contains(word));
        named || (app.is_none() && kind)
    };
    let told: Vec<String> = rows
        .iter()
        .filter(is_about)
        .take(TOLD)
        .map(|row| {
            let when = row.text("CreatedDate").unwrap_or("at an unknown time");
            let who = row.text("CreatedBy.Username").unwrap_or("Salesforce itself");
            let ago = parse(when).and_then(|at| u64::try_from(now.seconds_since(at)).ok());
            let ago = ago.map(|ago| format!(" ({} ago)", age::spoken(std::time::Duration::from_secs(ago))));
            format!(
                "{}{} {}: {}",
                printable(when, 40),
                ago.unwrap_or_default(),
                printable(who, 80),
                printable(row.text("Display").unwrap_or("?"), 160)
            )
        })
        .collect();
    if told.is_empty() {
        let what = app.map_or_else(|| "an app".to_string(), |app| format!("`{}`", printable(app, 80)));
        return Finding::new(
            code,
            Level::Ok,
            format!("no change of {what} among the last {} of Setup", rows.len()),
        );
    }
    Finding::new(code, Level::Info, format!("changes of the app, newest first: {}", told.join("; ")))
        .hint(Hint::new("a change takes up to 10 minutes to reach every server"))
}

/// `2026-01-02T03:04:05.000+0000`, as Salesforce writes it.
fn parse(text: &str) -> Option<UnixSeconds> {
    let (whole, _) = text.split_once('.')?;
    format!("{whole}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Vec<Record> {
        serde_json::from_str(json).unwrap()
    }

    fn login(status: &str, app: &str) -> String {
        format!(
            r#"{{"LoginTime":"2026-11-22T20:00:00.000+0000","Application":"{app}","Status":"{status}","SourceIp":"1.2.3.4"}}"#
        )
    }

    #[test]
    fn a_failure_newer_than_the_last_success_is_what_ails_now() {
        let (ok, bad) =
            (login("Success", "sfmint"), login("Failed: IP restricted or invalid login hours", "sfmint"));
        let cases = [
            ("[]".to_string(), Level::Info),
            (format!("[{ok},{ok}]"), Level::Ok),
            (format!("[{ok},{bad}]"), Level::Ok),
            (format!("[{bad},{ok}]"), Level::Warn),
            (format!("[{bad}]"), Level::Warn),
            (r#"[{"Status":null}]"#.to_string(), Level::Warn),
        ];
        for (json, level) in cases {
            assert_eq!(judge_logins(&rows(&json)).level, level, "{json}");
        }
        let finding = judge_logins(&rows(&format!("[{bad},{ok}]")));
        assert!(finding.hints.iter().any(|hint| hint.as_str().contains("Login IP Ranges")), "{finding:?}");
    }

    #[test]
    fn the_app_is_the_one_of_the_last_login_that_worked() {
        let json = format!(
            "[{},{},{},{}]",
            login("Failed", "x"),
            login("Success", "Browser"),
            login("Success", "mine"),
            login("Success", "old")
        );
        assert_eq!(app_of(&rows(&json)).as_deref(), Some("mine"));
        assert_eq!(app_of(&[]), None);
    }

    #[test]
    fn changes_of_the_app_are_told_with_who_and_when() {
        let json = r#"[
            {"CreatedDate":"2026-11-22T20:00:00.000+0000","CreatedBy":{"Username":"ada@acme.example"},"Section":"Apps","Display":"Changed certificate of SFMINT \u001b[2J"},
            {"CreatedDate":"2026-11-21T20:00:00.000+0000","CreatedBy":null,"Section":"Connected Apps","Display":"other"},
            {"CreatedDate":"x","CreatedBy":null,"Section":"Users","Display":"mine"}]"#;
        let now = "2026-11-22T21:00:00Z".parse().unwrap();
        let named = judge_changes(&rows(json), Some("sfmint"), now);
        assert_eq!(named.level, Level::Info);
        assert!(named.says.ends_with("2026-11-22T20:00:00.000+0000 (1 h ago) ada@acme.example: Changed certificate of SFMINT \\u{1b}[2J"), "{}", named.says);
        let any = judge_changes(&rows(json), None, now);
        assert!(any.says.contains("Salesforce itself: other") && !any.says.contains("mine"), "{}", any.says);
        assert_eq!(judge_changes(&rows(json), Some("nothing"), now).level, Level::Ok);
    }
}

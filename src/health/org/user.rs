use crate::api::Client;
use crate::api::rest::Record;
use crate::base::{Finding, Hint, Level, printable};
use crate::health::examine::Examination;

use super::About;
use super::ask::{Question, quoted, unanswered};

/// The user, as far as other checks need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct User {
    pub profile_id: Option<String>,
    pub profile: Option<String>,
    /// Whether the profile has "API Enabled".
    pub profile_api: Option<bool>,
}

/// Whether the user is active.
///
/// `SELECT Id, Username, IsActive, UserType, LastLoginDate, ProfileId, Profile.Name, Profile.PermissionsApiEnabled FROM User WHERE Id = '005...'`.
/// Every user may read its own row (Object Reference, `User`).
pub(super) async fn user(client: &Client, about: &About, exam: &mut Examination<'_>) -> Option<User> {
    let columns = [
        "Id",
        "Username",
        "IsActive",
        "UserType",
        "LastLoginDate",
        "ProfileId",
        "Profile.Name",
        "Profile.PermissionsApiEnabled",
    ];
    let from = format!("User WHERE Id = {}", quoted(about.user_id.as_str()));
    match (Question { columns: &columns, from: &from }).ask(client).await {
        Ok(told) => {
            exam.note(judge_user(told.rows.first()));
            let row = told.rows.first()?;
            let text = |column: &str| row.text(column).map(String::from);
            Some(User {
                profile_id: text("ProfileId"),
                profile: text("Profile.Name"),
                profile_api: row.flag("Profile.PermissionsApiEnabled"),
            })
        }
        Err(error) => {
            exam.note(unanswered("org.user", "the permission View All Users", &error));
            None
        }
    }
}

fn judge_user(row: Option<&Record>) -> Finding {
    let code = "org.user";
    let Some(row) = row else {
        return Finding::new(
            code,
            Level::Fail,
            "the user of the token is not in this org, or not to be seen",
        )
        .hint(Hint::new("ask with an administrator's connection (`admin_connection`)"));
    };
    let name = printable(row.text("Username").unwrap_or("?"), 80);
    let profile = printable(row.text("Profile.Name").unwrap_or("unknown"), 80);
    match row.flag("IsActive") {
        Some(true) => Finding::new(code, Level::Ok, format!("{name} is active; profile `{profile}`")),
        Some(false) => Finding::new(code, Level::Fail, format!("{name} is deactivated"))
            .hint(Hint::new("activate the user (Setup > Users), or name another in `username`")),
        None => Finding::new(code, Level::Skipped, format!("the org does not say whether {name} is active")),
    }
}

/// Whether the user is frozen or locked.
///
/// `SELECT UserId, IsFrozen, IsPasswordLocked FROM UserLogin WHERE UserId = '005...'`. Wants Manage Users (Object Reference, `UserLogin`).
pub(super) async fn frozen(client: &Client, about: &About, exam: &mut Examination<'_>) {
    let from = format!("UserLogin WHERE UserId = {}", quoted(about.user_id.as_str()));
    match (Question { columns: &["UserId", "IsFrozen", "IsPasswordLocked"], from: &from }).ask(client).await {
        Ok(told) => exam.note(judge_frozen(told.rows.first())),
        Err(error) => exam.note(unanswered("org.frozen", "the permission Manage Users", &error)),
    }
}

fn judge_frozen(row: Option<&Record>) -> Finding {
    let code = "org.frozen";
    let flag = |column: &str| row.and_then(|row| row.flag(column));
    match (flag("IsFrozen"), flag("IsPasswordLocked")) {
        (Some(true), _) => Finding::new(code, Level::Fail, "the user is frozen: the next mint will be refused")
            .hint(Hint::new("unfreeze the user: Setup > Users > the user > Unfreeze")),
        (Some(false), Some(true)) => {
            Finding::new(code, Level::Warn, "the user is not frozen, but its password is locked after wrong tries")
                .hint(Hint::new("somebody tries passwords of this user: Setup > Users > the user > Unlock, and see its login history"))
        }
        (Some(false), _) => Finding::new(code, Level::Ok, "the user is not frozen"),
        (None, _) => Finding::new(code, Level::Skipped, "not readable with this token: it wants the permission Manage Users"),
    }
}

/// From where the user's profile lets logins in.
///
/// `SELECT ProfileId, StartAddress, EndAddress FROM LoginIpRange WHERE ProfileId = '00e...'`. The object is not in the Object Reference; field
/// reports read it, and disagree on its columns. Not verified against an org: where it is refused, the Setup page is named.
pub(super) async fn ip_ranges(client: &Client, user: Option<&User>, exam: &mut Examination<'_>) {
    let code = "org.ip_ranges";
    let Some(User { profile_id: Some(id), profile, .. }) = user else {
        exam.skipped(code, "the user's profile is not known");
        return;
    };
    let from = format!("LoginIpRange WHERE ProfileId = {}", quoted(id));
    let profile = printable(profile.as_deref().unwrap_or("the user's"), 80);
    match (Question { columns: &["ProfileId", "StartAddress", "EndAddress"], from: &from }).ask(client).await
    {
        Ok(told) => exam.note(judge_ranges(&told.rows, &profile)),
        Err(error) => exam.note(
            unanswered(code, "an org that shows login IP ranges to queries", &error)
                .hint(Hint::new(format!("look at Setup > Profiles > {profile} > Login IP Ranges"))),
        ),
    }
}

fn judge_ranges(rows: &[Record], profile: &str) -> Finding {
    let code = "org.ip_ranges";
    if rows.is_empty() {
        return Finding::new(code, Level::Ok, format!("profile `{profile}` lets logins in from anywhere"));
    }
    let ends = |row: &Record| {
        let text = |column| printable(row.text(column).unwrap_or("?"), 45);
        format!("{} to {}", text("StartAddress"), text("EndAddress"))
    };
    let shown: Vec<String> = rows.iter().take(5).map(ends).collect();
    let more = rows.len().saturating_sub(5);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let says = format!("profile `{profile}` lets logins in from {}{more}", shown.join(", "));
    Finding::new(code, Level::Info, says)
        .hint(Hint::new("every address this machine may have must be among them; the app's `Relax IP restrictions` does not help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Record {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_user_is_active_frozen_or_locked() {
        let user = |json: &str| judge_user(Some(&row(json))).level;
        assert_eq!(user(r#"{"Username":"a","IsActive":true}"#), Level::Ok);
        assert_eq!(user(r#"{"Username":"a","IsActive":false}"#), Level::Fail);
        assert_eq!(user(r#"{"Username":"a"}"#), Level::Skipped);
        assert_eq!(judge_user(None).level, Level::Fail);
        let frozen = |json: &str| judge_frozen(Some(&row(json))).level;
        assert_eq!(frozen(r#"{"IsFrozen":true,"IsPasswordLocked":false}"#), Level::Fail);
        assert_eq!(frozen(r#"{"IsFrozen":false,"IsPasswordLocked":true}"#), Level::Warn);
        assert_eq!(frozen(r#"{"IsFrozen":false,"IsPasswordLocked":false}"#), Level::Ok);
        assert_eq!(frozen(r#"{"IsFrozen":false}"#), Level::Ok);
        assert_eq!(judge_frozen(None).level, Level::Skipped);
    }

    #[test]
    fn ranges_are_listed_and_cut() {
        let one = row(r#"{"StartAddress":"10.0.0.0","EndAddress":"10.0.0.255"}"#);
        assert_eq!(judge_ranges(&[], "Std").level, Level::Ok);
        let many = judge_ranges(&vec![one; 7], "Std");
        assert_eq!(many.level, Level::Info);
        assert!(many.says.ends_with("10.0.0.0 to 10.0.0.255 and 2 more"), "{}", many.says);
    }
}

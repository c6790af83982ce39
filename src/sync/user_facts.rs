use crate::api::rest::query;
use crate::api::{ApiError, Client};
use crate::base::{Explain, Fault, ObjectName, UserId};
use crate::store::UserFacts;

/// What changed in what a user may see, a line each; what either side does not know is no change.
///
/// Stored with each run, because rows that vanish and rights that vanish look alike.
pub(super) fn changes(before: &UserFacts, now: &UserFacts) -> Vec<String> {
    let mut changes = Vec::new();
    if let (Some(was), Some(is)) = (&before.profile, &now.profile)
        && was != is
    {
        changes.push(format!("profile `{was}` became `{is}`"));
    }
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|name| !those.contains(name)).map(|name| format!("`{name}`")).collect()
    };
    let (was, is) = (&before.permission_sets, &now.permission_sets);
    for (word, names) in [("lost", only(was, is)), ("gained", only(is, was))] {
        if !names.is_empty() {
            changes.push(format!("permission set {} {word}", names.join(", ")));
        }
    }
    for (what, was, is) in [
        ("View All Data", before.views_all_data, now.views_all_data),
        ("View All on the object", before.views_all_records, now.views_all_records),
    ] {
        match (was, is) {
            (Some(true), Some(false)) => changes.push(format!("{what} withdrawn")),
            (Some(false), Some(true)) => changes.push(format!("{what} granted")),
            _ => {}
        }
    }
    changes
}

/// Asks the org what a user may see. Three small queries; one that is refused leaves its fact unknown.
///
/// `PermissionSetAssignment` shows a user its own rows; `ObjectPermissions` wants View Setup and Configuration (Object
/// Reference; the first not verified).
///
/// # Errors
///
/// Faults of the network, and calls that are used up; never a refusal of the question itself.
pub(super) async fn ask(client: &Client, user: &UserId, object: &ObjectName) -> Result<UserFacts, ApiError> {
    let mut facts = UserFacts { user_id: user.as_str().to_string(), ..UserFacts::default() };
    let soql = format!("SELECT Profile.Name FROM User WHERE Id = '{}'", user.as_str());
    if let Some(rows) = told(query(client, &soql, false).all().await)? {
        facts.profile = rows.first().and_then(|row| row.text("Profile.Name")).map(String::from);
    }
    let soql = format!(
        "SELECT PermissionSetId, PermissionSet.Name, PermissionSet.IsOwnedByProfile, PermissionSet.PermissionsViewAllData, \
         PermissionSet.PermissionsModifyAllData FROM PermissionSetAssignment WHERE AssigneeId = '{}'",
        user.as_str()
    );
    let Some(rows) = told(query(client, &soql, false).all().await)? else { return Ok(facts) };
    let mut names: Vec<String> = rows
        .iter()
        .filter(|row| row.flag("PermissionSet.IsOwnedByProfile") != Some(true))
        .filter_map(|row| row.text("PermissionSet.Name"))
        .map(String::from)
        .collect();
    names.sort();
    facts.permission_sets = names;
    let any = |path: &str| rows.iter().any(|row| row.flag(path) == Some(true));
    if !rows.is_empty() {
        facts.views_all_data = Some(
            any("PermissionSet.PermissionsViewAllData") || any("PermissionSet.PermissionsModifyAllData"),
        );
    }
    let sets: Vec<String> = rows
        .iter()
        .filter_map(|row| row.text("PermissionSetId"))
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .map(|id| format!("'{id}'"))
        .collect();
    if !sets.is_empty() {
        let soql = format!(
            "SELECT PermissionsViewAllRecords FROM ObjectPermissions WHERE SobjectType = '{object}' AND ParentId IN ({})",
            sets.join(", ")
        );
        if let Some(rows) = told(query(client, &soql, false).all().await)? {
            facts.views_all_records =
                Some(rows.iter().any(|row| row.flag("PermissionsViewAllRecords") == Some(true)));
        }
    }
    Ok(facts)
}

/// A refusal of the question is no answer; anything else that went wrong is an error.
fn told<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.fault() == Fault::Transient => Err(error),
        Err(ApiError::Mint(error)) => Err(ApiError::Mint(error)),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_that_went_are_told_and_what_is_unknown_is_not() {
        let before = UserFacts {
            user_id: "005000000000001AAA".into(),
            profile: Some("Minimum Access".into()),
            permission_sets: vec!["Sync".into(), "View".into()],
            views_all_data: Some(true),
            views_all_records: None,
        };
        let now = UserFacts {
            permission_sets: vec!["Other".into(), "Sync".into()],
            views_all_data: Some(false),
            views_all_records: Some(false),
            ..before.clone()
        };
        assert_eq!(
            changes(&before, &now),
            ["permission set `View` lost", "permission set `Other` gained", "View All Data withdrawn"]
        );
        assert!(changes(&now, &now).is_empty());
    }
}

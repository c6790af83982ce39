use crate::api::Client;
use crate::api::rest::Record;
use crate::base::{Finding, Hint, Level, printable};
use crate::health::examine::Examination;

use super::About;
use super::ask::{Question, quoted, unanswered};
use super::user::User;

/// Permissions that an integration user has no use for, and what they are called in Setup. The first five open everything.
const TOO_MUCH: [(&str, &str, Level); 8] = [
    ("PermissionsModifyAllData", "Modify All Data", Level::Warn),
    ("PermissionsModifyMetadata", "Modify Metadata Through Metadata API Functions", Level::Warn),
    ("PermissionsAuthorApex", "Author Apex", Level::Warn),
    ("PermissionsCustomizeApplication", "Customize Application", Level::Warn),
    ("PermissionsManageUsers", "Manage Users", Level::Warn),
    ("PermissionsViewAllData", "View All Data", Level::Info),
    ("PermissionsViewSetup", "View Setup and Configuration", Level::Info),
    ("PermissionsUseAnyApiClient", "Use Any API Client", Level::Info),
];

/// What the user may do through its profile and permission sets, and whether that is more than a sync needs.
///
/// `SELECT PermissionSetId, PermissionSet.Name, PermissionSet.IsOwnedByProfile, PermissionSet.Permissions... FROM PermissionSetAssignment
/// WHERE AssigneeId = '005...'`. A profile is a permission set of its own there (`IsOwnedByProfile`). Groups of permission sets are
/// assigned as a set that the platform adds up (Object Reference, `PermissionSetAssignment`; read so by several public
/// audit tools). Wants View Setup and Configuration; its own rows a user may see without (not verified).
/// Returns the ids of the sets the user has.
pub(super) async fn rights(
    client: &Client,
    about: &About,
    user: Option<&User>,
    exam: &mut Examination<'_>,
) -> Option<Vec<String>> {
    let columns: Vec<String> = [
        "PermissionSetId",
        "PermissionSet.Name",
        "PermissionSet.IsOwnedByProfile",
        "PermissionSet.PermissionsApiEnabled",
    ]
    .map(String::from)
    .into_iter()
    .chain(TOO_MUCH.iter().map(|(column, ..)| format!("PermissionSet.{column}")))
    .collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let from = format!("PermissionSetAssignment WHERE AssigneeId = {}", quoted(about.user_id.as_str()));
    match (Question { columns: &columns, from: &from }).ask(client).await {
        Ok(told) => {
            exam.note(judge_api(&told.rows, user.and_then(|user| user.profile_api)));
            judge_rights(&told.rows, &told.unknown).into_iter().for_each(|finding| exam.note(finding));
            Some(told.rows.iter().filter_map(|row| row.text("PermissionSetId")).map(String::from).collect())
        }
        Err(error) => {
            for code in ["org.api_enabled", "org.rights"] {
                exam.note(unanswered(code, "the permission View Setup and Configuration", &error));
            }
            None
        }
    }
}

/// Whether any of the user's sets has "API Enabled", or `profile` itself.
fn judge_api(rows: &[Record], profile: Option<bool>) -> Finding {
    let code = "org.api_enabled";
    if rows.is_empty() && profile.is_none() {
        return Finding::new(
            code,
            Level::Skipped,
            "the org shows no permission sets of this user, not even its profile's",
        );
    }
    match granting(rows, "PermissionsApiEnabled").as_slice() {
        [] if profile == Some(true) => Finding::new(code, Level::Ok, "`API Enabled` comes from the profile"),
        [] => Finding::new(code, Level::Fail, "no profile or permission set gives this user `API Enabled`")
            .hint(Hint::new("give the user a permission set with `API Enabled`")),
        from => Finding::new(code, Level::Ok, format!("`API Enabled` comes from {}", from.join(", "))),
    }
}

/// What the user holds beyond what reading and writing records needs.
fn judge_rights(rows: &[Record], unknown: &[String]) -> Vec<Finding> {
    let code = "org.rights";
    let held: Vec<(&str, Level, Vec<String>)> = TOO_MUCH
        .iter()
        .map(|(column, name, level)| (*name, *level, granting(rows, column)))
        .filter(|(_, _, from)| !from.is_empty())
        .collect();
    let mut findings = Vec::new();
    for wanted in [Level::Warn, Level::Info] {
        let named: Vec<String> = held
            .iter()
            .filter(|(_, level, _)| *level == wanted)
            .map(|(name, _, from)| format!("`{name}` (from {})", from.join(", ")))
            .collect();
        if named.is_empty() {
            continue;
        }
        let says = format!("the user holds {}", named.join(", "));
        let finding = Finding::new(code, wanted, says);
        findings.push(match wanted {
            Level::Warn => finding.hint(Hint::new(
                "a stolen token may then do all of this: give the user a permission set with no more than the objects it syncs",
            )),
            _ => finding,
        });
    }
    if !rows.is_empty() && !findings.iter().any(|finding| finding.level == Level::Warn) {
        findings.insert(
            0,
            Finding::new(code, Level::Ok, "the user holds none of the permissions that open the whole org"),
        );
    }
    if !unknown.is_empty() {
        let says = format!("this org has no columns for {}: not looked at", unknown.join(", "));
        findings.push(Finding::new(code, Level::Skipped, says));
    }
    findings
}

/// The sets that grant a permission, as people know them.
fn granting(rows: &[Record], column: &str) -> Vec<String> {
    let path = format!("PermissionSet.{column}");
    rows.iter()
        .filter(|row| row.flag(&path) == Some(true))
        .map(|row| match row.flag("PermissionSet.IsOwnedByProfile") {
            Some(true) => "the profile".to_string(),
            _ => format!("`{}`", printable(row.text("PermissionSet.Name").unwrap_or("?"), 80)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Vec<Record> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_api_is_on_if_any_set_says_so() {
        assert_eq!(judge_api(&[], None).level, Level::Skipped);
        let off = r#"[{"PermissionSet":{"Name":"a","PermissionsApiEnabled":false}}]"#;
        assert_eq!(judge_api(&rows(off), Some(false)).level, Level::Fail);
        assert_eq!(judge_api(&rows(off), Some(true)).level, Level::Ok);
        let on = r#"[{"PermissionSet":{"Name":"a","PermissionsApiEnabled":false}},
                     {"PermissionSet":{"Name":"X00e","IsOwnedByProfile":true,"PermissionsApiEnabled":true}}]"#;
        assert_eq!(judge_api(&rows(on), None).says, "`API Enabled` comes from the profile");
    }

    #[test]
    fn what_is_too_much_is_named_with_where_it_comes_from() {
        let plain = judge_rights(&rows(r#"[{"PermissionSet":{"Name":"a"}}]"#), &[]);
        assert_eq!(plain.iter().map(|finding| finding.level).collect::<Vec<_>>(), [Level::Ok]);
        let much = r#"[{"PermissionSet":{"Name":"admin","PermissionsModifyAllData":true,"PermissionsViewAllData":true}},
                       {"PermissionSet":{"IsOwnedByProfile":true,"PermissionsModifyAllData":true,"PermissionsAuthorApex":true}}]"#;
        let found = judge_rights(&rows(much), &["PermissionSet.PermissionsModifyMetadata".into()]);
        assert_eq!(
            found.iter().map(|finding| finding.level).collect::<Vec<_>>(),
            [Level::Warn, Level::Info, Level::Skipped]
        );
        assert_eq!(
            found[0].says,
            "the user holds `Modify All Data` (from `admin`, the profile), `Author Apex` (from the profile)"
        );
        assert!(!found[0].hints.is_empty());
        assert!(judge_rights(&[], &[]).is_empty());
    }
}

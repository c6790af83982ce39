use crate::api::Client;
use crate::api::rest::Record;
use crate::base::{Finding, Hint, Level, printable};
use crate::health::examine::Examination;

use super::app::App;
use super::ask::{Question, quoted, unanswered};

const CODE: &str = "org.preauthorized";

/// Whether the user's profile or one of its permission sets is attached to the app.
///
/// `SELECT ParentId FROM SetupEntityAccess WHERE SetupEntityId = '0xI...'`, then `SELECT Id, Name, Label, IsOwnedByProfile, License.Name FROM
/// PermissionSet WHERE Id IN (...)`. `SetupEntityType` is `ExternalClientApplication` or `ConnectedApplication` (protocol reference §4.3; several
/// public tools read and write these rows in real orgs). A set made for the `Salesforce API Integration` licence cannot carry the
/// attachment, although Setup lets it be saved (KB 001453686, quoted in simstudioai/sim#6526). Wants View Setup and Configuration.
pub(super) async fn preauthorized(
    client: &Client,
    app: &App,
    held: Option<&[String]>,
    exam: &mut Examination<'_>,
) {
    let wants = "the permission View Setup and Configuration";
    let Some(held) = held else {
        exam.skipped(CODE, "the user's permission sets are not readable with this token");
        return;
    };
    let from = format!("SetupEntityAccess WHERE SetupEntityId = {}", quoted(&app.id));
    let attached = match (Question { columns: &["ParentId"], from: &from }).ask(client).await {
        Ok(told) => told.rows,
        Err(error) => {
            exam.note(unanswered(CODE, wants, &error));
            return;
        }
    };
    let ids: Vec<String> = attached.iter().filter_map(|row| row.text("ParentId")).map(quoted).collect();
    if ids.is_empty() {
        exam.note(judge(&[], held));
        return;
    }
    let from = format!("PermissionSet WHERE Id IN ({})", ids.join(", "));
    let columns = ["Id", "Name", "Label", "IsOwnedByProfile", "License.Name"];
    match (Question { columns: &columns, from: &from }).ask(client).await {
        Ok(told) => exam.note(judge(&told.rows, held)),
        Err(error) => exam.note(unanswered(CODE, wants, &error)),
    }
}

/// Judges the sets that are attached to the app against those the user has.
fn judge(attached: &[Record], held: &[String]) -> Finding {
    let name = |row: &Record| match row.flag("IsOwnedByProfile") {
        Some(true) => "a profile".to_string(),
        _ => format!("`{}`", printable(row.text("Label").or(row.text("Name")).unwrap_or("?"), 80)),
    };
    // Ids come with 15 or 18 characters; the first 15 tell.
    let short = |id: &str| id.get(..15).unwrap_or(id).to_string();
    let has = |row: &&Record| row.text("Id").is_some_and(|id| held.iter().any(|own| short(own) == short(id)));
    let trapped = |row: &&Record| {
        row.text("License.Name").is_some_and(|licence| licence.to_lowercase().contains("api integration"))
    };
    let both: Vec<&Record> = attached.iter().filter(has).collect();
    if let Some(row) = both.iter().find(|row| !trapped(row)) {
        return Finding::new(
            CODE,
            Level::Ok,
            format!("the user is pre-authorized for the app through {}", name(row)),
        );
    }
    if let Some(row) = both.first() {
        let says = format!(
            "the app is attached to {}, a permission set of the `Salesforce API Integration` licence, which cannot carry that",
            name(row)
        );
        return Finding::new(CODE, Level::Fail, says).hint(Hint::new(
            "attach a permission set without a licence (License: --None--), or the user's profile, and assign it to the user",
        ));
    }
    let says = match attached {
        [] => "no profile or permission set is attached to the app".to_string(),
        some => {
            let names: Vec<String> = some.iter().take(5).map(name).collect();
            format!("the app is attached to {}, and the user has none of these", names.join(", "))
        }
    };
    Finding::new(CODE, Level::Fail, says).hint(Hint::new(
        "attach a permission set to the app (Setup > External Client App Manager > the app > Policies), and assign it to the user",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Vec<Record> {
        serde_json::from_str(json).unwrap()
    }

    // Peers T2.
    #[test]
    fn attachment_is_judged_and_the_licence_trap_is_named() {
        let held = ["0PS000000000001AAA".to_string(), "0PS000000000002".to_string()];
        let plain = r#"[{"Id":"0PS000000000001","Name":"sync","License":null}]"#;
        let trap =
            r#"[{"Id":"0PS000000000002AAB","Name":"api","License":{"Name":"Salesforce API Integration"}}]"#;
        let other = r#"[{"Id":"0PS000000000009","Name":"other"}]"#;
        let profile = r#"[{"Id":"0PS000000000001","Name":"X00e","IsOwnedByProfile":true}]"#;
        let cases = [
            ("[]", Level::Fail, "no profile or permission set is attached to the app"),
            (plain, Level::Ok, "the user is pre-authorized for the app through `sync`"),
            (profile, Level::Ok, "the user is pre-authorized for the app through a profile"),
            (
                trap,
                Level::Fail,
                "the app is attached to `api`, a permission set of the `Salesforce API Integration` licence, which cannot carry that",
            ),
            (other, Level::Fail, "the app is attached to `other`, and the user has none of these"),
        ];
        for (json, level, says) in cases {
            let finding = judge(&rows(json), &held);
            assert_eq!((finding.level, finding.says.as_str()), (level, says), "{json}");
            assert_eq!(finding.hints.is_empty(), level == Level::Ok);
        }
        let mut both = rows(trap);
        both.extend(rows(plain));
        assert_eq!(judge(&both, &held).level, Level::Ok);
    }
}

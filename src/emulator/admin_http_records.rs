use serde::Deserialize;
use serde_json::{Value, json};

use super::admin::Admin;
use super::admin_http::{Outcome, done, nothing, read, show};
use super::bulk::{JobState, Lie};
use super::records::{FieldConfig, Mutation};
use super::state::AdminMistake;

/// Answers the part of the admin API that is about records, fields, jobs and limits; none where nothing is there.
pub(super) fn answer(admin: &Admin, method: &str, path: &str, body: &[u8]) -> Option<Outcome> {
    Some(match (method, path) {
        ("POST", "records") => {
            read::<Mutation>(body).and_then(|mutation| show(&admin.change_records(&mutation)?))
        }
        ("GET", path) if path.starts_with("records/") => {
            admin.records(path.trim_start_matches("records/")).and_then(|records| show(&records))
        }
        ("POST", "fields") => read::<FieldChange>(body).and_then(|change| done(change_field(admin, change))),
        ("POST", "users/view-all") => read::<ViewAll>(body)
            .and_then(|change| done(admin.set_view_all(&change.username, change.view_all))),
        ("GET", "bulk/jobs") => show(&admin.jobs()),
        ("POST", "bulk/jobs") => read::<JobChange>(body).and_then(|change| done(change_job(admin, &change))),
        ("GET", "bulk/lies") => show(&admin.lies()),
        ("POST", "bulk/lies") => read::<Lie>(body).map(|lie| admin.lie(lie)).map(nothing),
        ("POST", "bulk/lies/clear") => {
            admin.truth();
            Ok(json!({}))
        }
        ("POST", "limits/spend") => {
            read::<Spending>(body).map(|spent| admin.spend_api_calls(spent.calls)).map(nothing)
        }
        _ => return None,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spending {
    calls: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobChange {
    id: String,
    state: JobState,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldChange {
    object: String,
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    value: Value,
    #[serde(default)]
    remove: bool,
    #[serde(default)]
    retype: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ViewAll {
    username: String,
    view_all: bool,
}

fn change_field(admin: &Admin, change: FieldChange) -> Result<(), AdminMistake> {
    let FieldChange { object, name, kind, value, remove, retype } = change;
    match (remove, retype) {
        (true, _) => admin.remove_field(&object, &name),
        (false, true) => admin.retype_field(&object, &name, &kind),
        (false, false) => admin.add_field(&object, &FieldConfig { name, kind, value }),
    }
}

fn change_job(admin: &Admin, change: &JobChange) -> Result<(), AdminMistake> {
    match change.state {
        JobState::Aborted => admin.abort_job(&change.id),
        JobState::Failed => admin.fail_job(&change.id, &change.message),
        JobState::JobComplete => admin.finish_job(&change.id),
        _ => Err(AdminMistake::Missing("a state in which a job ends")),
    }
}

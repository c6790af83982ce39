use serde::Deserialize;

use super::dialect::{ColumnDelimiter, Dialect, LineEnding};
use super::ingest_job::{IngestJob, Operation, Outcome};
use super::state::JobState;
use crate::base::ApiVersion;
use crate::emulator::ids::record_id;
use crate::emulator::records::{Records, view};
use crate::emulator::rest::{Caller, Reply};
use crate::emulator::state::{OrgState, Shared};
use crate::emulator::table::Table;

/// What a job is made from. Bulk API 2.0 guide, "Create a Job".
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Asked {
    object: String,
    operation: Operation,
    #[serde(default)]
    content_type: ContentType,
    #[serde(default)]
    column_delimiter: ColumnDelimiter,
    #[serde(default)]
    line_ending: LineEnding,
    #[serde(default)]
    external_id_field_name: Option<String>,
    #[serde(default, rename = "assignmentRuleId")]
    _assignment_rule: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "UPPERCASE")]
enum ContentType {
    #[default]
    Csv,
}

/// `POST /jobs/ingest`.
pub(super) fn create(org: &Shared, caller: &Caller, body: &[u8], version: ApiVersion) -> Reply {
    let asked: Asked = match serde_json::from_slice(body) {
        Ok(asked) => asked,
        Err(error) => return Reply::refused(400, "JSON_PARSER_ERROR", &error.to_string()),
    };
    let ContentType::Csv = asked.content_type;
    let state = &mut *org.state();
    let object = match checked(org, state, caller, &asked) {
        Ok(object) => object,
        Err(refused) => return refused,
    };
    let now = org.clock.now();
    let job = IngestJob {
        id: record_id("750", state.next_serial()),
        owner: caller.session.username.clone(),
        created_by: state.users.get(caller.user_at).map(|user| user.id.clone()).unwrap_or_default(),
        version,
        object,
        operation: asked.operation,
        external_id: asked.external_id_field_name,
        dialect: Dialect { delimiter: asked.column_delimiter, ending: asked.line_ending },
        created: now,
        changed: now,
        made: org.clock.elapsed(),
        state: JobState::Open,
        polls: 0,
        error: None,
        data: None,
        outcome: Outcome::default(),
    };
    let shown = job.summary();
    state.ingest_jobs.insert(job.id.clone(), job);
    Reply::value(&shown)
}

fn checked(org: &Shared, state: &OrgState, caller: &Caller, asked: &Asked) -> Result<&'static str, Reply> {
    let Some(object) = Records::name(&asked.object) else {
        let says = format!("Unable to find object: {}", crate::base::printable(&asked.object, 60));
        return Err(Reply::refused(400, "INVALIDJOB", &says));
    };
    let user = state.users.get(caller.user_at);
    let may = user.is_some_and(|user| state.holds(user, "BulkApiHardDelete"));
    if asked.operation == Operation::HardDelete && !may {
        let says = "hardDelete operation requires special user profile permission, please contact your system administrator";
        return Err(Reply::refused(400, "FEATURENOTENABLED", says));
    }
    match (asked.operation, &asked.external_id_field_name) {
        (Operation::Upsert, None) => {
            Err(Reply::refused(400, "INVALIDJOB", "External ID field name is required for upsert"))
        }
        (Operation::Upsert, Some(name)) => {
            let known = view(org, state, user, object).is_some_and(|table| {
                let mut fields = table.fields().iter();
                fields.any(|field| {
                    field.name.eq_ignore_ascii_case(name) && (field.external_id || field.name == "Id")
                })
            });
            match known {
                true => Ok(object),
                false => {
                    let says = format!(
                        "Field name provided, {} is not an External ID or indexed field for {object}",
                        crate::base::printable(name, 60)
                    );
                    Err(Reply::refused(400, "INVALIDJOB", &says))
                }
            }
        }
        (_, Some(_)) => Err(Reply::refused(400, "INVALIDJOB", "External ID field name is for upsert alone")),
        (_, None) => Ok(object),
    }
}

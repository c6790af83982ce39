use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ColumnDelimiter, LineEnding};

/// What is done with the rows of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IngestOperation {
    /// New rows.
    Insert,
    /// Rows that are there, by Id.
    Update,
    /// Rows by an external id: changed where they are there, else made.
    Upsert,
    /// Rows by Id into the recycle bin.
    Delete,
    /// Rows by Id, past the recycle bin. The user needs the permission Bulk API Hard Delete.
    HardDelete,
}

/// What an ingest job is made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestRequest {
    /// The object.
    pub object: String,
    /// What is done.
    pub operation: IngestOperation,
    /// The field an upsert goes by; for no other operation.
    pub external_id_field: Option<String>,
    /// How the lines of the data end.
    pub line_ending: LineEnding,
    /// What stands between its columns.
    pub column_delimiter: ColumnDelimiter,
    /// The assignment rule for new leads and cases.
    pub assignment_rule: Option<String>,
}

impl IngestRequest {
    /// A job with comma and LF.
    pub fn new(object: impl Into<String>, operation: IngestOperation) -> Self {
        Self {
            object: object.into(),
            operation,
            external_id_field: None,
            line_ending: LineEnding::Lf,
            column_delimiter: ColumnDelimiter::Comma,
            assignment_rule: None,
        }
    }

    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "object": self.object, "operation": self.operation, "contentType": "CSV",
            "lineEnding": self.line_ending, "columnDelimiter": self.column_delimiter,
        });
        for (name, value) in
            [("externalIdFieldName", &self.external_id_field), ("assignmentRuleId", &self.assignment_rule)]
        {
            if let Some(value) = value {
                body[name] = Value::String(value.clone());
            }
        }
        body
    }
}

use crate::emulator::table::{Field, Kind};

/// Why a row was not written: code, message, fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::emulator) struct RowError {
    pub code: &'static str,
    pub message: String,
    pub fields: Vec<&'static str>,
    /// The record the row is about, where that is known.
    pub id: Option<String>,
}

impl RowError {
    pub(super) fn new(code: &'static str, message: impl Into<String>, fields: &[&'static str]) -> Self {
        Self { code, message: message.into(), fields: fields.to_vec(), id: None }
    }

    /// As Bulk API 2.0 shows it in `sf__Error`.
    pub fn line(&self) -> String {
        match self.fields.as_slice() {
            [] => format!("{}:{}:--", self.code, self.message),
            fields => format!("{}:{}:{} --", self.code, self.message, fields.join(",")),
        }
    }
}

/// A value that does not fit its field; `position` is its column.
pub(super) fn misfit(field: &Field, text: &str, position: usize) -> RowError {
    let shown = crate::base::printable(text, 60);
    let (name, (_, soap, length)) = (field.name, field.kind.names());
    match field.kind {
        Kind::Id | Kind::Reference(_) => {
            RowError::new("MALFORMED_ID", format!("{name}: id value of incorrect type: {shown}"), &[name])
        }
        _ if soap == "xsd:string" => {
            let says = format!("{name}: data value too large: {shown} (max length={length})");
            RowError::new("STRING_TOO_LONG", says, &[name])
        }
        _ => {
            let says = format!(
                "Failed to deserialize field at col {position}. Due to, '{shown}' is not a valid value for the type {soap}"
            );
            RowError::new("INVALID_FIELD", says, &[name])
        }
    }
}

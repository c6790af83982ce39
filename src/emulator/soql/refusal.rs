/// A query that is not answered: REST's error code and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::emulator) struct SoqlRefusal {
    pub code: &'static str,
    pub message: String,
}

const DESCRIBE: &str = "Please reference your WSDL or the describe call for the appropriate names.";

impl SoqlRefusal {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// `MALFORMED_QUERY` with the place in the text, as the org points at it.
    pub fn malformed(text: &str, at: usize, says: &str) -> Self {
        Self::new("MALFORMED_QUERY", pointed(text, at, says))
    }

    /// `INVALID_FIELD` for a column that is not there, or that this user may not see.
    pub fn no_column(text: &str, at: usize, field: &str, entity: &str) -> Self {
        let says = format!(
            "No such column '{field}' on entity '{entity}'. If you are attempting to use a custom field, be sure to \
             append the '__c' after the custom field name. {DESCRIBE}"
        );
        Self::new("INVALID_FIELD", pointed(text, at, &says))
    }

    /// `INVALID_TYPE` for an object that is not there, or that this user may not see.
    pub fn no_object(text: &str, at: usize, object: &str) -> Self {
        let says = format!(
            "sObject type '{object}' is not supported. If you are attempting to use a custom object, be sure to append \
             the '__c' after the entity name. {DESCRIBE}"
        );
        Self::new("INVALID_TYPE", pointed(text, at, &says))
    }
}

/// The part of the query around `at`, a caret below it, the position and the complaint.
fn pointed(text: &str, at: usize, says: &str) -> String {
    let before: Vec<char> = text[..at].chars().collect();
    let shown: String = before.iter().skip(before.len().saturating_sub(40)).collect();
    let after: String = text[at..].chars().take(40).collect();
    let caret = " ".repeat(shown.chars().count());
    format!("\n{shown}{after}\n{caret}^\nERROR at Row:1:Column:{}\n{says}", before.len() + 1)
}

use crate::api::rest::{Record, query};
use crate::api::{ApiError, Client};
use crate::base::{Explain, Fault, Finding, Level};
use crate::health::examine::from_error;

/// A question to the org: which columns of which object, and which rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub columns: &'a [&'a str],
    /// The object, and everything after it.
    pub from: &'a str,
}

/// The rows, and the columns that this org (or this user) does not have.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub rows: Vec<Record>,
    pub unknown: Vec<String>,
}

impl Question<'_> {
    pub fn soql(&self, without: &[String]) -> String {
        let asked = self.columns.iter().filter(|column| !without.iter().any(|gone| gone == *column));
        format!("SELECT {} FROM {}", asked.copied().collect::<Vec<_>>().join(", "), self.from)
    }

    /// The column an error of the org complains about: `No such column 'X' on entity 'Y'`.
    fn complained(&self, error: &ApiError, gone: &[String]) -> Option<String> {
        let ApiError::Query { reason } = error else { return None };
        let says = reason.description.as_deref().filter(|_| reason.error == "INVALID_FIELD")?;
        let named = says.split("No such column '").nth(1)?.split('\'').next()?;
        let is_it = |column: &&&str| {
            column.eq_ignore_ascii_case(named)
                || column.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(named))
        };
        let open = |column: &&&str| !gone.iter().any(|known| known == *column);
        self.columns.iter().filter(open).find(is_it).map(|column| (*column).to_string())
    }

    /// Asks; a column that this org does not have is left out and asked again without.
    ///
    /// Which permissions and policies exist as columns differs from edition to edition and from release to release:
    /// one that is missing must not cost the answer about the others.
    pub async fn ask(&self, client: &Client) -> Result<Told, ApiError> {
        let mut unknown = Vec::new();
        loop {
            let error = match query(client, &self.soql(&unknown), false).all().await {
                Ok(rows) => return Ok(Told { rows, unknown }),
                Err(error) => error,
            };
            match self.complained(&error, &unknown) {
                Some(column) if unknown.len() + 1 < self.columns.len() => unknown.push(column),
                _ => return Err(error),
            }
        }
    }
}

/// A question that brought no answer: skipped, with the permission it wants, or a fault of the network.
pub(super) fn unanswered(code: &'static str, wants: &str, error: &ApiError) -> Finding {
    if error.fault() == Fault::Transient {
        return Finding { code, ..from_error(error, Level::Skipped) };
    }
    // An object that a user may not see is said not to exist; the whole complaint would lead astray.
    let word = error.salesforce().map_or(error.code(), |reason| reason.error.as_str());
    Finding::new(code, Level::Skipped, format!("not readable with this token ({word}): it wants {wants}"))
}

/// A text as it stands in a SOQL string. Ids and names that the org gave; quotes and backslashes are escaped.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::OAuthError;

    #[test]
    fn a_column_the_org_lacks_is_found_in_its_complaint() {
        let question =
            Question { columns: &["Id", "PermissionSet.PermissionsModifyMetadata", "Name"], from: "X" };
        let error = |code: &str, says: &str| ApiError::Query { reason: OAuthError::new(code, Some(says)) };
        let says = "Id, PermissionSet.Permissions... ERROR at Row:1:Column:12 No such column 'PermissionsModifyMetadata' on entity 'PermissionSet'.";
        let found = question.complained(&error("INVALID_FIELD", says), &[]);
        assert_eq!(found.as_deref(), Some("PermissionSet.PermissionsModifyMetadata"));
        assert_eq!(question.complained(&error("INVALID_FIELD", says), &[found.unwrap()]), None);
        assert_eq!(question.complained(&error("INVALID_TYPE", says), &[]), None);
        assert_eq!(question.complained(&error("INVALID_FIELD", "something else"), &[]), None);
        let soql = question.soql(&["PermissionSet.PermissionsModifyMetadata".into()]);
        assert_eq!(soql, "SELECT Id, Name FROM X");
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(quoted("it's \\' x"), "'it\\'s \\\\\\' x'");
    }
}

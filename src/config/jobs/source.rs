use crate::base::job::Soql;
use crate::base::printable;

use super::super::at::At;
use super::super::origin::Sourced;
use super::super::show::Printed;

/// Fields by which changes are followed, best first. Which of them an object has, `describe` tells.
const CURSORS: [&str; 4] = ["SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime"];

/// Reads a query.
pub(super) fn soql(at: &mut At<'_, '_>) -> Option<Sourced<Soql>> {
    let text = at.text()?;
    match Soql::parse(text) {
        Ok(soql) => Some(at.sourced(soql)),
        Err(error) => match std::error::Error::source(&error) {
            Some(cause) => at.mistake(format!("{error}: {cause}")),
            None => at.mistake(error),
        },
    }
}

/// Reads a condition, without the word WHERE and with nothing behind it.
pub(super) fn condition(at: &mut At<'_, '_>) -> Option<Sourced<String>> {
    let text = at.text()?.trim();
    let first = text.split_whitespace().next();
    match (first, Soql::parse(&format!("SELECT Id FROM Account WHERE {text}"))) {
        (None, _) => at.mistake("is empty"),
        (Some(first), _) if first.eq_ignore_ascii_case("where") => {
            at.mistake("begins with WHERE; leave that word out")
        }
        (_, Ok(soql)) if soql.condition() == Some(text) => Some(at.sourced(text.to_string())),
        (_, Ok(_)) => {
            at.mistake("is more than a condition; ORDER BY, LIMIT and the like belong into a job by `soql`")
        }
        (_, Err(error)) => at.mistake(error),
    }
}

/// Why changes cannot be followed with this query; none where they can.
pub(super) fn unfollowable(soql: &Soql) -> Option<String> {
    let cursors = || CURSORS.map(|name| format!("`{name}`")).join(", ");
    match soql.unfollowable() {
        Some(why) => Some(why.to_string()),
        None if !soql.selects("Id") => Some("it does not select `Id`".to_string()),
        None if !CURSORS.iter().any(|name| soql.selects(name)) => {
            Some(format!("it selects none of {}", cursors()))
        }
        None => None,
    }
}

impl Printed for Soql {
    fn printed(&self) -> String {
        printable(self.text(), 300)
    }
}

use super::Window;
use crate::base::UnixSeconds;

/// What a job asks the org for, from its parts; every name in it was parsed or came from describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Select<'a> {
    /// The columns, in order.
    pub columns: &'a [String],
    /// The object.
    pub object: &'a str,
    /// The job's own condition.
    pub filter: Option<&'a str>,
    /// The field that windows are about.
    pub cursor: Option<&'a str>,
    /// The window.
    pub window: Window,
}

impl Select<'_> {
    /// The query. Without ORDER BY: it would keep Bulk from reading an object in parts.
    ///
    /// `SELECT Id, Name FROM Account WHERE (Industry = 'Retail') AND SystemModstamp >= 2026-01-02T03:04:05.000Z`
    pub fn text(&self) -> String {
        let mut text = format!("SELECT {} FROM {}", self.columns.join(", "), self.object);
        let bound =
            |sign: &str, at: Option<UnixSeconds>| Some(format!("{} {sign} {}", self.cursor?, literal(at?)));
        let conditions = [
            self.filter.map(|filter| format!("({filter})")),
            bound(">=", self.window.low),
            bound("<", self.window.high),
        ];
        for (at, condition) in conditions.into_iter().flatten().enumerate() {
            text.push_str(if at == 0 { " WHERE " } else { " AND " });
            text.push_str(&condition);
        }
        text
    }

    /// The same question for the number of rows only.
    pub fn count(&self) -> String {
        let count = ["COUNT()".to_string()];
        Select { columns: &count, ..self.clone() }.text()
    }
}

/// A moment as SOQL writes it, unquoted. SOQL reference, "Date Formats and Date Literals".
pub(super) fn literal(at: UnixSeconds) -> String {
    at.to_string().replace('Z', ".000Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_its_filter_in_brackets_and_its_window_inclusive_below() {
        let columns = ["Id".to_string(), "Owner.Name".to_string()];
        let at = |text: &str| -> UnixSeconds { text.parse().unwrap() };
        let mut select = Select {
            columns: &columns,
            object: "Account",
            filter: None,
            cursor: Some("SystemModstamp"),
            window: Window::whole(at("2026-01-02T03:04:05Z")),
        };
        assert_eq!(select.text(), "SELECT Id, Owner.Name FROM Account");
        select.filter = Some("A = 1 OR B = 2");
        select.window = Window { low: Some(at("2026-01-02T03:04:05Z")), ..select.window };
        assert_eq!(
            select.text(),
            "SELECT Id, Owner.Name FROM Account WHERE (A = 1 OR B = 2) AND SystemModstamp >= 2026-01-02T03:04:05.000Z"
        );
        select.window.high = Some(at("2026-01-03T00:00:00Z"));
        select.filter = None;
        assert_eq!(
            select.count(),
            "SELECT COUNT() FROM Account WHERE SystemModstamp >= 2026-01-02T03:04:05.000Z AND SystemModstamp < 2026-01-03T00:00:00.000Z"
        );
    }
}

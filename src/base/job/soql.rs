use crate::base::{NameMistake, ObjectName};

/// A job's own query, read as far as a job must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soql {
    text: String,
    object: ObjectName,
    columns: Vec<SelectedColumn>,
    condition: Option<String>,
    unfollowable: Option<&'static str>,
}

/// One item of a SELECT list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedColumn {
    /// What the column is called in the result: the field's name or path, an alias, or `expr0`.
    pub name: String,
    /// Whether it is a field, or a parent's field, as it stands.
    pub is_field: bool,
}

/// A query that no job can run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SoqlMistake {
    /// Not `SELECT ... FROM ...`.
    #[error("is no query; accepted is `SELECT ... FROM ...`")]
    NoQuery,
    /// A quote that is not closed.
    #[error("has a quote that is not closed")]
    OpenQuote,
    /// An object that is none.
    #[error("names no object behind FROM")]
    Object(#[source] NameMistake),
    /// Child rows.
    #[error("selects child rows; give them a job of their own")]
    ChildRows,
}

/// Clauses that may follow the object, in any order as far as this reader goes.
const CLAUSES: [&str; 10] =
    ["USING", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL"];

impl Soql {
    /// Reads a query: its object, what it selects, and its condition. SOQL reference, "SELECT".
    ///
    /// # Errors
    ///
    /// [`SoqlMistake`]; whether it is a good query otherwise is for the org to say.
    ///
    /// # Examples
    ///
    /// ```
    /// use sfmint::base::job::Soql;
    ///
    /// let soql = Soql::parse("SELECT Id, Owner.Name FROM Account WHERE Name != 'FROM' ORDER BY Name").unwrap();
    /// assert_eq!(soql.object().as_str(), "Account");
    /// assert_eq!(soql.condition(), Some("Name != 'FROM'"));
    /// assert_eq!(soql.unfollowable(), None);
    /// ```
    pub fn parse(text: &str) -> Result<Self, SoqlMistake> {
        let text = text.trim().trim_end_matches(';').trim_end();
        let words = words(text)?;
        let (Some(first), Some(from)) = (words.first(), words.iter().position(|word| word.is("FROM"))) else {
            return Err(SoqlMistake::NoQuery);
        };
        let object = words.get(from + 1).filter(|_| first.is("SELECT")).ok_or(SoqlMistake::NoQuery)?;
        let columns = columns(text[first.end..words[from].start].trim())?;
        let clauses: Vec<&Word<'_>> =
            words[from + 2..].iter().filter(|word| CLAUSES.iter().any(|clause| word.is(clause))).collect();
        let condition = clauses.iter().position(|word| word.is("WHERE")).map(|at| {
            let end = clauses.get(at + 1).map_or(text.len(), |next| next.start);
            text[clauses[at].end..end].trim().to_string()
        });
        let stranger =
            words.get(from + 2).filter(|word| !clauses.iter().any(|clause| clause.start == word.start));
        let unfollowable = clauses.iter().find_map(|word| match word.text.to_ascii_uppercase().as_str() {
            "GROUP" | "HAVING" => Some("GROUP BY makes rows that have no Id"),
            "LIMIT" | "OFFSET" => Some("LIMIT leaves rows out"),
            "USING" | "WITH" | "FOR" | "ALL" => Some("only SELECT, FROM, WHERE and ORDER BY can be followed"),
            _ => None,
        });
        let unfollowable = unfollowable
            .or(stranger.map(|_| "an alias or a second object stands behind FROM"))
            .or((!columns.iter().all(|column| column.is_field))
                .then_some("it selects something that is no field"));
        Ok(Self {
            text: text.to_string(),
            object: object.text.parse().map_err(SoqlMistake::Object)?,
            columns,
            condition,
            unfollowable,
        })
    }

    /// The query as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The object behind FROM.
    pub fn object(&self) -> &ObjectName {
        &self.object
    }

    /// What it selects, in order.
    pub fn columns(&self) -> &[SelectedColumn] {
        &self.columns
    }

    /// Whether it selects a field, its name folded as SOQL does.
    pub fn selects(&self, field: &str) -> bool {
        self.columns.iter().any(|column| column.is_field && column.name.eq_ignore_ascii_case(field))
    }

    /// The condition behind WHERE.
    pub fn condition(&self) -> Option<&str> {
        self.condition.as_deref()
    }

    /// Why changes cannot be followed with it, whatever fields it selects: GROUP BY, LIMIT, functions, aliases.
    pub fn unfollowable(&self) -> Option<&'static str> {
        self.unfollowable
    }
}

/// A word outside of brackets and quotes.
struct Word<'a> {
    text: &'a str,
    start: usize,
    end: usize,
}

impl Word<'_> {
    fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }
}

/// The words of a query that stand outside of quotes and brackets.
fn words(text: &str) -> Result<Vec<Word<'_>>, SoqlMistake> {
    let mut words = Vec::new();
    let (mut depth, mut quoted, mut escaped, mut start) = (0_u32, false, false, None);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if quoted {
            (quoted, escaped) = (escaped || c != '\'', !escaped && c == '\\');
            continue;
        }
        let is_word = depth == 0 && (c.is_alphanumeric() || "_.".contains(c));
        match (is_word, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(Word { text: &text[from..at], start: from, end: at });
                start = None;
            }
            _ => {}
        }
        match c {
            '\'' => quoted = at < text.len(),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if quoted { Err(SoqlMistake::OpenQuote) } else { Ok(words) }
}

/// The items of a SELECT list; those that are no field and have no alias are called `expr0`, `expr1`, as the org does.
fn columns(list: &str) -> Result<Vec<SelectedColumn>, SoqlMistake> {
    let mut items = vec![String::new()];
    let mut depth = 0_u32;
    for c in list.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(item) = items.last_mut() {
            item.push(c);
        }
    }
    let mut unnamed = 0;
    let named = |item: &String| {
        let item = item.trim();
        if item.is_empty() {
            return Err(SoqlMistake::NoQuery);
        }
        if item.starts_with('(') {
            return Err(SoqlMistake::ChildRows);
        }
        let plain = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
        };
        if plain(item) {
            return Ok(SelectedColumn { name: item.to_string(), is_field: true });
        }
        let alias =
            item.rsplit(char::is_whitespace).next().filter(|alias| plain(alias) && item.len() > alias.len());
        let name = alias.map(String::from).unwrap_or_else(|| {
            unnamed += 1;
            format!("expr{}", unnamed - 1)
        });
        Ok(SelectedColumn { name, is_field: false })
    };
    items.iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_far_as_a_job_must_know_it() {
        let soql = Soql::parse(
            "select Id, SystemModstamp,Owner.Name\nfrom Case where (Subject = 'it\\'s, FROM WHERE (' OR A = 1) and B IN (SELECT X FROM Y) order by Id;",
        )
        .unwrap();
        let names: Vec<&str> = soql.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["Id", "SystemModstamp", "Owner.Name"]);
        assert_eq!(soql.object().as_str(), "Case");
        assert_eq!(
            soql.condition(),
            Some("(Subject = 'it\\'s, FROM WHERE (' OR A = 1) and B IN (SELECT X FROM Y)")
        );
        assert_eq!(soql.unfollowable(), None);
        assert!(soql.selects("systemmodstamp") && !soql.selects("Name"));
    }

    #[test]
    fn what_cannot_be_followed_says_why() {
        for (text, why) in [
            ("SELECT Id FROM A LIMIT 5", "LIMIT leaves rows out"),
            ("SELECT Type, COUNT(Id) n FROM A GROUP BY Type", "GROUP BY makes rows that have no Id"),
            ("SELECT toLabel(Status) FROM A", "it selects something that is no field"),
            ("SELECT a.Id FROM Account a", "an alias or a second object stands behind FROM"),
            ("SELECT Id FROM A USING SCOPE mine", "only SELECT, FROM, WHERE and ORDER BY can be followed"),
        ] {
            assert_eq!(Soql::parse(text).unwrap().unfollowable(), Some(why), "{text}");
        }
        let grouped = Soql::parse("SELECT Type, COUNT(Id) n, MAX(Amount) FROM A GROUP BY Type").unwrap();
        let names: Vec<&str> = grouped.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["Type", "n", "expr0"]);
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for text in [
            "",
            "SELECT Id",
            "FROM A",
            "DELETE FROM A",
            "SELECT FROM A",
            "SELECT Id FROM",
            "SELECT Id, FROM A",
        ] {
            assert_eq!(Soql::parse(text), Err(SoqlMistake::NoQuery), "{text}");
        }
        assert_eq!(Soql::parse("SELECT Id FROM A WHERE B = 'x"), Err(SoqlMistake::OpenQuote));
        assert_eq!(Soql::parse("SELECT Id, (SELECT Id FROM Contacts) FROM A"), Err(SoqlMistake::ChildRows));
        assert!(matches!(Soql::parse("SELECT Id FROM 1A"), Err(SoqlMistake::Object(_))));
    }
}

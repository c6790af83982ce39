use crate::sync::Column;

/// An identifier in SQL quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The SQL names of columns: their own, and where two differ only in case, which SQLite does not tell apart, the later
/// one gains `_2`, `_3` and so on.
pub(super) fn sql_names(columns: &[Column]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    let mut taken = std::collections::HashSet::with_capacity(columns.len());
    for column in columns {
        let mut name = column.name.clone();
        let mut number = 2;
        while !taken.insert(name.to_ascii_lowercase()) {
            name = format!("{}_{number}", column.name);
            number += 1;
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::ColumnKind;

    // faults F7
    #[test]
    fn a_quote_in_a_name_ends_no_identifier() {
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }

    #[test]
    fn names_that_differ_only_in_case_are_told_apart() {
        let columns = ["Id", "name", "Name", "NAME", "name_2"];
        let columns = columns.map(|name| Column::new(name, ColumnKind::Text));
        assert_eq!(sql_names(&columns), ["Id", "name", "Name_2", "NAME_3", "name_2_2"]);
    }
}

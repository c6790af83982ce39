use super::Column;
use crate::base::job::SchemaPolicy;
use crate::store::{BaselineField, SchemaReport, TypeChange};

/// The fields as the store keeps them between runs.
pub(super) fn baseline(columns: &[Column]) -> Vec<BaselineField> {
    columns
        .iter()
        .map(|column| BaselineField { name: column.name.clone(), kind: column.kind.to_string() })
        .collect()
}

/// A report in one line: `gained A, B; lost C`.
pub(super) fn in_words(report: &SchemaReport) -> String {
    let list =
        |word: &str, names: &[String]| (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")));
    let changed: Vec<String> = report
        .changed
        .iter()
        .map(|one| format!("{} ({} before, {} now)", one.field, one.from, one.to))
        .collect();
    [
        list("gained", &report.gained),
        list("lost", &report.lost),
        list("hidden", &report.hidden),
        list("changed in type", &changed),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join("; ")
}

/// What changed from `before` to `now`; `hidden` are the fields that were asked for and are not shown.
pub(super) fn changes(before: &[BaselineField], now: &[BaselineField], hidden: &[String]) -> SchemaReport {
    let find = |all: &[BaselineField], name: &str| {
        all.iter().find(|field| field.name.eq_ignore_ascii_case(name)).cloned()
    };
    let missing = |these: &[BaselineField], from: &[BaselineField]| -> Vec<String> {
        these
            .iter()
            .filter(|field| find(from, &field.name).is_none())
            .map(|field| field.name.clone())
            .collect()
    };
    let changed = now.iter().filter_map(|field| {
        let was = find(before, &field.name)?;
        let (from, to) = (was.kind, field.kind.clone());
        (from != to).then(|| TypeChange { field: field.name.clone(), from, to })
    });
    SchemaReport {
        gained: missing(now, before),
        lost: missing(before, now).into_iter().filter(|name| !hidden.contains(name)).collect(),
        hidden: hidden.to_vec(),
        changed: changed.collect(),
    }
}

/// The columns to read under a policy; none where the run must not begin.
///
/// | policy   | gained            | lost              | retyped or hidden |
/// |----------|-------------------|-------------------|-------------------|
/// | `evolve` | read              | no longer read    | read as they are now |
/// | `warn`   | not read          | no longer read    | read as they are now |
/// | `fail`   | the run ends      | the run ends      | the run ends      |
///
/// Nothing is ever dropped from a destination: the column of a lost field stays, and its rows keep what they had.
pub(super) fn under(policy: SchemaPolicy, change: &SchemaReport, now: &[Column]) -> Option<Vec<Column>> {
    match policy {
        SchemaPolicy::Evolve => Some(now.to_vec()),
        SchemaPolicy::Warn => {
            Some(now.iter().filter(|column| !change.gained.contains(&column.name)).cloned().collect())
        }
        SchemaPolicy::Fail => change.is_empty().then(|| now.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::ColumnKind;

    fn columns(names: &[(&str, ColumnKind)]) -> Vec<Column> {
        names.iter().map(|(name, kind)| Column::new(*name, *kind)).collect()
    }

    // faults F8, ingestr#1011: columns that are all null without a word.
    #[test]
    fn a_change_is_named_field_by_field() {
        use ColumnKind::{Bool, Int, Text};
        let before = columns(&[("Id", Text), ("A__c", Text), ("B__c", Int), ("C__c", Text)]);
        let now = columns(&[("Id", Text), ("B__c", Text), ("D__c", Bool)]);
        let change = changes(&baseline(&before), &baseline(&now), &["C__c".into()]);
        assert_eq!(
            in_words(&change),
            "gained D__c; lost A__c; hidden C__c; changed in type B__c (int before, text now)"
        );
        let names = |columns: Option<Vec<Column>>| {
            columns.map(|columns| columns.into_iter().map(|column| column.name).collect::<Vec<_>>())
        };
        assert_eq!(
            names(under(SchemaPolicy::Evolve, &change, &now)),
            Some(vec!["Id".into(), "B__c".into(), "D__c".into()])
        );
        assert_eq!(names(under(SchemaPolicy::Warn, &change, &now)), Some(vec!["Id".into(), "B__c".into()]));
        assert_eq!(under(SchemaPolicy::Fail, &change, &now), None);
        assert!(changes(&baseline(&now), &baseline(&now), &[]).is_empty());
        assert!(under(SchemaPolicy::Fail, &SchemaReport::default(), &now).is_some());
    }
}

use crate::api::rest::{Description, FieldDescription, FieldType};
use crate::base::job::{Deletes, Job, SelectedColumn, Source};

use super::{Column, ColumnKind};

/// Fields that tell when a row changed, best first. Every tap uses them in this order; SystemModstamp also moves when
/// the platform itself changes a row.
const CURSORS: [&str; 4] = ["SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime"];

/// The columns that a job reads, and what stands where among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    /// The columns, `Id` and the cursor always among them where the object has them.
    pub columns: Vec<Column>,
    /// The field that windows are about.
    pub cursor: Option<String>,
    /// Fields that the job names and the org does not show.
    pub hidden: Vec<String>,
}

impl Selection {
    /// Where a column stands.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// Chooses the columns of a job from what the org shows of the object.
///
/// All readable fields, or those that the job names; without those that it excludes, and without compound fields and files,
/// which no query for rows gives (their parts are fields of their own). `Id`, the cursor and, where deleted rows
/// are asked for, `IsDeleted` come along whether they are named or not.
///
/// Of a query of the job's own, what it selects, and nothing besides.
pub(super) fn select(job: &Job, description: &Description) -> Selection {
    let cursor = CURSORS
        .iter()
        .find(|name| description.field(name).is_some_and(|field| field.filterable))
        .map(|name| (*name).to_string());
    let mut hidden = Vec::new();
    let mut columns = match &job.source {
        Source::Object { fields: None, exclude, .. } => description
            .fields
            .iter()
            .filter(|field| !exclude.iter().any(|name| name.as_str().eq_ignore_ascii_case(&field.name)))
            .filter_map(column)
            .collect(),
        Source::Object { fields: Some(named), exclude, .. } => {
            let wanted = named.iter().filter(|name| !exclude.contains(name));
            named_columns(wanted.map(|name| Named::Field(name.to_string())), description, &mut hidden)
        }
        Source::Soql(soql) => {
            let shown = |column: &SelectedColumn| match column.is_field {
                true => Named::Field(column.name.clone()),
                false => Named::Other(column.name.clone()),
            };
            named_columns(soql.columns().iter().map(shown), description, &mut hidden)
        }
    };
    if matches!(job.source, Source::Object { .. }) {
        let wants_deleted = (job.deletes != Deletes::Ignore).then_some("IsDeleted");
        for name in [Some("Id"), cursor.as_deref(), wants_deleted].into_iter().flatten() {
            let is_there = columns.iter().any(|column: &Column| column.name == name);
            if let Some(field) = description.field(name).filter(|_| !is_there) {
                columns.extend(column(field));
            }
        }
    }
    Selection { columns, cursor, hidden }
}

/// What a job names.
enum Named {
    /// A field, or a parent's field.
    Field(String),
    /// Something that is computed, by the name it has in the result.
    Other(String),
}

/// The columns of what was named; a parent's field, which describe does not show here, is text, and so is what is computed.
fn named_columns(
    names: impl Iterator<Item = Named>,
    description: &Description,
    hidden: &mut Vec<String>,
) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for named in names {
        let found = match named {
            Named::Other(name) => Some(Column::new(name, ColumnKind::Text)),
            Named::Field(name) if name.contains('.') => Some(Column::new(name, ColumnKind::Text)),
            Named::Field(name) => match description.field(&name) {
                Some(field) => column(field),
                None => {
                    hidden.push(name);
                    None
                }
            },
        };
        columns.extend(found.filter(|new| columns.iter().all(|column| column.name != new.name)));
    }
    columns
}

/// A field as a column; `None` for what queries for rows do not give.
///
/// Describe's types: Object Reference, "Field Types". Percent and currency are decimals with a fixed scale; double may have one.
fn column(field: &FieldDescription) -> Option<Column> {
    let digits = |digits: u32| u16::try_from(digits).unwrap_or(u16::MAX);
    let kind = match field.kind {
        FieldType::Address | FieldType::Location | FieldType::Base64 | FieldType::Complex => return None,
        FieldType::Id | FieldType::Reference => ColumnKind::Id,
        FieldType::Boolean => ColumnKind::Bool,
        FieldType::Integer | FieldType::Long => ColumnKind::Int,
        FieldType::Decimal | FieldType::Currency | FieldType::Percent => {
            ColumnKind::Decimal { precision: digits(field.precision), scale: digits(field.scale) }
        }
        FieldType::Date => ColumnKind::Date,
        FieldType::DateTime => ColumnKind::DateTime,
        FieldType::Time => ColumnKind::Time,
        _ => ColumnKind::Text,
    };
    Some(Column::new(field.name.clone(), kind))
}

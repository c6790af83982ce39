use crate::emulator::table::{Cell, Kind, Table};

/// Writes the columns `fields` of a row. Columns of one relationship go into one object.
pub(in crate::emulator) fn write_row(
    table: &dyn Table,
    row: u64,
    fields: &[usize],
    version: &str,
    out: &mut String,
) {
    let id = table.fields().iter().position(|field| field.kind == Kind::Id);
    out.push_str(r#"{"attributes":{"type":""#);
    out.push_str(table.name());
    out.push('"');
    if let Some(Cell::Text(id)) = id.map(|id| table.cell(row, id)) {
        out.push_str(&format!(r#","url":"/services/data/v{version}/sobjects/{}/{id}""#, table.name()));
    }
    out.push('}');
    let mut done: Vec<&str> = vec![];
    for field in fields {
        let name = table.fields()[*field].name;
        match name.split_once('.') {
            None => {
                out.push_str(&format!(r#","{name}":"#));
                table.cell(row, *field).write_json(out);
            }
            Some((relation, _)) if !done.contains(&relation) => {
                done.push(relation);
                write_related(table, row, relation, fields, out);
            }
            Some(_) => {}
        }
    }
    out.push('}');
}

/// The object at the other end of a relationship.
pub(in crate::emulator) fn related_object(relation: &str) -> &str {
    match relation {
        "CreatedBy" | "Owner" => "User",
        "Parent" => "PermissionSet",
        "License" => "PermissionSetLicense",
        other => other,
    }
}

fn write_related(table: &dyn Table, row: u64, relation: &str, fields: &[usize], out: &mut String) {
    let columns: Vec<(&str, Cell)> = fields
        .iter()
        .filter_map(|field| {
            let (own, column) = table.fields()[*field].name.split_once('.')?;
            (own == relation).then(|| (column, table.cell(row, *field)))
        })
        .collect();
    out.push_str(&format!(r#","{relation}":"#));
    if columns.iter().all(|(_, cell)| *cell == Cell::Null) {
        out.push_str("null");
        return;
    }
    let target = related_object(relation);
    out.push_str(&format!(r#"{{"attributes":{{"type":"{target}"}}"#));
    for (column, cell) in columns {
        out.push_str(&format!(r#","{column}":"#));
        cell.write_json(out);
    }
    out.push('}');
}

use super::reply::Reply;
use crate::base::ApiVersion;
use crate::emulator::soql::write_row;
use crate::emulator::table::Table;

/// `/sobjects/X/ID`, with `?fields=` for some columns only. A deleted record is gone here.
pub(super) fn record(table: &dyn Table, id: &str, fields: Option<&str>, version: ApiVersion) -> Reply {
    let Some(row) = table.find(id).filter(|row| table.exists(*row) && !table.is_deleted(*row)) else {
        return Reply::not_found();
    };
    let mut columns = vec![];
    match fields {
        None => {
            let all = table.fields().iter().enumerate();
            columns.extend(all.filter(|(_, field)| !field.name.contains('.')).map(|(at, _)| at));
        }
        Some(list) => {
            for name in list.split(',').map(str::trim) {
                match table.fields().iter().position(|field| field.name.eq_ignore_ascii_case(name)) {
                    Some(at) => columns.push(at),
                    None => {
                        let says = format!("No such column '{name}' on entity '{}'", table.name());
                        return Reply::refused(400, "INVALID_FIELD", &says);
                    }
                }
            }
        }
    }
    let mut out = String::new();
    write_row(table, row, &columns, &version.to_string(), &mut out);
    Reply::json(out)
}

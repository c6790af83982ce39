use std::collections::HashMap;

use super::dml::Dml;
use super::row_error::RowError;
use crate::emulator::table::{Cell, Table};

/// Values of which there may be one only: external ids.
impl Dml {
    /// Whether another row than `own` has one of these values already.
    pub(super) fn check_unique(&mut self, cells: &[(usize, Cell)], own: Option<u64>) -> Result<(), RowError> {
        for (at, cell) in cells {
            let field = self.fields()[*at];
            let (true, Cell::Text(text)) = (field.external_id, cell) else { continue };
            let key = text.to_lowercase();
            let other =
                self.rows_by(*at).get(&key).and_then(|rows| rows.iter().find(|row| Some(**row) != own));
            if let Some(other) = other.copied() {
                let name = field.name;
                let says = format!(
                    "duplicate value found: {name} duplicates value on record with id: {}",
                    self.id(other)
                );
                return Err(RowError::new("DUPLICATE_VALUE", says, &[]));
            }
        }
        Ok(())
    }

    /// Takes what was just written into account.
    pub(super) fn remember(&mut self, cells: &[(usize, Cell)], row: u64) {
        for (at, cell) in cells {
            if let (Some(known), Cell::Text(text)) = (self.unique.get_mut(at), cell) {
                let rows = known.entry(text.to_lowercase()).or_default();
                if !rows.contains(&row) {
                    rows.push(row);
                }
            }
        }
    }

    /// The live rows by the value of a field, looked up once.
    pub(super) fn rows_by(&mut self, at: usize) -> &HashMap<String, Vec<u64>> {
        let view = &self.view;
        self.unique.entry(at).or_insert_with(|| {
            let mut rows: HashMap<String, Vec<u64>> = HashMap::new();
            for row in (0..view.len()).filter(|row| view.exists(*row) && !view.is_deleted(*row)) {
                if let Cell::Text(text) = view.cell(row, at) {
                    rows.entry(text.to_lowercase()).or_default().push(row);
                }
            }
            rows
        })
    }
}

use std::collections::HashMap;

use super::mutation::added;
use super::object::ObjectView;
use super::overlay::{Fate, Overlay};
use super::row_error::{RowError, misfit};
use super::values::from_text;
use crate::emulator::ids::record_id;
use crate::emulator::table::{Cell, Field, Table};

/// What is done with each row that a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emulator) enum RowDeed {
    Insert,
    Update,
    /// By the field at this position.
    Upsert(usize),
    Delete,
    HardDelete,
}

/// A value that a client sends for a field.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::emulator) enum Given {
    /// Nothing is said: the field stays as it is.
    Keep,
    Null,
    Text(String),
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emulator) struct Written {
    pub row: u64,
    pub created: bool,
}

/// Writes rows of one object, each for itself.
pub(in crate::emulator) struct Dml {
    pub(super) view: ObjectView,
    deed: RowDeed,
    owner: String,
    now: i64,
    /// Rows by the value of a unique field, for the fields that were asked about.
    pub(super) unique: HashMap<usize, HashMap<String, Vec<u64>>>,
    upserted: HashMap<String, u64>,
}

impl Dml {
    /// `view` is the object as it is before the first row, seen by `owner`.
    pub fn new(view: ObjectView, deed: RowDeed, owner: &str, now: i64) -> Self {
        Self { view, deed, owner: owner.into(), now, unique: HashMap::new(), upserted: HashMap::new() }
    }

    pub fn fields(&self) -> &[Field] {
        self.view.fields()
    }

    pub fn id(&self, row: u64) -> String {
        record_id(self.view.key_prefix().unwrap_or_default(), row + 1)
    }

    /// Writes one row; `values` goes by the positions of the fields.
    pub fn write(&mut self, overlay: &mut Overlay, values: &[(usize, Given)]) -> Result<Written, RowError> {
        match self.deed {
            RowDeed::Insert => self.insert(overlay, values),
            RowDeed::Upsert(by) => self.upsert(overlay, by, values),
            RowDeed::Update => {
                let row = self.named(overlay, values)?;
                self.update(overlay, row, values).map_err(|error| self.about(error, row))
            }
            RowDeed::Delete | RowDeed::HardDelete => {
                let row = self.named(overlay, values)?;
                let now = self.now;
                let is_hard = self.deed == RowDeed::HardDelete;
                overlay.change(row, Fate::Live, |change| {
                    change.fate = if is_hard { Fate::Purged(now) } else { Fate::Deleted(now) };
                    change.set("LastModifiedDate", Cell::Time(now));
                    change.set("SystemModstamp", Cell::Time(now));
                });
                Ok(Written { row, created: false })
            }
        }
    }

    fn about(&self, error: RowError, row: u64) -> RowError {
        RowError { id: Some(self.id(row)), ..error }
    }

    /// The row that `Id` names.
    fn named(&self, overlay: &Overlay, values: &[(usize, Given)]) -> Result<u64, RowError> {
        let given = values.iter().find(|(at, _)| self.fields()[*at].name == "Id").map(|(_, given)| given);
        let Some(Given::Text(id)) = given else {
            return Err(RowError::new("MISSING_ARGUMENT", "Id not specified", &[]));
        };
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain || ![15, 18].contains(&id.len()) {
            return Err(RowError::new("MALFORMED_ID", format!("bad id {id}"), &["Id"]));
        }
        let prefix = self.view.key_prefix().unwrap_or_default();
        let row = crate::emulator::ids::serial_of(prefix, id)
            .and_then(|serial| serial.checked_sub(1))
            .filter(|row| *row < self.view.settled_len() + overlay.added())
            .filter(|row| *row >= self.view.len() || self.view.exists(*row));
        let unknown = || RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]);
        let row = row.ok_or_else(unknown)?;
        match self.fate(overlay, row) {
            Fate::Live => Ok(row),
            Fate::Deleted(_) => {
                Err(self.about(RowError::new("ENTITY_IS_DELETED", "entity is deleted", &[]), row))
            }
            Fate::Purged(_) => Err(unknown()),
        }
    }

    /// How a row stands now, the rows written before it included.
    fn fate(&self, overlay: &Overlay, row: u64) -> Fate {
        match overlay.get(row) {
            Some(change) => change.fate,
            None if self.view.is_deleted(row) => Fate::Deleted(self.now),
            None => Fate::Live,
        }
    }

    fn insert(&mut self, overlay: &mut Overlay, values: &[(usize, Given)]) -> Result<Written, RowError> {
        let has_id = |(at, given): &(usize, Given)| self.fields()[*at].name == "Id" && *given != Given::Keep;
        if self.deed == RowDeed::Insert && values.iter().any(has_id) {
            let says = "cannot specify Id in an insert call";
            return Err(RowError::new("INVALID_FIELD_FOR_INSERT_UPDATE", says, &["Id"]));
        }
        let cells = self.cells(values)?;
        let is_set = |field: &Field| {
            cells.iter().any(|(at, cell)| self.fields()[*at].name == field.name && *cell != Cell::Null)
        };
        let missing: Vec<&'static str> = self
            .fields()
            .iter()
            .filter(|field| field.required && !is_set(field))
            .map(|field| field.name)
            .collect();
        if !missing.is_empty() {
            let says = format!("Required fields are missing: [{}]", missing.join(", "));
            return Err(RowError::new("REQUIRED_FIELD_MISSING", says, &missing));
        }
        self.check_unique(&cells, None)?;
        let named: Vec<(&'static str, Cell)> =
            cells.iter().map(|(at, cell)| (self.fields()[*at].name, cell.clone())).collect();
        let row = overlay.add(self.view.settled_len(), added(&named, &self.owner, self.now));
        self.remember(&cells, row);
        Ok(Written { row, created: true })
    }

    fn update(
        &mut self,
        overlay: &mut Overlay,
        row: u64,
        values: &[(usize, Given)],
    ) -> Result<Written, RowError> {
        let cells = self.cells(values)?;
        let emptied = cells.iter().find(|(at, cell)| self.fields()[*at].required && *cell == Cell::Null);
        if let Some((at, _)) = emptied {
            let name = self.fields()[*at].name;
            let says = format!("Required fields are missing: [{name}]");
            return Err(RowError::new("REQUIRED_FIELD_MISSING", says, &[name]));
        }
        self.check_unique(&cells, Some(row))?;
        let now = self.now;
        let named: Vec<(&'static str, Cell)> =
            cells.iter().map(|(at, cell)| (self.fields()[*at].name, cell.clone())).collect();
        overlay.change(row, Fate::Live, |change| {
            named.into_iter().for_each(|(name, cell)| change.set(name, cell));
            change.set("LastModifiedDate", Cell::Time(now));
            change.set("SystemModstamp", Cell::Time(now));
        });
        self.remember(&cells, row);
        Ok(Written { row, created: false })
    }

    fn upsert(
        &mut self,
        overlay: &mut Overlay,
        by: usize,
        values: &[(usize, Given)],
    ) -> Result<Written, RowError> {
        let name = self.fields()[by].name;
        let given = values.iter().find(|(at, _)| *at == by).map(|(_, given)| given.clone());
        if name == "Id" {
            return match given {
                Some(Given::Text(_)) => {
                    let row = self.named(overlay, values)?;
                    self.update(overlay, row, values).map_err(|error| self.about(error, row))
                }
                _ => self.insert(overlay, values),
            };
        }
        let Some(Given::Text(key)) = given else {
            return Err(RowError::new("MISSING_ARGUMENT", format!("{name} not specified"), &[]));
        };
        let key = key.to_lowercase();
        if self.upserted.contains_key(&key) {
            let says = format!("Duplicate external id specified: {key}");
            return Err(RowError::new("DUPLICATE_VALUE", says, &[name]));
        }
        let rows = self.rows_by(by).get(&key).cloned().unwrap_or_default();
        let live: Vec<u64> = rows.into_iter().filter(|row| self.fate(overlay, *row) == Fate::Live).collect();
        let written = match live.as_slice() {
            [] => self.insert(overlay, values),
            [row] => self.update(overlay, *row, values).map_err(|error| self.about(error, *row)),
            several => {
                let ids: Vec<String> = several.iter().map(|row| self.id(*row)).collect();
                let says =
                    format!("{name}: more than one record found for external id field: [{}]", ids.join(", "));
                Err(RowError::new("DUPLICATE_EXTERNAL_ID", says, &[name]))
            }
        }?;
        self.upserted.insert(key, written.row);
        Ok(written)
    }

    /// The values as their fields hold them; those that stay are left out.
    fn cells(&self, values: &[(usize, Given)]) -> Result<Vec<(usize, Cell)>, RowError> {
        let mut cells = vec![];
        for (position, (at, given)) in values.iter().enumerate() {
            let field = self.fields()[*at];
            if *given == Given::Keep || field.name == "Id" {
                continue;
            }
            if field.is_system() {
                let says = format!(
                    "Unable to create/update fields: {}. Please check the security settings of this field and verify \
                     that it is read/write for your profile or permission set.",
                    field.name
                );
                return Err(RowError::new("INVALID_FIELD_FOR_INSERT_UPDATE", says, &[field.name]));
            }
            let Given::Text(text) = given else {
                cells.push((*at, Cell::Null));
                continue;
            };
            match from_text(field.kind, text) {
                Some(cell) => cells.push((*at, cell)),
                None => return Err(misfit(&field, text, position)),
            }
        }
        Ok(cells)
    }
}

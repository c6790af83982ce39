use std::sync::Arc;

use super::overlay::{Fate, Overlay};
use super::schema::Schema;
use super::values::cast;
use crate::emulator::ids::{record_id, serial_of};
use crate::emulator::table::{Cell, Field, Kind, Table};

/// From where rows are looked at.
#[derive(Clone, Debug, Default)]
pub(in crate::emulator) struct Viewpoint {
    /// The one user whose records are seen; none where all are.
    pub owner: Option<String>,
    /// Fields that field-level security hides, as `Account.Industry`.
    pub hidden: Vec<String>,
    /// Rows that were deleted until then have left the recycle bin, seconds since 1970.
    pub bin_until: i64,
    /// Rows that were deleted before the org began have left it, too.
    pub first_bin_emptied: bool,
}

/// An object as one user sees it: rows made from their number, what became of them, and the fields there are.
pub(in crate::emulator) struct ObjectView {
    first: Arc<dyn Table>,
    overlay: Arc<Overlay>,
    fields: Vec<Field>,
    sources: Vec<Source>,
    rising: Vec<&'static str>,
    view: Viewpoint,
    parents: Option<Arc<dyn Table>>,
    owner_at: Option<usize>,
}

/// Where a field's value comes from where no change says it.
enum Source {
    First(usize),
    Same(Cell),
    /// A column of the record that a reference names.
    Parent {
        reference: usize,
        column: &'static str,
    },
}

impl ObjectView {
    /// `parents` is the object behind relationship columns.
    pub fn new(
        first: Arc<dyn Table>,
        overlay: Arc<Overlay>,
        schema: &Schema,
        view: Viewpoint,
        parents: Option<Arc<dyn Table>>,
    ) -> Self {
        let object = first.name();
        let mut fields = vec![];
        let mut sources = vec![];
        let is_seen = |name: &str| {
            !view.hidden.iter().any(|hidden| hidden.eq_ignore_ascii_case(&format!("{object}.{name}")))
        };
        for (at, field) in first.fields().iter().enumerate() {
            if schema.removed.contains(&field.name) || !is_seen(field.name) {
                continue;
            }
            let retyped = schema.retyped.iter().find(|(name, _)| *name == field.name);
            fields.push(retyped.map_or(*field, |(name, kind)| Field {
                compound: field.compound,
                ..Field::new(name, *kind)
            }));
            let relation = field.name.split_once('.').and_then(|(relation, column)| {
                let reference = first.fields().iter().position(|own| own.name == format!("{relation}Id"))?;
                Some(Source::Parent { reference, column })
            });
            sources.push(relation.filter(|_| parents.is_some()).unwrap_or(Source::First(at)));
        }
        for (field, value) in schema.added.iter().filter(|(field, _)| is_seen(field.name)) {
            fields.push(*field);
            sources.push(Source::Same(value.clone()));
        }
        let rising = first.rising().iter().copied();
        let rising = rising.filter(|name| !schema.retyped.iter().any(|(own, _)| own == name)).collect();
        let owner_at = first.fields().iter().position(|field| field.name == "OwnerId");
        Self { first, overlay, fields, sources, rising, view, parents, owner_at }
    }

    fn fate(&self, row: u64) -> Fate {
        match self.overlay.get(row) {
            Some(change) => change.fate,
            None if self.first.is_deleted(row) => Fate::Deleted(i64::MIN),
            None => Fate::Live,
        }
    }

    /// When the row was deleted, purged ones included; none where it was not, and for rows deleted at first the time
    /// of their last change.
    pub fn deleted_at(&self, row: u64) -> Option<i64> {
        match self.fate(row) {
            Fate::Live => None,
            Fate::Deleted(i64::MIN) => {
                let at = self.first.fields().iter().position(|field| field.name == "SystemModstamp")?;
                match self.first.cell(row, at) {
                    Cell::Time(at) => Some(at),
                    _ => None,
                }
            }
            Fate::Deleted(at) | Fate::Purged(at) => Some(at),
        }
    }

    fn own_id(&self, row: u64) -> Cell {
        Cell::text(record_id(self.first.key_prefix().unwrap_or_default(), row + 1))
    }

    /// The value of a field as the first table numbers it, changes included.
    fn first_cell(&self, row: u64, at: usize) -> Cell {
        let field = &self.first.fields()[at];
        match self.overlay.get(row).and_then(|change| change.cell(field.name)) {
            Some(cell) => cell.clone(),
            None if field.kind == Kind::Id && field.name == "Id" => self.own_id(row),
            None if row < self.first.len() => self.first.cell(row, at),
            None => Cell::Null,
        }
    }

    fn parent_cell(&self, row: u64, reference: usize, column: &str) -> Cell {
        let (Some(parents), Cell::Text(id)) = (&self.parents, self.first_cell(row, reference)) else {
            return Cell::Null;
        };
        let at = parents.fields().iter().position(|field| field.name == column);
        match (parents.find(&id), at) {
            (Some(parent), Some(at)) => parents.cell(parent, at),
            _ => Cell::Null,
        }
    }

    fn is_own(&self, row: u64) -> bool {
        let Some(owner) = &self.view.owner else { return true };
        let Some(at) = self.owner_at else { return true };
        self.first_cell(row, at) == Cell::text(owner.clone())
    }
}

impl Table for ObjectView {
    fn name(&self) -> &'static str {
        self.first.name()
    }

    fn key_prefix(&self) -> Option<&'static str> {
        self.first.key_prefix()
    }

    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn len(&self) -> u64 {
        self.first.len() + self.overlay.added()
    }

    fn cell(&self, row: u64, field: usize) -> Cell {
        let name = self.fields[field].name;
        if name == "IsDeleted" {
            return Cell::Bool(self.is_deleted(row));
        }
        let cell = match &self.sources[field] {
            Source::First(at) => self.first_cell(row, *at),
            Source::Parent { reference, column } => self.parent_cell(row, *reference, column),
            Source::Same(value) => {
                let changed = self.overlay.get(row).and_then(|change| change.cell(name));
                changed.unwrap_or(value).clone()
            }
        };
        match self.sources[field] {
            Source::First(at) if self.first.fields()[at].kind != self.fields[field].kind => {
                cast(cell, self.fields[field].kind)
            }
            _ => cell,
        }
    }

    fn is_deleted(&self, row: u64) -> bool {
        self.fate(row) != Fate::Live
    }

    fn exists(&self, row: u64) -> bool {
        let is_there = match self.fate(row) {
            Fate::Live => true,
            Fate::Deleted(i64::MIN) => !self.view.first_bin_emptied,
            Fate::Deleted(at) => at > self.view.bin_until,
            Fate::Purged(_) => false,
        };
        is_there && self.is_own(row)
    }

    fn settled_before(&self, row: u64, all_rows: bool) -> Option<u64> {
        match (&self.view.owner, all_rows && !self.view.first_bin_emptied) {
            (Some(_), _) => None,
            (None, true) => Some(row),
            (None, false) => self.first.live_before(row),
        }
    }

    fn settled_holds(&self, row: u64, all_rows: bool) -> bool {
        (all_rows && !self.view.first_bin_emptied) || !self.first.is_deleted(row)
    }

    fn settled_len(&self) -> u64 {
        self.first.len()
    }

    fn settled(&self, row: u64, field: usize) -> Cell {
        match self.sources[field] {
            Source::First(at) => self.first.cell(row, at),
            _ => Cell::Null,
        }
    }

    fn touched(&self) -> Vec<u64> {
        self.overlay.touched().collect()
    }

    fn is_touched(&self, row: u64) -> bool {
        self.overlay.get(row).is_some()
    }

    fn rising(&self) -> &[&'static str] {
        &self.rising
    }

    fn find(&self, id: &str) -> Option<u64> {
        let row = serial_of(self.first.key_prefix()?, id)?.checked_sub(1)?;
        (row < self.len()).then_some(row)
    }
}

use serde::{Deserialize, Serialize};

use super::screen::screened;

/// How the fields that a run met differ from the job's baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaReport {
    /// Fields that were not there before.
    pub gained: Vec<String>,
    /// Fields that are gone, or that the user may not see any more: the org does not tell which.
    pub lost: Vec<String>,
    /// Fields that the job asks for by name and that `describe` does not list: hidden by field-level security, or gone.
    pub hidden: Vec<String>,
    /// Fields whose type is another.
    pub changed: Vec<TypeChange>,
}

/// A field whose type is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeChange {
    /// The field.
    pub field: String,
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
}

impl SchemaReport {
    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn screened(mut self) -> Self {
        let names = [&mut self.gained, &mut self.lost, &mut self.hidden].into_iter().flatten();
        let changed = self.changed.iter_mut();
        let changed = changed.flat_map(|one| [&mut one.field, &mut one.from, &mut one.to]);
        names.chain(changed).for_each(|text| *text = screened(text));
        self
    }
}

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::emulator::table::Cell;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emulator) enum Fate {
    Live,
    /// In the recycle bin since then, seconds since 1970.
    Deleted(i64),
    /// Gone for good since then.
    Purged(i64),
}

/// How a row differs from what it was at first; all there is to an added row.
#[derive(Clone, Debug)]
pub(in crate::emulator) struct Change {
    pub cells: Vec<(&'static str, Cell)>,
    pub fate: Fate,
}

impl Change {
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().find(|(own, _)| *own == name).map(|(_, cell)| cell)
    }

    pub fn set(&mut self, name: &'static str, cell: Cell) {
        match self.cells.iter_mut().find(|(own, _)| *own == name) {
            Some((_, own)) => *own = cell,
            None => self.cells.push((name, cell)),
        }
    }
}

/// The changes of one object's rows, laid over rows that are made from their number.
///
/// A copy is a snapshot, and shares the changes themselves: a query job sees the rows as they were.
#[derive(Clone, Debug, Default)]
pub(in crate::emulator) struct Overlay {
    rows: BTreeMap<u64, Arc<Change>>,
    added: u64,
}

impl Overlay {
    pub fn get(&self, row: u64) -> Option<&Change> {
        if self.rows.is_empty() { None } else { self.rows.get(&row).map(|change| &**change) }
    }

    /// How many rows were added.
    pub fn added(&self) -> u64 {
        self.added
    }

    /// The rows that were changed or added, in order.
    pub fn touched(&self) -> impl Iterator<Item = u64> + '_ {
        self.rows.keys().copied()
    }

    /// Adds a row behind all others; `first` is the number of rows that were not added.
    pub fn add(&mut self, first: u64, change: Change) -> u64 {
        let row = first + self.added;
        self.added += 1;
        self.rows.insert(row, Arc::new(change));
        row
    }

    /// Changes one row; `fate` is how it stood where nothing has changed it yet.
    pub fn change(&mut self, row: u64, fate: Fate, deed: impl FnOnce(&mut Change)) {
        let change = self.rows.entry(row).or_insert_with(|| Arc::new(Change { cells: vec![], fate }));
        deed(Arc::make_mut(change));
    }

    /// Gives rows that nothing has changed yet one change together, which costs no memory a row but its number.
    pub fn change_alike(&mut self, row: u64, change: &Arc<Change>) -> bool {
        let is_new = !self.rows.contains_key(&row);
        if is_new {
            self.rows.insert(row, change.clone());
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_it_saw() {
        let mut overlay = Overlay::default();
        overlay.change(3, Fate::Live, |change| change.set("Name", Cell::text("one")));
        let snapshot = overlay.clone();
        overlay.change(3, Fate::Live, |change| change.set("Name", Cell::text("two")));
        let added = overlay.add(10, Change { cells: vec![], fate: Fate::Live });
        assert_eq!(snapshot.get(3).unwrap().cell("Name"), Some(&Cell::text("one")));
        assert_eq!(overlay.get(3).unwrap().cell("Name"), Some(&Cell::text("two")));
        assert_eq!((added, snapshot.added(), overlay.added()), (10, 0, 1));
    }
}

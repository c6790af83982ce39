use std::collections::BTreeMap;
use std::time::Duration;

use crate::emulator::soql::{Mark, Plan};

/// An open query: what `nextRecordsUrl` names. The same page can be read again.
pub(in crate::emulator) struct Locator {
    pub id: String,
    pub owner: String,
    pub plan: Plan,
    pub size: u64,
    pub used: Duration,
    /// Where known pages begin, by the number of rows before them.
    pub marks: BTreeMap<u64, Mark>,
}

impl std::fmt::Debug for Locator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Locator").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Locator {
    /// Where the page after `given` rows begins; walks there from the nearest known place.
    pub fn mark(&self, given: u64) -> Option<Mark> {
        if given > self.plan.total {
            return None;
        }
        let near =
            self.marks.range(..=given).next_back().map_or_else(|| self.plan.start(), |(_, mark)| *mark);
        Some(if near.given == given { near } else { self.plan.page(near, given - near.given).1 })
    }
}

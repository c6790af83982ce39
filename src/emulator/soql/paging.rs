use super::plan::Plan;

/// Where a page ends: how many rows were given out before, and where in the table to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emulator) struct Mark {
    pub given: u64,
    pub row: u64,
}

/// A query read page by page, without holding its rows.
impl Plan {
    /// Where the first page begins.
    pub fn start(&self) -> Mark {
        let row = match &self.sorted {
            Some(_) => self.offset,
            None if self.offset == 0 => 0,
            None => self.walk(0).nth(self.offset as usize).unwrap_or(u64::MAX),
        };
        Mark { given: 0, row }
    }

    /// The next `size` rows from `mark` on, and where the page after them begins.
    pub fn page(&self, mark: Mark, size: u64) -> (Vec<u64>, Mark) {
        let wanted = size.min(self.total.saturating_sub(mark.given));
        let mut rows = Vec::with_capacity(wanted as usize);
        let mut at = mark.row;
        match &self.sorted {
            Some(sorted) => {
                rows.extend(sorted.iter().skip(at as usize).take(wanted as usize));
                at += rows.len() as u64;
            }
            None => {
                rows.extend(self.walk(at).take(wanted as usize));
                at = rows.last().map_or(at, |last| last + 1);
            }
        }
        let given = mark.given + rows.len() as u64;
        (rows, Mark { given, row: at })
    }

    /// Where the page begins that comes after `count` more rows.
    pub fn skip(&self, mark: Mark, count: u64) -> Mark {
        let mut mark = mark;
        let end = mark.given + count.min(self.total.saturating_sub(mark.given));
        if let Some(row) = self.row_after(end) {
            return Mark { given: end, row };
        }
        while mark.given < end {
            mark = self.page(mark, (end - mark.given).min(1000)).1;
        }
        mark
    }

    /// Where the row stands before which `given` rows fit, where that can be said without walking there.
    fn row_after(&self, given: u64) -> Option<u64> {
        if self.sorted.is_some() {
            return Some(self.offset + given);
        }
        let plain = self.exact && self.offset == 0 && self.loose.is_empty() && !self.has_touched;
        let before = |row| self.table.settled_before(row, self.all_rows);
        let start = before(self.range.start).filter(|_| plain)?;
        let (mut low, mut high) = (self.range.start, self.range.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(middle)? - start < given { low = middle + 1 } else { high = middle }
        }
        Some(low)
    }
}

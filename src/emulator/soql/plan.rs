use std::ops::Range;
use std::sync::Arc;

use super::bound::Bound;
use super::row_json::write_row;
use super::seek::{named, range};
use crate::emulator::table::{Cell, Table};

/// What a query answers with.
#[derive(Clone, Debug)]
pub(in crate::emulator) enum Answer {
    Count,
    CountOf(usize),
    /// Columns, in the order they were asked for.
    Rows(Vec<usize>),
}

/// A query ready to run, which can be read page by page without holding its rows.
#[derive(Clone)]
pub(in crate::emulator) struct Plan {
    pub table: Arc<dyn Table>,
    pub answer: Answer,
    pub(super) filter: Option<Bound>,
    pub(super) all_rows: bool,
    /// Rows that can fit at all, of those that stand as they were at first.
    pub(super) range: Range<u64>,
    /// Whether each of them fits, but for deleted ones.
    pub(super) exact: bool,
    /// Other rows that fit, in order: those that were changed or added, and those that the query names.
    pub(super) loose: Arc<Vec<u64>>,
    pub(super) has_touched: bool,
    /// Fitting rows in the order asked for, where that is not the table's own.
    pub(super) sorted: Option<Arc<Vec<u64>>>,
    /// How many rows the whole answer has.
    pub total: u64,
    /// Fitting rows to pass over first.
    pub(super) offset: u64,
}

impl Plan {
    pub(super) fn new(
        table: Arc<dyn Table>,
        answer: Answer,
        filter: Option<Bound>,
        order_by: Vec<(usize, bool, bool)>,
        offset: u64,
        limit: Option<u64>,
        all_rows: bool,
    ) -> Self {
        let (range, exact) = range(&*table, filter.as_ref());
        let touched = table.touched();
        let mut plan = Self {
            table,
            answer,
            filter,
            all_rows,
            range,
            exact,
            loose: Arc::default(),
            has_touched: !touched.is_empty(),
            sorted: None,
            total: 0,
            offset,
        };
        let loose = match named(&*plan.table, plan.filter.as_ref()) {
            Some(named) => {
                plan.range = 0..0;
                named
            }
            None => touched.clone(),
        };
        plan.loose = Arc::new(loose.into_iter().filter(|row| plan.fits(*row)).collect());
        let most = limit.map_or(u64::MAX, |limit| limit.saturating_add(offset));
        let found = if plan.is_natural(&order_by) {
            plan.count(&touched, most)
        } else {
            let rows = plan.sort(&order_by);
            let found = rows.len() as u64;
            plan.sorted = Some(Arc::new(rows));
            found
        };
        plan.total = found.saturating_sub(offset).min(limit.unwrap_or(u64::MAX));
        plan
    }

    /// Whether the order asked for is that of the row numbers.
    fn is_natural(&self, order_by: &[(usize, bool, bool)]) -> bool {
        let fields = self.table.fields();
        match order_by {
            [] => true,
            [(first, false, _), ..] if fields[*first].name == "Id" && self.table.rising().contains(&"Id") => {
                true
            }
            _ => {
                self.loose.is_empty()
                    && order_by.iter().all(|(field, descending, _)| {
                        !descending && self.table.rising().contains(&fields[*field].name)
                    })
            }
        }
    }

    /// How many rows fit, `most` at most; without looking at them where the range says it all.
    fn count(&self, touched: &[u64], most: u64) -> u64 {
        let Range { start, end } = self.range;
        let before = |row| self.table.settled_before(row, self.all_rows);
        if self.exact
            && let (Some(below), Some(under)) = (before(end), before(start))
        {
            let inside =
                touched.partition_point(|row| *row < start)..touched.partition_point(|row| *row < end);
            let moved = touched[inside].iter().filter(|row| self.table.settled_holds(**row, self.all_rows));
            return below - under - moved.count() as u64 + self.loose.len() as u64;
        }
        self.walk(0).take(usize::try_from(most).unwrap_or(usize::MAX)).count() as u64
    }

    fn is_there(&self, row: u64) -> bool {
        (self.all_rows || !self.table.is_deleted(row)) && self.table.exists(row)
    }

    fn fits(&self, row: u64) -> bool {
        self.is_there(row) && self.filter.as_ref().is_none_or(|filter| filter.fits(&*self.table, row))
    }

    /// The fitting rows from `from` on, by their numbers.
    pub(super) fn walk(&self, from: u64) -> impl Iterator<Item = u64> + '_ {
        let mut settled = from.max(self.range.start);
        let mut loose = self.loose.partition_point(|row| *row < from);
        std::iter::from_fn(move || {
            let other = self.loose.get(loose).copied();
            let end = other.unwrap_or(u64::MAX).min(self.range.end);
            while settled < end {
                let row = settled;
                settled += 1;
                let is_moved = self.has_touched && self.table.is_touched(row);
                if !is_moved && if self.exact { self.is_there(row) } else { self.fits(row) } {
                    return Some(row);
                }
            }
            let row = other?;
            loose += 1;
            settled = settled.max(row + 1);
            Some(row)
        })
    }

    /// How many rows have a value in this column.
    pub fn count_filled(&self, field: usize) -> usize {
        let (rows, _) = self.page(self.start(), self.total);
        rows.into_iter().filter(|row| self.table.cell(*row, field) != Cell::Null).count()
    }

    /// All values of the first column, for IN of a query.
    pub(super) fn first_column(&self) -> Vec<Cell> {
        let Answer::Rows(fields) = &self.answer else { return vec![] };
        let field = fields.first().copied().unwrap_or_default();
        let (rows, _) = self.page(self.start(), self.total);
        rows.into_iter().map(|row| self.table.cell(row, field)).collect()
    }

    /// The columns asked for, by their position in the table.
    pub fn columns(&self) -> &[usize] {
        match &self.answer {
            Answer::Rows(fields) => fields,
            _ => &[],
        }
    }

    /// Writes one row as REST shows it: `attributes` first, then the columns as they were asked for.
    pub fn write_row(&self, row: u64, version: &str, out: &mut String) {
        let Answer::Rows(fields) = &self.answer else { return };
        write_row(&*self.table, row, fields, version, out);
    }
}

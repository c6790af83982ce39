use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::ast::Op;
use super::bound::{Bound, order, order_ids};
use super::row_json::write_row;
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
    filter: Option<Bound>,
    all_rows: bool,
    /// Rows that can fit at all, of those that stand as they were at first.
    range: Range<u64>,
    /// Whether each of them fits, but for deleted ones.
    exact: bool,
    /// Other rows that fit, in order: those that were changed or added, and those that the query names.
    loose: Arc<Vec<u64>>,
    has_touched: bool,
    /// Fitting rows in the order asked for, where that is not the table's own.
    sorted: Option<Arc<Vec<u64>>>,
    /// How many rows the whole answer has.
    pub total: u64,
    /// Fitting rows to pass over first.
    offset: u64,
}

/// Where a page ends: how many rows were given out before, and where in the table to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emulator) struct Mark {
    pub given: u64,
    pub row: u64,
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
    fn walk(&self, from: u64) -> impl Iterator<Item = u64> + '_ {
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

    fn sort(&self, order_by: &[(usize, bool, bool)]) -> Vec<u64> {
        let mut keyed: Vec<(Vec<Cell>, u64)> = self
            .walk(0)
            .map(|row| (order_by.iter().map(|(field, ..)| self.table.cell(row, *field)).collect(), row))
            .collect();
        keyed.sort_by(|(one, _), (other, _)| {
            order_by
                .iter()
                .zip(one.iter().zip(other))
                .map(|((field, descending, nulls_last), (one, other))| match (one, other) {
                    (Cell::Null, Cell::Null) => Ordering::Equal,
                    (Cell::Null, _) => {
                        if *nulls_last {
                            Ordering::Greater
                        } else {
                            Ordering::Less
                        }
                    }
                    (_, Cell::Null) => {
                        if *nulls_last {
                            Ordering::Less
                        } else {
                            Ordering::Greater
                        }
                    }
                    _ => {
                        let by = if self.table.fields()[*field].kind.is_id() { order_ids } else { order };
                        let rising = by(one, other).unwrap_or(Ordering::Equal);
                        if *descending { rising.reverse() } else { rising }
                    }
                })
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        keyed.into_iter().map(|(_, row)| row).collect()
    }

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
        while mark.given < end {
            mark = self.page(mark, (end - mark.given).min(1000)).1;
        }
        mark
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

/// The rows that can fit, found by halving on columns that rise with the row number. Big tables with a window on
/// SystemModstamp cost what the window holds. With it, whether every row in there fits.
fn range(table: &dyn Table, filter: Option<&Bound>) -> (Range<u64>, bool) {
    let mut range = 0..table.settled_len();
    let mut exact = true;
    for part in parts(filter) {
        let Bound::Compare { field, op, value } = part else {
            exact = false;
            continue;
        };
        let column = table.fields()[*field];
        if !table.rising().contains(&column.name) || *value == Cell::Null {
            exact = false;
            continue;
        }
        let by = if column.kind.is_id() { order_ids } else { order };
        let first = |wanted: fn(Ordering) -> bool| {
            let (mut low, mut high) = (0, table.settled_len());
            while low < high {
                let middle = low + (high - low) / 2;
                let is_there = by(&table.settled(middle, *field), value).is_some_and(wanted);
                if is_there { high = middle } else { low = middle + 1 }
            }
            low
        };
        let (start, end) = match op {
            Op::GreaterOrEqual => (first(Ordering::is_ge), u64::MAX),
            Op::Greater => (first(Ordering::is_gt), u64::MAX),
            Op::Less => (0, first(Ordering::is_ge)),
            Op::LessOrEqual => (0, first(Ordering::is_gt)),
            Op::Equal => (first(Ordering::is_ge), first(Ordering::is_gt)),
            Op::NotEqual | Op::Like => {
                exact = false;
                continue;
            }
        };
        range = range.start.max(start)..range.end.min(end);
    }
    (range.start..range.end.max(range.start), exact)
}

/// What must hold all together.
fn parts(filter: Option<&Bound>) -> &[Bound] {
    match filter {
        Some(Bound::And(parts)) => parts,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

/// The rows whose ids a query names, in order; none where it names none.
fn named(table: &dyn Table, filter: Option<&Bound>) -> Option<Vec<u64>> {
    let is_id = |field: usize| table.fields()[field].name == "Id" && table.rising().contains(&"Id");
    let ids = parts(filter).iter().find_map(|part| match part {
        Bound::Compare { field, op: Op::Equal, value } if is_id(*field) => Some(std::slice::from_ref(value)),
        Bound::In { field, values } if is_id(*field) => Some(values.as_slice()),
        _ => None,
    })?;
    let rows = ids.iter().filter_map(|id| match id {
        Cell::Text(id) => table.find(id),
        _ => None,
    });
    Some(rows.collect::<std::collections::BTreeSet<u64>>().into_iter().collect())
}

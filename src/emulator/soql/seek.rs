use std::cmp::Ordering;
use std::ops::Range;

use super::ast::Op;
use super::bound::{Bound, order, order_ids};
use crate::emulator::table::{Cell, Table};

/// The rows that can fit, found by halving on columns that rise with the row number. Big tables with a window on
/// SystemModstamp cost what the window holds. With it, whether every row in there fits.
pub(super) fn range(table: &dyn Table, filter: Option<&Bound>) -> (Range<u64>, bool) {
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
pub(super) fn named(table: &dyn Table, filter: Option<&Bound>) -> Option<Vec<u64>> {
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

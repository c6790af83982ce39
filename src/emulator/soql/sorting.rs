use std::cmp::Ordering;

use super::bound::{order, order_ids};
use super::plan::Plan;
use crate::emulator::table::Cell;

/// Rows in another order than the table's own.
impl Plan {
    /// The fitting rows by `order_by`: column, whether it falls, whether its nulls come last.
    pub(super) fn sort(&self, order_by: &[(usize, bool, bool)]) -> Vec<u64> {
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
}

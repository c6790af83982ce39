use std::cmp::Ordering;

use super::ast::Op;
use super::like::like;
use crate::emulator::table::{Cell, Table, same_id};

/// A filter whose names are columns and whose values have the columns' types.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    And(Vec<Bound>),
    Or(Vec<Bound>),
    Not(Box<Bound>),
    Compare { field: usize, op: Op, value: Cell },
    In { field: usize, values: Vec<Cell> },
}

impl Bound {
    /// Whether the row fits.
    pub fn fits(&self, table: &dyn Table, row: u64) -> bool {
        match self {
            Bound::And(parts) => parts.iter().all(|part| part.fits(table, row)),
            Bound::Or(parts) => parts.iter().any(|part| part.fits(table, row)),
            Bound::Not(part) => !part.fits(table, row),
            Bound::Compare { field, op, value } => {
                compare(&table.cell(row, *field), *op, value, is_id(table, *field))
            }
            Bound::In { field, values } => {
                let own = table.cell(row, *field);
                values.iter().any(|value| compare(&own, Op::Equal, value, is_id(table, *field)))
            }
        }
    }
}

fn is_id(table: &dyn Table, field: usize) -> bool {
    table.fields()[field].kind.is_id()
}

fn compare(own: &Cell, op: Op, value: &Cell, is_id: bool) -> bool {
    let order = |one: &Cell, other: &Cell| if is_id { order_ids(one, other) } else { order(one, other) };
    let equal = || match (own, value) {
        (Cell::Text(own), Cell::Text(value)) if is_id => same_id(own, value),
        (Cell::Null, Cell::Null) => true,
        _ => order(own, value) == Some(Ordering::Equal),
    };
    match op {
        Op::Equal => equal(),
        Op::NotEqual => !equal(),
        Op::Like => match (own, value) {
            (Cell::Text(own), Cell::Text(pattern)) => like(own, pattern),
            _ => false,
        },
        Op::Less => order(own, value) == Some(Ordering::Less),
        Op::Greater => order(own, value) == Some(Ordering::Greater),
        Op::LessOrEqual => order(own, value).is_some_and(Ordering::is_le),
        Op::GreaterOrEqual => order(own, value).is_some_and(Ordering::is_ge),
    }
}

/// How two ids stand: by their first 15 characters, case and all.
pub(super) fn order_ids(one: &Cell, other: &Cell) -> Option<Ordering> {
    match (one, other) {
        (Cell::Text(one), Cell::Text(other)) => Some(one.get(..15)?.cmp(other.get(..15)?)),
        _ => None,
    }
}

/// How two values of one column stand; texts without regard to case. None where one is null.
pub(super) fn order(one: &Cell, other: &Cell) -> Option<Ordering> {
    let real = |cell: &Cell| match cell {
        Cell::Int(value) => Some(*value as f64),
        Cell::Real(value) => Some(*value),
        _ => None,
    };
    match (one, other) {
        (Cell::Text(one), Cell::Text(other)) if one == other => Some(Ordering::Equal),
        (Cell::Text(one), Cell::Text(other)) => Some(one.to_lowercase().cmp(&other.to_lowercase())),
        (Cell::Bool(one), Cell::Bool(other)) => Some(one.cmp(other)),
        (Cell::Time(one), Cell::Time(other)) | (Cell::Date(one), Cell::Date(other)) => Some(one.cmp(other)),
        _ => real(one)?.partial_cmp(&real(other)?),
    }
}

use rusqlite::Statement;
use rusqlite::types::{Null, ToSql, ToSqlOutput, ValueRef};

use super::trouble::Trouble;
use crate::sync::ColumnKind;
use crate::sync::csv::Cell;

/// Digits that a double holds, whichever they are (IEEE 754 binary64).
const DIGITS_OF_A_DOUBLE: usize = 15;

/// The declared type of a column.
///
/// A decimal that may have more digits than a double holds has none: SQLite would turn its text into a double by the
/// column's affinity, and damage it. <https://sqlite.org/datatype3.html>, section 3.
pub(super) fn declared(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Bool | ColumnKind::Int => "INTEGER",
        ColumnKind::Decimal { precision, .. } if usize::from(precision) <= DIGITS_OF_A_DOUBLE => "REAL",
        ColumnKind::Decimal { .. } => "",
        _ => "TEXT",
    }
}

/// Bytes that are known to be UTF-8, bound without another look.
#[derive(Debug)]
pub(super) struct Text<'a>(pub &'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// Binds a cell as what its column's values are. What does not look like one is kept as the text that it is.
///
/// | kind | bound as |
/// |---|---|
/// | no value | NULL |
/// | boolean | 1, 0 |
/// | whole number | integer |
/// | decimal number | real where a double is the same number, else text with every digit |
/// | all others | text, as the org wrote it |
pub(super) fn bind(
    statement: &mut Statement<'_>,
    at: usize,
    cell: Cell<'_>,
    kind: ColumnKind,
) -> Result<(), Trouble> {
    let raw = cell.raw();
    match kind {
        _ if raw.is_empty() => statement.raw_bind_parameter(at, Null)?,
        ColumnKind::Bool if raw == b"true" => statement.raw_bind_parameter(at, 1)?,
        ColumnKind::Bool if raw == b"false" => statement.raw_bind_parameter(at, 0)?,
        ColumnKind::Int => match whole(raw) {
            Some(number) => statement.raw_bind_parameter(at, number)?,
            None => statement.raw_bind_parameter(at, Text(raw))?,
        },
        ColumnKind::Decimal { .. } => match double(raw) {
            Some(number) => statement.raw_bind_parameter(at, number)?,
            None => statement.raw_bind_parameter(at, Text(raw))?,
        },
        _ if cell.has_quotes() => statement.raw_bind_parameter(at, Text(&cell.value()))?,
        _ => statement.raw_bind_parameter(at, Text(raw))?,
    }
    Ok(())
}

fn whole(raw: &[u8]) -> Option<i64> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

/// The double that is the same number as the text, digit for digit; none where there is none.
fn double(raw: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(raw).ok()?;
    if !raw.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
        return None;
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    if raw.iter().filter(|byte| byte.is_ascii_digit()).count() <= DIGITS_OF_A_DOUBLE {
        return Some(number);
    }
    (digits(text) == digits(&format!("{number:e}"))).then_some(number)
}

/// A number's significant digits and the power of ten of the first; the same for each way of writing it.
fn digits(text: &str) -> (bool, String, i64) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{before}{after}");
    let significant = all.trim_start_matches('0');
    let power = exponent + before.len() as i64 - (all.len() - significant.len()) as i64;
    let significant = significant.trim_end_matches('0');
    match significant.is_empty() {
        true => (false, String::new(), 0),
        false => (negative, significant.to_string(), power),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_decimal_is_a_double_only_where_that_is_the_same_number() {
        for same in
            ["0", "-0.0", "1234.50", "0.1", "1.0E7", "-1.5e-7", "3.3333333333333335", "123456789012345000"]
        {
            assert_eq!(double(same.as_bytes()), Some(same.parse().unwrap()), "{same}");
        }
        for other in
            ["1234567890123456.78", "0.12345678901234567", "9007199254740993", "x", "", "NaN", "inf", "1e999"]
        {
            assert_eq!(double(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_small_decimal_is_declared_real_and_a_wide_one_not_at_all() {
        let decimal = |precision| declared(ColumnKind::Decimal { precision, scale: 2 });
        assert_eq!((decimal(15), decimal(16)), ("REAL", ""));
    }

    proptest! {
        #[test]
        fn what_becomes_a_double_reads_back_as_the_digits_it_came_as(whole in 0_u64..1_000_000_000_000_000_000, point in 0..18_usize) {
            let mut text = format!("{whole:018}");
            text.insert(18 - point, '.');
            if let Some(number) = double(text.as_bytes()) {
                prop_assert_eq!(digits(&text), digits(&format!("{number}")));
            }
        }
    }
}

use serde_json::Value;

use crate::emulator::table::{Cell, Kind};

/// A JSON value as a field of this type holds it; none where it does not fit.
pub(in crate::emulator) fn from_json(kind: Kind, value: &Value) -> Option<Cell> {
    match (kind, value) {
        (_, Value::Null) => Some(Cell::Null),
        (Kind::Address, value) => Some(Cell::Json(value.to_string())),
        (Kind::Bool, Value::Bool(value)) => Some(Cell::Bool(*value)),
        (Kind::Int, Value::Number(number)) => number.as_i64().map(Cell::Int),
        (Kind::Double | Kind::Currency, Value::Number(number)) => number.as_f64().map(Cell::Real),
        (kind, Value::String(text)) => from_text(kind, text),
        _ => None,
    }
}

/// A text as a field of this type holds it: nothing is null. None where it does not fit.
pub(in crate::emulator) fn from_text(kind: Kind, text: &str) -> Option<Cell> {
    if text.is_empty() {
        return Some(Cell::Null);
    }
    let length = kind.names().2 as usize;
    match kind {
        Kind::Id | Kind::Reference(_) => {
            let fits =
                [15, 18].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            fits.then(|| Cell::text(text.to_string()))
        }
        Kind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(Cell::Bool(true)),
            "false" | "0" => Some(Cell::Bool(false)),
            _ => None,
        },
        Kind::Int => text.parse().ok().map(Cell::Int),
        Kind::Double | Kind::Currency => {
            text.parse().ok().filter(|real: &f64| real.is_finite()).map(Cell::Real)
        }
        Kind::DateTime => text.parse::<jiff::Timestamp>().ok().map(|at| Cell::Time(at.as_second())),
        Kind::Date => {
            let day: jiff::civil::Date = text.get(..10)?.parse().ok()?;
            let at = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
            Some(Cell::Date(at.as_second().div_euclid(86_400)))
        }
        Kind::Address => None,
        _ => (length == 0 || text.chars().count() <= length).then(|| Cell::text(text.to_string())),
    }
}

/// A value as a field shows it whose type was changed.
pub(super) fn cast(cell: Cell, kind: Kind) -> Cell {
    let fits = matches!(
        (kind, &cell),
        (_, Cell::Null)
            | (Kind::Bool, Cell::Bool(_))
            | (Kind::Int, Cell::Int(_))
            | (Kind::Double | Kind::Currency, Cell::Real(_) | Cell::Int(_))
            | (Kind::DateTime, Cell::Time(_))
            | (Kind::Date, Cell::Date(_))
    );
    if fits {
        return cell;
    }
    let text = match &cell {
        Cell::Text(text) => text.to_string(),
        Cell::Real(real) if kind == Kind::Int => (real.trunc() as i64).to_string(),
        other => {
            let mut out = vec![];
            other.write_csv(&mut out);
            String::from_utf8_lossy(&out).trim_matches('"').to_string()
        }
    };
    from_text(kind, &text).unwrap_or(Cell::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_taken_only_where_they_fit() {
        assert_eq!(from_json(Kind::Int, &json!(5)), Some(Cell::Int(5)));
        assert_eq!(from_json(Kind::Int, &json!(5.5)), None);
        assert_eq!(from_json(Kind::Text(3), &json!("abcd")), None);
        assert_eq!(from_text(Kind::Date, "1970-01-03"), Some(Cell::Date(2)));
        assert_eq!(from_text(Kind::DateTime, "1970-01-01T00:01:00.000Z"), Some(Cell::Time(60)));
        assert_eq!(from_text(Kind::Bool, "maybe"), None);
        assert_eq!(from_text(Kind::Double, ""), Some(Cell::Null));
        assert_eq!(cast(Cell::Int(7), Kind::Text(255)), Cell::text("7"));
        assert_eq!(cast(Cell::text("12"), Kind::Int), Cell::Int(12));
        assert_eq!(cast(Cell::Real(7.9), Kind::Int), Cell::Int(7));
    }
}

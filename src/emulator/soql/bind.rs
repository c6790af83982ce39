use std::sync::Arc;

use super::ast::{Filter, Literal, Name, Op, Order, Query, Select};
use super::bound::Bound;
use super::plan::{Answer, Plan};
use super::refusal::SoqlRefusal;
use crate::base::UnixSeconds;
use crate::emulator::table::{Cell, Kind, Table};

/// Where objects are found: by name, as one user sees them.
pub(in crate::emulator) type Objects<'a> = &'a dyn Fn(&str) -> Option<Arc<dyn Table>>;

/// The largest OFFSET. SOQL reference, "OFFSET".
const LARGEST_OFFSET: u64 = 2000;

/// Puts a query together with the table it asks; `now` is what `TODAY` goes by.
///
/// # Errors
///
/// `INVALID_TYPE`, `INVALID_FIELD`, `MALFORMED_QUERY` and their like.
pub(in crate::emulator) fn bind(
    text: &str,
    query: &Query,
    objects: Objects<'_>,
    all_rows: bool,
    now: UnixSeconds,
) -> Result<Plan, SoqlRefusal> {
    let table = objects(&query.object.text)
        .ok_or_else(|| SoqlRefusal::no_object(text, query.object.at, &query.object.text))?;
    let binder = Binder { text, table: &*table, objects, now };
    let answer = binder.answer(query)?;
    let filter = query.filter.as_ref().map(|filter| binder.filter(filter)).transpose()?;
    let order = query.order.iter().map(|order| binder.order(order)).collect::<Result<_, _>>()?;
    if query.offset > LARGEST_OFFSET {
        return Err(SoqlRefusal::new("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"));
    }
    Ok(Plan::new(table, answer, filter, order, query.offset, query.limit, all_rows))
}

struct Binder<'a> {
    text: &'a str,
    table: &'a dyn Table,
    objects: Objects<'a>,
    now: UnixSeconds,
}

impl Binder<'_> {
    fn field(&self, name: &Name) -> Result<usize, SoqlRefusal> {
        let entity = self.table.name();
        let bare = name
            .text
            .get(..entity.len() + 1)
            .filter(|start| start.ends_with('.') && start[..entity.len()].eq_ignore_ascii_case(entity));
        let wanted = bare.map_or(name.text.as_str(), |start| &name.text[start.len()..]);
        self.table
            .fields()
            .iter()
            .position(|field| field.name.eq_ignore_ascii_case(wanted))
            .ok_or_else(|| SoqlRefusal::no_column(self.text, name.at, wanted, entity))
    }

    fn answer(&self, query: &Query) -> Result<Answer, SoqlRefusal> {
        match &query.select {
            Select::Count => Ok(Answer::Count),
            Select::CountOf(field) => self.field(field).map(Answer::CountOf),
            Select::AllFields { .. } if query.limit.is_none_or(|limit| limit > 200) => Err(SoqlRefusal::new(
                "MALFORMED_QUERY",
                "The SOQL FIELDS function must have a LIMIT of at most 200",
            )),
            Select::AllFields { standard } => {
                let is_wanted = |name: &str| !(name.contains('.') || (*standard && name.ends_with("__c")));
                let fields = self.table.fields().iter().enumerate();
                Ok(Answer::Rows(
                    fields.filter(|(_, field)| is_wanted(field.name)).map(|(at, _)| at).collect(),
                ))
            }
            Select::Fields(names) => {
                let mut fields = vec![];
                for name in names {
                    let field = self.field(name)?;
                    if fields.contains(&field) {
                        let says = format!("duplicate field selected: {}", name.text);
                        return Err(SoqlRefusal::malformed(self.text, name.at, &says));
                    }
                    fields.push(field);
                }
                Ok(Answer::Rows(fields))
            }
        }
    }

    fn order(&self, order: &Order) -> Result<(usize, bool, bool), SoqlRefusal> {
        let field = self.field(&order.field)?;
        match self.table.fields()[field].kind {
            Kind::LongText | Kind::Address | Kind::Base64 => {
                let says = format!("field '{}' can not be sorted in a query call", order.field.text);
                Err(SoqlRefusal::new("INVALID_FIELD", says))
            }
            _ => Ok((field, order.descending, order.nulls_last)),
        }
    }

    fn filter(&self, filter: &Filter) -> Result<Bound, SoqlRefusal> {
        let all =
            |parts: &[Filter]| parts.iter().map(|part| self.filter(part)).collect::<Result<Vec<_>, _>>();
        Ok(match filter {
            Filter::And(parts) => Bound::And(all(parts)?),
            Filter::Or(parts) => Bound::Or(all(parts)?),
            Filter::Not(part) => Bound::Not(Box::new(self.filter(part)?)),
            Filter::Compare { field, op, value } => self.compare(field, *op, value)?,
            Filter::In { field, negated, values } => {
                let at = self.filterable(field)?;
                let values =
                    values.iter().map(|value| self.value(field, at, value)).collect::<Result<_, _>>()?;
                negate(*negated, Bound::In { field: at, values })
            }
            Filter::InQuery { field, negated, query } => {
                let at = self.filterable(field)?;
                let plan = bind(self.text, query, self.objects, false, self.now)?;
                negate(*negated, Bound::In { field: at, values: plan.first_column() })
            }
        })
    }

    fn filterable(&self, name: &Name) -> Result<usize, SoqlRefusal> {
        let at = self.field(name)?;
        if self.table.fields()[at].filterable {
            return Ok(at);
        }
        let says = format!("field '{}' can not be filtered in a query call", name.text);
        Err(SoqlRefusal::new("INVALID_FIELD", says))
    }

    fn compare(&self, name: &Name, op: Op, value: &Literal) -> Result<Bound, SoqlRefusal> {
        let field = self.filterable(name)?;
        let kind = self.table.fields()[field].kind;
        if op == Op::Like && (kind.is_id() || kind.names().1 != "xsd:string") {
            let says = format!("invalid operator on {} field", kind.names().0);
            return Err(SoqlRefusal::new("INVALID_QUERY_FILTER_OPERATOR", says));
        }
        if let Literal::Days { back, span } = value {
            return self.days(name, field, op, *back, *span);
        }
        Ok(Bound::Compare { field, op, value: self.value(name, field, value)? })
    }

    /// A day or a run of days: equal means in it, less means before it, greater means after it.
    fn days(&self, name: &Name, field: usize, op: Op, back: i64, span: i64) -> Result<Bound, SoqlRefusal> {
        let first = self.now.get().div_euclid(86_400) - back;
        let cell = |day: i64| match self.table.fields()[field].kind {
            Kind::DateTime => Ok(Cell::Time(day * 86_400)),
            Kind::Date => Ok(Cell::Date(day)),
            kind => Err(self.wrong_type(name, kind)),
        };
        let (start, end) = (cell(first)?, cell(first + span)?);
        let from = |value| Bound::Compare { field, op: Op::GreaterOrEqual, value };
        let before = |value| Bound::Compare { field, op: Op::Less, value };
        Ok(match op {
            Op::Less => before(start),
            Op::LessOrEqual => before(end),
            Op::Greater => from(end),
            Op::GreaterOrEqual => from(start),
            Op::NotEqual => Bound::Not(Box::new(Bound::And(vec![from(start), before(end)]))),
            _ => Bound::And(vec![from(start), before(end)]),
        })
    }

    fn value(&self, name: &Name, field: usize, value: &Literal) -> Result<Cell, SoqlRefusal> {
        let kind = self.table.fields()[field].kind;
        Ok(match (kind, value) {
            (_, Literal::Null) => Cell::Null,
            (Kind::Bool, Literal::Bool(value)) => Cell::Bool(*value),
            (Kind::Int | Kind::Double | Kind::Currency, Literal::Number(value)) => Cell::Real(*value),
            (Kind::DateTime, Literal::Time(at)) => Cell::Time(*at),
            (Kind::DateTime, Literal::Date(day)) => Cell::Time(day * 86_400),
            (Kind::Date, Literal::Date(day)) => Cell::Date(*day),
            (kind, Literal::Text(text)) if kind.is_id() => {
                let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if !plain || ![15, 18].contains(&text.len()) {
                    let says = format!("invalid ID field: {}", crate::base::printable(text, 40));
                    return Err(SoqlRefusal::new("INVALID_QUERY_FILTER_OPERATOR", says));
                }
                Cell::text(text.clone())
            }
            (kind, Literal::Text(text)) if kind.names().1 == "xsd:string" => Cell::text(text.clone()),
            (kind, _) => return Err(self.wrong_type(name, kind)),
        })
    }

    fn wrong_type(&self, name: &Name, kind: Kind) -> SoqlRefusal {
        let quotes = match kind.names().1 {
            "xsd:string" | "tns:ID" => "should be enclosed in quotes",
            _ => "should not be enclosed in quotes",
        };
        let type_name = if kind == Kind::DateTime { "dateTime" } else { kind.names().0 };
        let field = &name.text;
        let says =
            format!("value of filter criterion for field '{field}' must be of type {type_name} and {quotes}");
        SoqlRefusal::new(
            "INVALID_FIELD",
            format!("\n{}\nERROR at Row:1:Column:{}\n{says}", self.text, name.at + 1),
        )
    }
}

fn negate(negated: bool, bound: Bound) -> Bound {
    if negated { Bound::Not(Box::new(bound)) } else { bound }
}

use std::borrow::Cow;

use super::bulk::quote;
use super::moments::{write_date, write_time};

/// One value of one row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    Text(Cow<'static, str>),
    /// Seconds since 1970, UTC; shown as `2026-01-02T03:04:05.000+0000`.
    Time(i64),
    /// Days since 1970; shown as `2026-01-02`.
    Date(i64),
    /// A value with parts, as JSON text.
    Json(String),
}

impl Cell {
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Cell::Text(text.into())
    }

    pub fn maybe(text: Option<&str>) -> Self {
        text.map_or(Cell::Null, |text| Cell::Text(text.to_string().into()))
    }

    /// Writes the value as JSON.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Cell::Null => out.push_str("null"),
            Cell::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Cell::Int(value) => out.push_str(&value.to_string()),
            Cell::Real(value) => out.push_str(&serde_json::to_string(value).unwrap_or_default()),
            Cell::Text(text) => out.push_str(&serde_json::to_string(text).unwrap_or_default()),
            Cell::Time(seconds) => {
                out.push('"');
                out.push_str(&show_time(*seconds));
                out.push('"');
            }
            Cell::Date(days) => {
                let mut text = vec![];
                write_date(*days, &mut text);
                out.push('"');
                out.push_str(&String::from_utf8_lossy(&text));
                out.push('"');
            }
            Cell::Json(text) => out.push_str(text),
        }
    }

    /// Writes the value as Bulk API 2.0 does: always in quotes, null as nothing, datetimes with `Z`.
    pub fn write_csv(&self, out: &mut Vec<u8>) {
        if let Cell::Text(text) = self {
            return quote(text, out);
        }
        out.push(b'"');
        match self {
            Cell::Null | Cell::Text(_) | Cell::Json(_) => {}
            Cell::Bool(value) => out.extend(if *value { &b"true"[..] } else { b"false" }),
            Cell::Int(value) => out.extend(value.to_string().as_bytes()),
            Cell::Real(value) => out.extend(serde_json::to_string(value).unwrap_or_default().as_bytes()),
            Cell::Time(seconds) => write_time(*seconds, "Z", out),
            Cell::Date(days) => write_date(*days, out),
        }
        out.push(b'"');
    }
}

/// Datetimes as REST answers them: milliseconds and `+0000`.
pub(super) fn show_time(seconds: i64) -> String {
    let mut out = vec![];
    write_time(seconds, "+0000", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// What a field holds, as describe names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Reference(&'static str),
    Text(u32),
    LongText,
    Email,
    Phone,
    Url,
    Picklist,
    Bool,
    Int,
    Double,
    Currency,
    DateTime,
    Date,
    /// A compound field: several other fields in one.
    Address,
    /// A file's content; REST shows where it is.
    Base64,
}

impl Kind {
    /// The type's name, its SOAP type and its length in characters.
    pub fn names(self) -> (&'static str, &'static str, u32) {
        match self {
            Kind::Id => ("id", "tns:ID", 18),
            Kind::Reference(_) => ("reference", "tns:ID", 18),
            Kind::Text(length) => ("string", "xsd:string", length),
            Kind::LongText => ("textarea", "xsd:string", 32_000),
            Kind::Email => ("email", "xsd:string", 80),
            Kind::Phone => ("phone", "xsd:string", 40),
            Kind::Url => ("url", "xsd:string", 255),
            Kind::Picklist => ("picklist", "xsd:string", 255),
            Kind::Bool => ("boolean", "xsd:boolean", 0),
            Kind::Int => ("int", "xsd:int", 0),
            Kind::Double => ("double", "xsd:double", 0),
            Kind::Currency => ("currency", "xsd:double", 0),
            Kind::DateTime => ("datetime", "xsd:dateTime", 0),
            Kind::Date => ("date", "xsd:date", 0),
            Kind::Address => ("address", "urn:address", 0),
            Kind::Base64 => ("base64", "xsd:base64Binary", 0),
        }
    }

    pub fn is_id(self) -> bool {
        matches!(self, Kind::Id | Kind::Reference(_))
    }
}

/// A column. A name with a dot reaches over a relationship and is not described.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub filterable: bool,
    /// A row cannot be made without it.
    pub required: bool,
    /// An external id: unique, and what upserts may go by.
    pub external_id: bool,
    /// The compound field that this one is a part of.
    pub compound: Option<&'static str>,
}

impl Field {
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        let filterable = !matches!(kind, Kind::LongText | Kind::Address | Kind::Base64);
        Self { name, kind, filterable, required: false, external_id: false, compound: None }
    }

    /// A column that WHERE cannot name.
    pub const fn unfilterable(name: &'static str, kind: Kind) -> Self {
        Self { filterable: false, ..Self::new(name, kind) }
    }

    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub const fn external_id(self) -> Self {
        Self { external_id: true, ..self }
    }

    pub const fn part_of(self, compound: &'static str) -> Self {
        Self { compound: Some(compound), ..self }
    }

    /// Whether the org alone sets it.
    pub fn is_system(&self) -> bool {
        const SYSTEM: [&str; 5] = ["Id", "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp"];
        SYSTEM.contains(&self.name) || matches!(self.kind, Kind::Address)
    }
}

/// An object as a table of rows that need not exist until they are looked at.
pub(super) trait Table: Send + Sync {
    fn name(&self) -> &'static str;
    fn key_prefix(&self) -> Option<&'static str>;
    fn fields(&self) -> &[Field];
    fn len(&self) -> u64;
    fn cell(&self, row: u64, field: usize) -> Cell;

    /// Whether the row lies in the recycle bin, which only queryAll looks into.
    fn is_deleted(&self, _row: u64) -> bool {
        false
    }

    /// Whether the row is there at all for the one who asks: not purged, and not another's.
    fn exists(&self, _row: u64) -> bool {
        true
    }

    /// How many rows before `row` are not deleted, where the table can say without counting.
    fn live_before(&self, _row: u64) -> Option<u64> {
        None
    }

    /// How many rows before `row` a query finds, changed ones taken as they were at first, where that is known
    /// without counting.
    fn settled_before(&self, row: u64, all_rows: bool) -> Option<u64> {
        if all_rows { Some(row) } else { self.live_before(row) }
    }

    /// Whether [`settled_before`](Self::settled_before) counts this row.
    fn settled_holds(&self, row: u64, all_rows: bool) -> bool {
        all_rows || !self.is_deleted(row)
    }

    /// The rows that stand as they were at first, but for the touched ones: those before this one.
    fn settled_len(&self) -> u64 {
        self.len()
    }

    /// A value as it was at first.
    fn settled(&self, row: u64, field: usize) -> Cell {
        self.cell(row, field)
    }

    /// The rows that were changed or added since the org began, in order.
    fn touched(&self) -> Vec<u64> {
        vec![]
    }

    fn is_touched(&self, _row: u64) -> bool {
        false
    }

    /// Fields whose values at first never fall from one row to the next.
    fn rising(&self) -> &[&'static str] {
        &[]
    }

    /// The row with this id, 15 or 18 characters.
    fn find(&self, id: &str) -> Option<u64> {
        let at = self.fields().iter().position(|field| field.name == "Id")?;
        (0..self.len()).find(|row| match self.cell(*row, at) {
            Cell::Text(own) => same_id(&own, id),
            _ => false,
        })
    }
}

/// Whether two ids of 15 or 18 characters name the same record.
pub(super) fn same_id(one: &str, other: &str) -> bool {
    [15, 18].contains(&other.len()) && one.get(..15) == other.get(..15)
}

/// A table whose rows are held, for what the org's state makes.
pub(super) struct Rows {
    pub name: &'static str,
    pub key_prefix: Option<&'static str>,
    pub fields: &'static [Field],
    pub rows: Vec<Vec<Cell>>,
}

impl Table for Rows {
    fn name(&self) -> &'static str {
        self.name
    }

    fn key_prefix(&self) -> Option<&'static str> {
        self.key_prefix
    }

    fn fields(&self) -> &[Field] {
        self.fields
    }

    fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    fn cell(&self, row: u64, field: usize) -> Cell {
        self.rows.get(row as usize).and_then(|cells| cells.get(field)).cloned().unwrap_or(Cell::Null)
    }
}

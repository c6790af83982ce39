use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::object::ObjectView;
use super::overlay::{Change, Fate, Overlay};
use super::values::from_json;
use crate::base::UnixSeconds;
use crate::emulator::state::AdminMistake;
use crate::emulator::table::{Cell, Table};

/// A change of an object's rows, as if by somebody else than the one who reads them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mutation {
    /// The object: `Account`, `Contact` or `Attachment`.
    pub object: String,
    /// What is done.
    pub deed: Deed,
    /// Rows by their ids.
    pub ids: Vec<String>,
    /// Rows by their numbers, the first included, the last not; deleted ones count too.
    pub rows: Option<(u64, u64)>,
    /// The first so many rows that are not deleted.
    pub first: Option<u64>,
    /// Rows by a SOQL condition.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// How many rows are added; 1 where nothing is said.
    pub count: Option<u64>,
    /// Values by field. `OwnerId` and the time stamps may be among them.
    pub values: Map<String, Value>,
    /// What `SystemModstamp` and `LastModifiedDate` say afterwards.
    pub stamp: Stamp,
}

/// What is done to rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Rows are added behind the others.
    Insert,
    /// Values change; without values only the stamp, as a touch does.
    #[default]
    Update,
    /// Rows go to the recycle bin.
    Delete,
    /// Rows come back from it.
    Undelete,
    /// Rows are gone for good, wherever they were.
    Purge,
}

/// Which rows a mutation is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Which {
    /// These ids.
    Ids(Vec<String>),
    /// These row numbers, the first included, the last not.
    Rows(u64, u64),
    /// The first so many that are not deleted.
    First(u64),
    /// Those for which a SOQL condition holds.
    Where(String),
}

/// What the time stamps of changed rows say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp {
    /// The org's time of the change.
    #[default]
    Now,
    /// What they said before: so do formula fields change.
    Keep,
    /// This time: a row that was committed late bears one that is past.
    At(UnixSeconds),
}

impl Serialize for Stamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Stamp::Now => serializer.serialize_str("now"),
            Stamp::Keep => serializer.serialize_str("keep"),
            Stamp::At(at) => serializer.collect_str(at),
        }
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "now" => Ok(Stamp::Now),
            "keep" => Ok(Stamp::Keep),
            time => time.parse().map(Stamp::At).map_err(serde::de::Error::custom),
        }
    }
}

/// What a mutation did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mutated {
    /// How many rows it changed.
    pub count: u64,
    /// Their ids, the first 1,000 of them.
    pub ids: Vec<String>,
}

/// How many ids are told.
const TOLD: usize = 1000;

impl Mutation {
    /// A deed on some rows, stamped with the org's time.
    pub fn new(object: &str, deed: Deed, which: Which) -> Self {
        let mutation = Self { object: object.into(), deed, ..Self::default() };
        match which {
            Which::Ids(ids) => Self { ids, ..mutation },
            Which::Rows(from, to) => Self { rows: Some((from, to)), ..mutation },
            Which::First(first) => Self { first: Some(first), ..mutation },
            Which::Where(condition) => Self { condition: Some(condition), ..mutation },
        }
    }

    /// The same with these values, a JSON object.
    pub fn with(self, values: Value) -> Self {
        match values {
            Value::Object(values) => Self { values, ..self },
            _ => self,
        }
    }

    /// The same with these time stamps.
    pub fn stamped(self, stamp: Stamp) -> Self {
        Self { stamp, ..self }
    }
}

/// Does a deed on `rows` of an object, as `view` shows them now. `owner` owns what is added.
pub(in crate::emulator) fn change(
    overlay: &mut Overlay,
    view: &ObjectView,
    mutation: &Mutation,
    rows: &[u64],
    owner: &str,
    now: i64,
) -> Result<Mutated, AdminMistake> {
    let values = cells(view, &mutation.values)?;
    let stamp = match mutation.stamp {
        Stamp::Now => Some(now),
        Stamp::Keep => None,
        Stamp::At(at) => Some(at.get()),
    };
    let mut done = Mutated::default();
    let mut told = |row: u64| {
        done.count += 1;
        if done.ids.len() < TOLD {
            done.ids.push(crate::emulator::ids::record_id(view.key_prefix().unwrap_or_default(), row + 1));
        }
    };
    if mutation.deed == Deed::Insert {
        for _ in 0..mutation.count.unwrap_or(1) {
            told(overlay.add(view.settled_len(), added(&values, owner, stamp.unwrap_or(now))));
        }
        return Ok(done);
    }
    let stamped = |change: &mut Change| {
        for (name, cell) in &values {
            change.set(name, cell.clone());
        }
        if let Some(stamp) = stamp {
            change.set("LastModifiedDate", Cell::Time(stamp));
            change.set("SystemModstamp", Cell::Time(stamp));
        }
    };
    let mut alike = Change { cells: vec![], fate: Fate::Live };
    stamped(&mut alike);
    let alike = Arc::new(alike);
    for row in rows.iter().copied() {
        let is_deleted = view.is_deleted(row);
        let fits = match mutation.deed {
            Deed::Update | Deed::Delete => !is_deleted,
            Deed::Undelete => is_deleted,
            _ => true,
        };
        if !fits || !view.exists(row) {
            continue;
        }
        told(row);
        if mutation.deed == Deed::Update && overlay.change_alike(row, &alike) {
            continue;
        }
        overlay.change(row, Fate::Live, |change| {
            match mutation.deed {
                Deed::Delete => change.fate = Fate::Deleted(stamp.unwrap_or(now)),
                Deed::Purge => change.fate = Fate::Purged(stamp.unwrap_or(now)),
                Deed::Undelete => change.fate = Fate::Live,
                _ => {}
            }
            stamped(change);
        });
    }
    Ok(done)
}

/// A new row.
pub(in crate::emulator) fn added(values: &[(&'static str, Cell)], owner: &str, stamp: i64) -> Change {
    let mut change = Change { cells: vec![], fate: Fate::Live };
    change.set("OwnerId", Cell::text(owner.to_string()));
    for name in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
        change.set(name, Cell::Time(stamp));
    }
    for (name, cell) in values {
        change.set(name, cell.clone());
    }
    change
}

fn cells(view: &ObjectView, values: &Map<String, Value>) -> Result<Vec<(&'static str, Cell)>, AdminMistake> {
    let one = |(name, value): (&String, &Value)| {
        let field = view
            .fields()
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| AdminMistake::Unknown("field", format!("{}.{name}", view.name())))?;
        from_json(field.kind, value)
            .map(|cell| (field.name, cell))
            .ok_or_else(|| AdminMistake::Value(field.name.to_string()))
    };
    values.iter().map(one).collect()
}

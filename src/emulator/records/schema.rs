use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::emulator::table::{Cell, Field, Kind};

/// A field to be added to an object, or one to be given another type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldConfig {
    /// The API name.
    pub name: String,
    /// The type, as describe names it: `string`, `int`, `double`, `currency`, `boolean`, `datetime`, `date`,
    /// `textarea`, `picklist`, `email`, `phone`, `url`, `address`, `base64`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What every row holds in it that says nothing else.
    pub value: serde_json::Value,
}

/// How an object's fields differ from what they were at first.
#[derive(Clone, Debug, Default)]
pub(in crate::emulator) struct Schema {
    pub added: Vec<(Field, Cell)>,
    pub removed: Vec<&'static str>,
    pub retyped: Vec<(&'static str, Kind)>,
}

/// The type that describe calls so.
pub(in crate::emulator) fn kind_named(name: &str) -> Option<Kind> {
    const KINDS: [Kind; 14] = [
        Kind::Text(255),
        Kind::LongText,
        Kind::Email,
        Kind::Phone,
        Kind::Url,
        Kind::Picklist,
        Kind::Bool,
        Kind::Int,
        Kind::Double,
        Kind::Currency,
        Kind::DateTime,
        Kind::Date,
        Kind::Address,
        Kind::Base64,
    ];
    KINDS.into_iter().find(|kind| kind.names().0 == name)
}

impl Schema {
    /// Adds a field; one of that name that was there before is replaced.
    pub fn add(&mut self, field: Field, value: Cell) {
        self.remove(field.name);
        self.removed.retain(|name| *name != field.name);
        self.added.push((field, value));
    }

    pub fn remove(&mut self, name: &'static str) {
        self.added.retain(|(field, _)| field.name != name);
        self.retyped.retain(|(own, _)| *own != name);
        if !self.removed.contains(&name) {
            self.removed.push(name);
        }
    }

    pub fn retype(&mut self, name: &'static str, kind: Kind) {
        match self.added.iter_mut().find(|(field, _)| field.name == name) {
            Some((field, _)) => field.kind = kind,
            None => {
                self.retyped.retain(|(own, _)| *own != name);
                self.retyped.push((name, kind));
            }
        }
    }
}

/// A name that lives as long as the process. Each is kept once, so that tests that add fields do not pile them up.
pub(in crate::emulator) fn lasting(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let names = &mut *NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = String::from(name).leak();
    names.insert(kept);
    kept
}

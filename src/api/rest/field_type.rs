use std::fmt;

use serde::{Deserialize, Serialize};

/// What a field holds, as describe names it.
///
/// # Source
///
/// SOAP API guide, "Field Types"; `FieldType` of the describe call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum FieldType {
    /// `id`: the row's own.
    Id,
    /// `reference`: the id of another row.
    Reference,
    /// `string`.
    Text,
    /// `textarea`.
    LongText,
    /// `picklist`.
    Picklist,
    /// `multipicklist`: values with semicolons between them.
    MultiPicklist,
    /// `combobox`.
    Combobox,
    /// `email`.
    Email,
    /// `phone`.
    Phone,
    /// `url`.
    Url,
    /// `encryptedstring`: masked for users who may not see it.
    EncryptedText,
    /// `boolean`.
    Boolean,
    /// `int`.
    Integer,
    /// `long`.
    Long,
    /// `double`; decimal digits, whatever it is called.
    Decimal,
    /// `currency`.
    Currency,
    /// `percent`.
    Percent,
    /// `date`.
    Date,
    /// `datetime`: with a zone.
    DateTime,
    /// `time`: of no day.
    Time,
    /// `base64`: a file; Bulk gives none.
    Base64,
    /// `address`: compound; Bulk gives none, its parts are fields of their own.
    Address,
    /// `location`: compound, as `address` is.
    Location,
    /// `complexvalue`: compound.
    Complex,
    /// `anyType`: what the row holds decides.
    Any,
    /// A type that this release does not know; its values are taken as text.
    Other(String),
}

const NAMES: [(&str, FieldType); 25] = [
    ("id", FieldType::Id),
    ("reference", FieldType::Reference),
    ("string", FieldType::Text),
    ("textarea", FieldType::LongText),
    ("picklist", FieldType::Picklist),
    ("multipicklist", FieldType::MultiPicklist),
    ("combobox", FieldType::Combobox),
    ("email", FieldType::Email),
    ("phone", FieldType::Phone),
    ("url", FieldType::Url),
    ("encryptedstring", FieldType::EncryptedText),
    ("boolean", FieldType::Boolean),
    ("int", FieldType::Integer),
    ("long", FieldType::Long),
    ("double", FieldType::Decimal),
    ("currency", FieldType::Currency),
    ("percent", FieldType::Percent),
    ("date", FieldType::Date),
    ("datetime", FieldType::DateTime),
    ("time", FieldType::Time),
    ("base64", FieldType::Base64),
    ("address", FieldType::Address),
    ("location", FieldType::Location),
    ("complexvalue", FieldType::Complex),
    ("anyType", FieldType::Any),
];

impl FieldType {
    /// Salesforce's name of it.
    pub fn as_str(&self) -> &str {
        match self {
            FieldType::Other(name) => name,
            known => NAMES.iter().find(|(_, kind)| kind == known).map_or("", |(name, _)| name),
        }
    }

    /// Whether it is made of other fields: Bulk refuses it, and its parts are there by themselves.
    pub fn is_compound(&self) -> bool {
        matches!(self, FieldType::Address | FieldType::Location | FieldType::Complex)
    }
}

impl From<String> for FieldType {
    fn from(name: String) -> Self {
        let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        known.map_or_else(|| FieldType::Other(crate::base::printable(&name, 40)), |(_, kind)| kind.clone())
    }
}

impl From<FieldType> for String {
    fn from(kind: FieldType) -> Self {
        kind.as_str().to_string()
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_back_as_it_is_written() {
        for (name, kind) in NAMES {
            assert_eq!((FieldType::from(name.to_string()), kind.as_str()), (kind.clone(), name));
        }
        let new = FieldType::from("hologram".to_string());
        assert_eq!((new.as_str(), new.is_compound()), ("hologram", false));
    }
}

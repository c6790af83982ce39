use super::Soql;
use crate::base::{FieldName, ObjectName};

/// What a job reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An object, and of it all fields that the user may read or those that are named.
    Object {
        /// Its API name.
        object: ObjectName,
        /// The fields to read; none named, all readable ones.
        fields: Option<Vec<FieldName>>,
        /// Fields to leave out.
        exclude: Vec<FieldName>,
        /// A condition in SOQL, without the word WHERE.
        filter: Option<String>,
    },
    /// A query.
    Soql(Soql),
}

impl Source {
    /// All readable fields of `object`.
    pub fn object(object: ObjectName) -> Self {
        Self::Object { object, fields: None, exclude: vec![], filter: None }
    }

    /// The object that rows come from, and that the destination names them by.
    pub fn object_name(&self) -> &ObjectName {
        match self {
            Self::Object { object, .. } => object,
            Self::Soql(soql) => soql.object(),
        }
    }

    /// The condition that rows must meet, without the word WHERE.
    pub fn filter(&self) -> Option<&str> {
        match self {
            Self::Object { filter, .. } => filter.as_deref(),
            Self::Soql(soql) => soql.condition(),
        }
    }
}

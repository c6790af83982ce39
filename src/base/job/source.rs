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
    /// A query as it is written.
    Soql {
        /// The query.
        soql: String,
        /// The object behind FROM.
        object: ObjectName,
    },
}

impl Source {
    /// All readable fields of `object`.
    pub fn object(object: ObjectName) -> Self {
        Self::Object { object, fields: None, exclude: vec![], filter: None }
    }

    /// The object that rows come from, and that the destination names them by.
    pub fn object_name(&self) -> &ObjectName {
        match self {
            Self::Object { object, .. } | Self::Soql { object, .. } => object,
        }
    }
}

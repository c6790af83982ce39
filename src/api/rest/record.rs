use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One row of a query, its columns in the order of the SELECT.
///
/// A parent's fields are an object below the relationship's name, children an object with `records`.
/// `attributes` (type and URL), which nobody selected, are taken out on every level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Record(Map<String, Value>);

impl Record {
    /// A row from what Salesforce sent.
    pub fn new(mut fields: Map<String, Value>) -> Self {
        strip(&mut fields);
        Self(fields)
    }

    /// Its columns and values, in order.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The row as JSON.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// A column's value; `Owner.Name` looks below `Owner`, names fold case as SOQL does.
    ///
    /// `None` where there is no such column, or a parent on the way is null.
    pub fn get(&self, path: &str) -> Option<&Value> {
        let mut at: Option<&Value> = None;
        for name in path.split('.') {
            let fields = match at {
                None => &self.0,
                Some(parent) => parent.as_object()?,
            };
            let found = fields.get(name);
            at = Some(found.or_else(|| {
                fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            })?);
        }
        at
    }

    /// A column's text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// A column's yes or no.
    pub fn flag(&self, path: &str) -> Option<bool> {
        self.get(path)?.as_bool()
    }
}

/// Takes `attributes` out of an object and everything below it; `shift_remove` keeps the order of the rest.
fn strip(fields: &mut Map<String, Value>) {
    fields.shift_remove("attributes");
    for value in fields.values_mut() {
        match value {
            Value::Object(fields) => strip(fields),
            Value::Array(all) => all.iter_mut().filter_map(Value::as_object_mut).for_each(strip),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: &str) -> Record {
        Record::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn columns_keep_the_order_of_the_select() {
        let row = record(
            r#"{"attributes":{"type":"Account"},"Zip":1,"Name":"b","Id":"001","Owner":{"attributes":{},"Z":1,"A":2},
                "Contacts":{"totalSize":1,"done":true,"records":[{"attributes":{},"Y":1,"B":2}]}}"#,
        );
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            r#"{"Zip":1,"Name":"b","Id":"001","Owner":{"Z":1,"A":2},"Contacts":{"totalSize":1,"done":true,"records":[{"Y":1,"B":2}]}}"#
        );
    }

    #[test]
    fn a_path_reaches_below_parents_and_folds_case() {
        let row = record(r#"{"Owner":{"Name":"x","Profile":{"ok":true}},"Gone":null}"#);
        assert_eq!(row.text("owner.NAME"), Some("x"));
        assert_eq!(row.flag("Owner.Profile.Ok"), Some(true));
        assert_eq!(
            (row.get("Gone.Name"), row.get("Missing"), row.get("Gone")),
            (None, None, Some(&Value::Null))
        );
    }
}

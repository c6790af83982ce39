use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::{ApiError, Client, Request};

use super::FieldType;

/// An object as this user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// Its name, spelled as the org does.
    pub name: String,
    /// Whether it can be queried.
    #[serde(default)]
    pub queryable: bool,
    /// Whether the org says which of its rows changed and were deleted.
    #[serde(default)]
    pub replicateable: bool,
    /// Whether this user may make rows of it.
    #[serde(default)]
    pub createable: bool,
    /// Whether this user may change them.
    #[serde(default)]
    pub updateable: bool,
    /// Whether this user may delete them.
    #[serde(default)]
    pub deletable: bool,
    /// Its fields, in the org's order. Those that field-level security hides are not there.
    pub fields: Vec<FieldDescription>,
}

impl Description {
    /// The field of that name; names fold case, as in SOQL.
    pub fn field(&self, name: &str) -> Option<&FieldDescription> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }
}

/// A field as this user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldDescription {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// The longest text. Characters; 0 where it is none.
    #[serde(default)]
    pub length: u32,
    /// Decimal digits in all; 0 where it is no number with decimals.
    #[serde(default)]
    pub precision: u32,
    /// Digits behind the point.
    #[serde(default)]
    pub scale: u32,
    /// Digits of a whole number.
    #[serde(default)]
    pub digits: u32,
    /// Whether it may be null.
    #[serde(default)]
    pub nillable: bool,
    /// The compound field it is a part of: `BillingAddress`.
    #[serde(default)]
    pub compound_field_name: Option<String>,
    /// A formula: it changes without its row's changing.
    #[serde(default)]
    pub calculated: bool,
    /// Whether a WHERE may name it.
    #[serde(default)]
    pub filterable: bool,
    /// Whether an ORDER BY may.
    #[serde(default)]
    pub sortable: bool,
    /// Whether this user may fill it in a new row.
    #[serde(default)]
    pub createable: bool,
    /// Whether this user may change it.
    #[serde(default)]
    pub updateable: bool,
    /// Whether an upsert may go by it.
    #[serde(default)]
    pub external_id: bool,
    /// Whether an upsert may go by it though it is no external id.
    #[serde(default)]
    pub id_lookup: bool,
    /// The name its parent goes by in a path: `Owner`.
    #[serde(default)]
    pub relationship_name: Option<String>,
    /// The objects a reference may point to.
    #[serde(default)]
    pub reference_to: Vec<String>,
}

/// What an object looks like to this user: its fields, their types, and what may be done with them.
///
/// Fields that field-level security hides are not in it.
///
/// # Errors
///
/// [`ApiError::NotFound`]: no such object, or none this user may see. Else those of [`Client::get`].
pub async fn describe(client: &Client, object: &str) -> Result<Description, ApiError> {
    client.whole(Request::get(path(client, object).await?)).await?.read()
}

/// The same with everything that Salesforce says of it.
///
/// # Errors
///
/// Those of [`describe`].
pub async fn describe_raw(client: &Client, object: &str) -> Result<Value, ApiError> {
    client.get(&path(client, object).await?).await
}

async fn path(client: &Client, object: &str) -> Result<String, ApiError> {
    let object: String = url::form_urlencoded::byte_serialize(object.as_bytes()).collect();
    client.data_path(&format!("sobjects/{object}/describe")).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_read_and_what_is_compound_is_known() {
        let described: Description = serde_json::from_str(
            r#"{"name":"Contact","queryable":true,"replicateable":true,"keyPrefix":"003","fields":[
                {"name":"Id","type":"id","length":18,"nillable":false,"filterable":true,"idLookup":true},
                {"name":"Name","type":"string","length":121,"compoundFieldName":"Name","extraTypeInfo":"personname"},
                {"name":"LastName","type":"string","length":80,"compoundFieldName":"Name"},
                {"name":"MailingAddress","type":"address","compoundFieldName":null,"queryByDistance":true},
                {"name":"MailingCity","type":"string","length":40,"compoundFieldName":"MailingAddress"},
                {"name":"Score__c","type":"double","precision":18,"scale":2,"calculated":true},
                {"name":"Spin__c","type":"hologram"}]}"#,
        )
        .unwrap();
        assert!(described.queryable && !described.createable);
        let compound: Vec<&str> = described
            .fields
            .iter()
            .filter(|field| field.kind.is_compound())
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(compound, ["MailingAddress"]);
        let score = described.field("score__C").unwrap();
        assert_eq!((score.precision, score.scale, score.calculated), (18, 2, true));
        assert_eq!(described.field("Spin__c").unwrap().kind, FieldType::Other("hologram".into()));
        assert_eq!(described.field("Nothing"), None);
    }
}

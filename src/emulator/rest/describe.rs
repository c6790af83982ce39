use serde_json::{Value, json};

use super::reply::Reply;
use crate::base::{ApiVersion, UnixSeconds};
use crate::emulator::clock::{http_date, parse_http_date};
use crate::emulator::records::Records;
use crate::emulator::table::{Field, Kind, Table};

fn summary(table: &dyn Table, version: ApiVersion) -> Value {
    let name = table.name();
    let writable = Records::name(name).is_some();
    let at = format!("/services/data/v{version}/sobjects/{name}");
    json!({
        "name": name, "label": name, "labelPlural": format!("{name}s"), "keyPrefix": table.key_prefix(),
        "custom": false, "customSetting": false, "queryable": true, "retrieveable": true, "searchable": false,
        "replicateable": true, "createable": writable, "updateable": writable, "deletable": writable, "undeletable": writable,
        "layoutable": false, "mergeable": false, "triggerable": false, "deprecatedAndHidden": false,
        "urls": { "sobject": at, "describe": format!("{at}/describe"), "rowTemplate": format!("{at}/{{ID}}") },
    })
}

/// `/sobjects`.
pub(super) fn list(tables: &[std::sync::Arc<dyn Table>], version: ApiVersion) -> Reply {
    let all: Vec<Value> = tables.iter().map(|table| summary(&**table, version)).collect();
    Reply::value(&json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": all }))
}

/// `/sobjects/X`.
pub(super) fn basics(table: &dyn Table, version: ApiVersion) -> Reply {
    Reply::value(&json!({ "objectDescribe": summary(table, version), "recentItems": [] }))
}

/// `/sobjects/X/describe`; 304 where the client's copy is new enough.
pub(super) fn describe(
    table: &dyn Table,
    version: ApiVersion,
    since: Option<&str>,
    shaped_at: UnixSeconds,
) -> Reply {
    let last = http_date(shaped_at);
    if since.and_then(parse_http_date).is_some_and(|since| since >= shaped_at) {
        return Reply::empty(304).header("last-modified", last);
    }
    let mut body = summary(table, version);
    let fields = table.fields().iter().filter(|field| !field.name.contains('.'));
    let writable = Records::name(table.name()).is_some();
    body["fields"] = fields.map(|field| describe_field(field, writable && !field.is_system())).collect();
    body["childRelationships"] = json!([]);
    body["recordTypeInfos"] = json!([]);
    Reply::value(&body).header("last-modified", last)
}

fn describe_field(field: &Field, writable: bool) -> Value {
    let (kind, soap, length) = field.kind.names();
    let (reference, relation) = match field.kind {
        Kind::Reference(target) => (vec![target], field.name.strip_suffix("Id")),
        _ => (vec![], None),
    };
    json!({
        "name": field.name, "label": field.name.replace("__c", "").replace('_', " "), "type": kind, "soapType": soap,
        "length": length, "byteLength": length * 3, "precision": if kind == "currency" { 18 } else { 0 },
        "scale": if kind == "currency" { 2 } else { 0 }, "digits": if kind == "int" { 8 } else { 0 },
        "nillable": !(field.required || matches!(field.kind, Kind::Id | Kind::Bool | Kind::DateTime)), "custom": field.name.ends_with("__c"),
        "filterable": field.filterable,
        "sortable": !matches!(field.kind, Kind::LongText | Kind::Address | Kind::Base64),
        "groupable": field.filterable && field.kind != Kind::DateTime,
        "createable": writable, "updateable": writable, "calculated": false, "unique": field.external_id, "externalId": field.external_id,
        "idLookup": field.kind == Kind::Id, "nameField": field.name == "Name", "autoNumber": false,
        "defaultedOnCreate": false, "deprecatedAndHidden": false, "encrypted": false, "picklistValues": [],
        "referenceTo": reference, "relationshipName": relation, "compoundFieldName": field.compound, "extraTypeInfo": null,
    })
}

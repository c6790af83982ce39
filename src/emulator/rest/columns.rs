use serde_json::{Value, json};

use super::reply::Reply;
use crate::emulator::soql::{Answer, Plan, related_object};
use crate::emulator::table::{Field, Kind};

/// `/query?q=...&columns=true`: the columns a query would answer with, and no rows. The Salesforce CLI asks so.
///
/// The parameter is not in the REST API guide. Names and nesting of the members are as the Salesforce CLI (plugin-data)
/// and other clients read them. Not verified against a real org: the values of `apexType`, `foreignKeyName`,
/// `displayName`, `insertable` and `updatable`, and all of the column that stands for a count.
pub(super) fn columns(plan: &Plan) -> Reply {
    let fields = plan.table.fields();
    let (columns, id_selected) = match &plan.answer {
        Answer::Rows(asked) => {
            let asked: Vec<&Field> = asked.iter().map(|at| &fields[*at]).collect();
            (nested(&asked), asked.iter().any(|field| field.name == "Id"))
        }
        Answer::Count => (vec![], false),
        Answer::CountOf(_) => (vec![count()], false),
    };
    Reply::value(&json!({
        "columnMetadata": columns, "entityName": plan.table.name(), "groupBy": false,
        "idSelected": id_selected, "keyPrefix": plan.table.key_prefix(),
    }))
}

/// Columns in the order they were asked for; those of one relationship in one, where the first of them stands.
fn nested(asked: &[&Field]) -> Vec<Value> {
    let mut done: Vec<&str> = vec![];
    let mut columns = vec![];
    for field in asked {
        match field.name.split_once('.') {
            None => columns.push(column(field, field.name)),
            Some((relation, _)) if !done.contains(&relation) => {
                done.push(relation);
                let joined = asked.iter().filter_map(|field| {
                    let (own, name) = field.name.split_once('.')?;
                    (own == relation).then(|| column(field, name))
                });
                columns.push(json!({
                    "aggregate": false, "apexType": related_object(relation), "booleanType": false,
                    "columnName": relation, "custom": false, "displayName": relation,
                    "foreignKeyName": format!("{relation}Id"), "insertable": false,
                    "joinColumns": joined.collect::<Vec<Value>>(), "numberType": false, "textType": false,
                    "updatable": false,
                }));
            }
            Some(_) => {}
        }
    }
    columns
}

fn column(field: &Field, name: &str) -> Value {
    let apex = match field.kind {
        Kind::Id | Kind::Reference(_) => "Id",
        Kind::Text(_) | Kind::LongText | Kind::Email | Kind::Phone | Kind::Url | Kind::Picklist => "String",
        Kind::Bool => "Boolean",
        Kind::Int => "Integer",
        Kind::Double => "Double",
        Kind::Currency => "Decimal",
        Kind::DateTime => "Datetime",
        Kind::Date => "Date",
        Kind::Address => "Address",
        Kind::Base64 => "Blob",
    };
    let is_number = ["Integer", "Double", "Decimal"].contains(&apex);
    let is_text = ["Id", "String"].contains(&apex);
    json!({
        "aggregate": false, "apexType": apex, "booleanType": apex == "Boolean", "columnName": name,
        "custom": name.ends_with("__c"), "displayName": name, "foreignKeyName": null, "insertable": false,
        "joinColumns": [], "numberType": is_number, "textType": is_text, "updatable": false,
    })
}

fn count() -> Value {
    json!({
        "aggregate": true, "apexType": "Integer", "booleanType": false, "columnName": "expr0", "custom": false,
        "displayName": "count", "foreignKeyName": null, "insertable": false, "joinColumns": [],
        "numberType": true, "textType": false, "updatable": false,
    })
}

use serde_json::{Map, Value, json};

use super::keys::{self, Key};

/// The JSON Schema of `sfmint.toml`, made from the table of keys that also checks it.
///
/// Editors complete and check a file by it. It cannot say everything: what is required may stand in
/// `[defaults]`, and what addresses and names must look like is for `sfmint config check`.
pub fn schema() -> Value {
    let secret = json!({
        "description": "Where a secret is; never the secret itself.",
        "type": "object",
        "properties": places(),
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
    });
    let mut key = places();
    key.insert("passphrase".into(), json!({ "$ref": "#/$defs/secret" }));
    let connection = properties(keys::CONNECTION);
    let mut defaults = properties(keys::GENERAL);
    defaults.extend(connection.clone());
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sfmint.toml",
        "description": "Connections and jobs of sfmint: Salesforce access tokens from a certificate, and syncs with them.",
        "type": "object",
        "properties": {
            "defaults": table("Any connection or job key, for all of them, and what belongs to none.", defaults),
            "connections": {
                "description": "One table a connection: [connections.NAME].",
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z0-9_-]{1,64}$" },
                "additionalProperties": { "$ref": "#/$defs/connection" },
            },
        },
        "additionalProperties": false,
        "$defs": {
            "connection": table("One org, one user, one app or two.", connection),
            "app": {
                "type": "object",
                "properties": properties(keys::APP),
                "required": ["name", "client_id", "key"],
                "additionalProperties": false,
            },
            "key": {
                "description": "Where the private key is, and what opens it.",
                "type": "object",
                "properties": key,
                "oneOf": [{ "required": ["file"] }, { "required": ["env"] }, { "required": ["command"] }],
                "additionalProperties": false,
            },
            "secret": secret,
        },
    });
    with_jobs(schema)
}

#[cfg(not(feature = "sync"))]
fn with_jobs(schema: Value) -> Value {
    schema
}

#[cfg(feature = "sync")]
fn with_jobs(mut schema: Value) -> Value {
    let job = properties(super::jobs::JOB);
    if let Some(defaults) = schema["properties"]["defaults"]["properties"].as_object_mut() {
        defaults.extend(job.clone());
    }
    schema["properties"]["jobs"] = json!({
        "description": "One table a job: [jobs.NAME].",
        "type": "object",
        "propertyNames": { "pattern": "^[A-Za-z0-9_-]{1,64}$" },
        "additionalProperties": { "$ref": "#/$defs/job" },
    });
    schema["$defs"]["job"] = table("What is synced, how far, where to and when.", job);
    schema
}

fn table(says: &str, properties: Map<String, Value>) -> Value {
    json!({ "description": says, "type": "object", "properties": properties, "additionalProperties": false })
}

fn properties<D>(keys: &[Key<D>]) -> Map<String, Value> {
    let one = |key: &Key<D>| {
        let mut schema = key.kind.schema();
        if let Some(object) = schema.as_object_mut() {
            let default = match key.default {
                "" | "none" => String::new(),
                default => format!(" Default: {default}."),
            };
            object.insert("description".into(), json!(format!("{}{default}", key.says)));
        }
        (key.name.to_string(), schema)
    };
    keys.iter().map(one).collect()
}

fn places() -> Map<String, Value> {
    let mut places = Map::new();
    places.insert("file".into(), json!({ "type": "string", "minLength": 1, "description": "A path; a relative one starts at the config file's folder." }));
    places.insert("env".into(), json!({ "type": "string", "pattern": "^[A-Za-z0-9_]{1,128}$", "description": "The name of an environment variable." }));
    places.insert("command".into(), json!({ "type": "array", "minItems": 1, "items": { "type": "string" }, "description": "A program that prints the secret, and its arguments; no shell." }));
    places
}

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
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sfmint.toml",
        "description": "Connections of sfmint: Salesforce access tokens from a certificate.",
        "type": "object",
        "properties": {
            "defaults": table("Any connection key, for all connections, and what belongs to none.", defaults),
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
    })
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

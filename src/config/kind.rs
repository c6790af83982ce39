use serde_json::{Value, json};

/// What may stand behind a key: the one source of what is checked, what the schema says and what people read.
#[derive(Debug)]
pub(super) enum Kind {
    /// A text; in words what it must be.
    Text { accepts: &'static str },
    /// A whole number within limits, both included.
    Number { min: u64, max: u64 },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of texts.
    Texts { accepts: &'static str },
    /// A path.
    Path,
    /// Where a secret is.
    Secret,
    /// Where a private key is, and what opens it.
    PrivateKey,
    /// An address, or the variable that holds it.
    Proxy,
    /// Two apps.
    Apps,
    /// Where facts are kept.
    Store,
    /// When something happens.
    #[cfg_attr(not(feature = "sync"), expect(dead_code, reason = "jobs have it"))]
    Schedule,
    /// Where rows land.
    #[cfg_attr(not(feature = "sync"), expect(dead_code, reason = "jobs have it"))]
    Destination,
}

impl Kind {
    /// What is accepted, in words that fit after "accepted is".
    pub fn accepts(&self) -> String {
        match self {
            Kind::Text { accepts } | Kind::Texts { accepts } => (*accepts).to_string(),
            Kind::Number { min, max } => format!("a whole number from {min} to {max}"),
            Kind::OneOf(words) => {
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
            }
            Kind::Path => "a path in quotes".into(),
            Kind::Secret => r#"{ env = "NAME" }, { file = "path" } or { command = ["prog", "arg"] }"#.into(),
            Kind::PrivateKey => {
                r#"{ file = "path" }, { env = "NAME" } or { command = ["prog", "arg"] }, with `passphrase` where it needs one"#.into()
            }
            Kind::Proxy => r#"an address such as "http://proxy.example:3128", or { env = "NAME" }"#.into(),
            Kind::Apps => {
                r#"a list of two: [{ name = "a", client_id = "...", key = {...}, certificate = "..." }, { name = "b", ... }]"#.into()
            }
            Kind::Store => r#"{ sqlite = "path" }"#.into(),
            Kind::Schedule => {
                r#"five cron fields such as "15 2 * * *", or "hourly", "daily", "weekly", "monthly", "yearly" or "never""#.into()
            }
            Kind::Destination => {
                r#"{ sqlite = "path" }, { csv = "folder" }, { jsonl = "folder" } or { stdout = "jsonl" }"#.into()
            }
        }
    }

    /// What is accepted, as JSON Schema.
    pub fn schema(&self) -> Value {
        match self {
            Kind::Text { .. } | Kind::Path | Kind::Schedule => json!({ "type": "string", "minLength": 1 }),
            Kind::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Kind::OneOf(words) => json!({ "enum": words }),
            Kind::Texts { .. } => {
                json!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } })
            }
            Kind::Secret => json!({ "$ref": "#/$defs/secret" }),
            Kind::PrivateKey => json!({ "$ref": "#/$defs/key" }),
            Kind::Proxy => json!({ "oneOf": [
                { "type": "string", "minLength": 1 },
                { "type": "object", "properties": { "env": { "type": "string" } }, "required": ["env"], "additionalProperties": false },
            ] }),
            Kind::Apps => {
                json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": { "$ref": "#/$defs/app" } })
            }
            Kind::Destination => {
                let path = json!({ "type": "string", "minLength": 1 });
                json!({
                    "type": "object",
                    "properties": { "sqlite": path, "csv": path, "jsonl": path, "stdout": { "enum": ["jsonl"] } },
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": false,
                })
            }
            Kind::Store => json!({
                "type": "object",
                "properties": { "sqlite": { "type": "string", "minLength": 1 } },
                "required": ["sqlite"],
                "additionalProperties": false,
            }),
        }
    }
}

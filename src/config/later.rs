/// Connection keys that the format has and this version has not.
pub(super) const CONNECTION: &[&str] = &["broker", "broker_key", "allow_refresh_token", "admin_connection"];

/// Kinds of private key that the format has and this version has not, and what goes with them.
pub(super) const KEY: &[&str] = &["pkcs12", "jks", "signer", "pkcs11", "kms", "alias", "pin"];

/// Job keys that the format has and this version has not.
#[cfg(feature = "sync")]
pub(super) const JOB: &[&str] = &["direction"];

/// Kinds of destination that the format has and this version has not, and what goes with them.
#[cfg(feature = "sync")]
pub(super) const DESTINATION: &[&str] = &["postgres", "parquet", "schema", "identifiers"];

/// Job keys, which `[defaults]` may hold and a build without syncs has no use for.
#[cfg(any(test, not(feature = "sync")))]
pub(super) const FOR_JOBS: &[&str] = &[
    "connection",
    "object",
    "soql",
    "fields",
    "exclude",
    "where",
    "mode",
    "schedule",
    "timezone",
    "jitter_seconds",
    "catch_up",
    "destination",
    "overlap_seconds",
    "settle_seconds",
    "deletes",
    "reconcile",
    "verify",
    "full_refresh",
    "max_delete_percent",
    "on_schema_change",
    "transport",
    "api_budget_percent",
    "nul",
];

/// Keys of the service, which `[defaults]` may hold once there is one.
pub(super) const SERVICE: &[&str] = &["socket_mode", "socket_group", "hosts"];

/// The sentence for all of them.
pub(super) fn refusal(name: &str) -> String {
    format!("`{name}` is not supported by this version of sfmint ({})", env!("CARGO_PKG_VERSION"))
}

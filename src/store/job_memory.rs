use serde::{Deserialize, Serialize};

use super::rfc3339;
use crate::base::{JobName, UnixSeconds};

/// The copy of a job's checkpoint. The one that counts is in the destination, committed with the rows it covers; where
/// they differ, the destination is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointCopy {
    /// The job.
    pub job: JobName,
    /// The checkpoint as JSON. Not screened: it holds no foreign text but names of fields, and must come back as it went.
    pub text: String,
    /// When it was copied, by this machine's clock.
    #[serde(serialize_with = "rfc3339::moment")]
    pub updated_at: UnixSeconds,
    /// The fencing epoch of the lease under which it was written.
    pub epoch: u64,
}

/// The fields that a job's object had when they were last taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// The job.
    pub job: JobName,
    /// The fields, in order.
    pub fields: Vec<BaselineField>,
    /// When that was, by this machine's clock.
    #[serde(serialize_with = "rfc3339::moment")]
    pub taken_at: UnixSeconds,
}

/// One field of a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineField {
    /// Its API name.
    pub name: String,
    /// Its type in words that can be compared, such as `string(255)` or `currency(18,2)`.
    #[serde(rename = "type")]
    pub kind: String,
}

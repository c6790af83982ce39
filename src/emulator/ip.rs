use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Addresses from `start` to `end`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IpRange {
    /// First address.
    pub start: IpAddr,
    /// Last address.
    pub end: IpAddr,
}

/// Whether `ip` is in one of `ranges`; any address is where there are none.
pub(super) fn allowed(ranges: &[IpRange], ip: IpAddr) -> bool {
    ranges.is_empty() || ranges.iter().any(|range| range.start <= ip && ip <= range.end)
}

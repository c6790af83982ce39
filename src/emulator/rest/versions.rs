use serde_json::{Value, json};

use super::reply::Reply;
use crate::base::ApiVersion;
use crate::emulator::rules::Rules;

/// The season a version came with: three a year, 66.0 is Spring '26.
fn label(version: u16) -> String {
    let season = ["Winter", "Spring", "Summer"][usize::from((version + 1) % 3)];
    // 65.0 is Winter '26, and each year has three.
    let year = 26 + (i32::from(version) - 65).div_euclid(3);
    format!("{season} '{year:02}")
}

/// `/services/data`: every version that is answered.
pub(super) fn list(rules: &Rules) -> Reply {
    let versions = (rules.oldest_api_version..=rules.newest_api_version).map(|version| {
        let url = format!("/services/data/v{version}.0");
        json!({ "label": label(version), "url": url, "version": format!("{version}.0") })
    });
    Reply::value(&Value::Array(versions.collect()))
}

/// The version a path names, or why it is not answered.
pub(super) fn check(segment: &str, rules: &Rules) -> Result<ApiVersion, Reply> {
    let version: ApiVersion = match segment.strip_prefix('v').map(str::parse) {
        Some(Ok(version)) => version,
        _ => return Err(Reply::not_found()),
    };
    if version.major() < rules.oldest_api_version {
        let says = format!("API version {version} is retired; use {}.0 or later", rules.oldest_api_version);
        return Err(Reply::refused(410, "UNSUPPORTED_API_VERSION", &says));
    }
    if version.major() > rules.newest_api_version {
        return Err(Reply::not_found());
    }
    Ok(version)
}

/// `/services/data/vXX.0`: what lies below it.
///
/// `identity` is the caller's identity URL, whole, as the REST API guide shows it; the rest are paths.
pub(super) fn resources(version: ApiVersion, identity: &str) -> Reply {
    let at = |name: &str| format!("/services/data/v{version}/{name}");
    Reply::value(&json!({
        "identity": identity, "jobs": at("jobs"), "limits": at("limits"), "query": at("query"), "queryAll": at("queryAll"), "sobjects": at("sobjects"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_bear_the_seasons_they_came_with() {
        for (version, says) in [
            (67, "Summer '26"),
            (66, "Spring '26"),
            (65, "Winter '26"),
            (68, "Winter '27"),
            (31, "Summer '14"),
        ] {
            assert_eq!(label(version), says);
        }
    }
}

use crate::base::ApiVersion;

use super::ApiError;

/// The version to speak, and how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The version.
    pub version: ApiVersion,
    /// Salesforce has announced its end ([`ApiVersion::OLDEST_LASTING`] is the first without one).
    pub deprecated: bool,
}

/// Chooses the API version: the pinned one if the org offers it, else the newest that both sides know.
///
/// | pinned | offered        | newest we know | answer                                   |
/// |--------|----------------|----------------|------------------------------------------|
/// | none   | 31 to 66       | 67             | 66                                       |
/// | none   | 31 to 68       | 67             | 67: a version nobody tested is not used  |
/// | 58     | 31 to 66       | 67             | 58                                       |
/// | 30     | 31 to 66       | 67             | an error                                 |
/// | none   | 68 to 70       | 67             | an error: this release is too old        |
///
/// # Errors
///
/// [`ApiError::VersionNotOffered`]. *Misuse*.
pub fn choose(pinned: Option<ApiVersion>, offered: &[ApiVersion]) -> Result<Chosen, ApiError> {
    let version = match pinned {
        Some(pinned) => offered.contains(&pinned).then_some(pinned),
        None => offered.iter().copied().filter(|version| *version <= ApiVersion::NEWEST_KNOWN).max(),
    };
    let Some(version) = version else {
        let offered = match (offered.iter().min(), offered.iter().max()) {
            (Some(first), Some(last)) => format!("{first} to {last}"),
            _ => "none".into(),
        };
        return Err(ApiError::VersionNotOffered {
            wanted: pinned.unwrap_or(ApiVersion::NEWEST_KNOWN),
            offered,
        });
    };
    Ok(Chosen { version, deprecated: version < ApiVersion::OLDEST_LASTING })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(range: std::ops::RangeInclusive<u16>) -> Vec<ApiVersion> {
        range.map(ApiVersion::new).collect()
    }

    #[test]
    fn the_newest_that_both_know_is_chosen_by_number() {
        let none = |range| choose(None, &offered(range)).map(|chosen| chosen.version.major()).ok();
        assert_eq!(none(31..=66), Some(66));
        assert_eq!(none(31..=68), Some(67));
        assert_eq!(none(8..=9), Some(9));
        assert_eq!(none(68..=70), None);
        let pinned = |major, range| choose(Some(ApiVersion::new(major)), &offered(range)).ok();
        assert_eq!(pinned(58, 31..=66), Some(Chosen { version: ApiVersion::new(58), deprecated: false }));
        assert_eq!(pinned(40, 31..=66), Some(Chosen { version: ApiVersion::new(40), deprecated: true }));
        assert_eq!(pinned(30, 31..=66), None);
        let error = choose(Some(ApiVersion::new(30)), &offered(31..=66)).unwrap_err();
        assert_eq!(error.to_string(), "the org does not offer API version 30.0; it offers 31.0 to 66.0");
    }
}

use std::fmt;

/// The name Salesforce files an app or permission set under, its *API name*.
///
/// Letters, digits and single underscores; begins with a letter and does not end in an underscore. At most 60 long,
/// so that the suffixes of an app's parts still fit into 80.
///
/// # Examples
///
/// ```
/// use sfmint::api::metadata::DeveloperName;
///
/// assert_eq!(DeveloperName::of("Acme nightly sync", "sfmint").as_str(), "Acme_nightly_sync");
/// assert_eq!(DeveloperName::of("42", "sfmint").as_str(), "sfmint_42");
/// assert_eq!(DeveloperName::of("統合", "sfmint_prod").as_str(), "sfmint_prod");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeveloperName(String);

/// The longest name. Characters.
const LONGEST: usize = 60;

impl DeveloperName {
    /// The name nearest to `label`; where no letter of it fits, `otherwise` made to fit.
    pub fn of(label: &str, otherwise: &str) -> Self {
        let name = fitting(label);
        match name.chars().next() {
            None => Self(fitting(otherwise)),
            Some(first) if first.is_ascii_alphabetic() => Self(name),
            Some(_) => Self(fitting(&format!("sfmint_{name}"))),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeveloperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fitting(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => name.push(c),
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    name.truncate(LONGEST);
    name.trim_end_matches('_').to_string()
}

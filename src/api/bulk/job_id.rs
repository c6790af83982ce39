use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::printable;

/// The id of a Bulk job: starts with `750`. It goes into paths, so it holds letters and digits only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

impl JobId {
    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for JobId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match fits {
            true => Ok(Self(text)),
            false => Err(format!("`{}` is not the id of a Bulk job", printable(&text, 60))),
        }
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_would_leave_its_path_is_none() {
        assert!(JobId::try_from("7508d00000AbCdEIAW".to_string()).is_ok());
        for text in ["", "../limits", "750?x", "750%2e", "750/results", "750\n", &"7".repeat(41)] {
            assert!(JobId::try_from(text.to_string()).is_err(), "{text}");
        }
    }
}

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::Fault;

use super::MintError;

/// What was wrong with a token that Salesforce gave and we did not take. Kept between processes, so in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Useless {
    kind: Kind,
    said: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Incomplete,
    #[serde(rename = "token_kind")]
    NotBearer,
    InstanceUrl,
    OrgChanged,
}

impl Useless {
    /// What an error says of a token that came; `None` where none came.
    pub(super) fn of(error: &MintError) -> Option<Self> {
        let kind = match error {
            MintError::Incomplete { .. } => Kind::Incomplete,
            MintError::TokenKind { .. } => Kind::NotBearer,
            MintError::InstanceUrl(_) => Kind::InstanceUrl,
            MintError::OrgChanged { .. } => Kind::OrgChanged,
            _ => return None,
        };
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Some(Self { kind, said: format!("{error}{cause}") })
    }

    /// The code of the error it was.
    pub(super) fn code(&self) -> &'static str {
        match self.kind {
            Kind::Incomplete => "mint.incomplete",
            Kind::NotBearer => "mint.token_kind",
            Kind::InstanceUrl => "mint.instance_url",
            Kind::OrgChanged => "mint.org_changed",
        }
    }

    /// The fault of the error it was.
    pub(super) fn fault(&self) -> Fault {
        if self.kind == Kind::Incomplete { Fault::Misuse } else { Fault::Denied }
    }

    /// What helped against the error it was.
    pub(super) fn hint(&self) -> &'static str {
        match self.kind {
            Kind::Incomplete => {
                "check that `login_url` is the org's My Domain and that no proxy or login page answers in its place"
            }
            Kind::NotBearer => "disable `Require DPoP` on the app (Settings > OAuth Settings)",
            Kind::InstanceUrl => "if this host is your org's, add it to `instance_hosts`",
            Kind::OrgChanged => {
                "after a sandbox refresh everything has new ids: check `username` and `client_id`, then `sfmint revoke` forgets the old org"
            }
        }
    }
}

impl fmt::Display for Useless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl Error for Useless {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Explain;

    #[test]
    fn what_is_kept_of_an_error_explains_itself_as_the_error_did() {
        let (was, is) = ("00D8d0000000001EAA".parse().unwrap(), "00D8d0000000002EAA".parse().unwrap());
        for error in [
            MintError::Incomplete { why: "`id` is missing".into() },
            MintError::TokenKind { kind: "DPoP".into() },
            MintError::OrgChanged { was, is },
        ] {
            let useless = Useless::of(&error).unwrap();
            assert_eq!((useless.code(), useless.fault()), (error.code(), error.fault()));
            assert_eq!(useless.hint(), error.hints()[0].as_str());
            assert_eq!(useless.to_string(), error.to_string());
        }
        assert_eq!(Useless::of(&MintError::Abandoned), None);
    }
}

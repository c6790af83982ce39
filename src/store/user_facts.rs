use serde::{Deserialize, Serialize};

use super::screen::screened;

/// Who read the rows of a run, and what decides how many of them that user may see.
///
/// A run after which many rows seem deleted is often one whose user lost a permission: the facts of two runs tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserFacts {
    /// The user's Id.
    pub user_id: String,
    /// The profile's name; none where it could not be read.
    pub profile: Option<String>,
    /// The names of assigned permission sets, in order.
    pub permission_sets: Vec<String>,
    /// Whether the user has View All Data; none where that could not be read.
    pub views_all_data: Option<bool>,
    /// Whether the user has View All on the job's object; none where that could not be read.
    pub views_all_records: Option<bool>,
}

impl UserFacts {
    pub(super) fn screened(mut self) -> Self {
        self.user_id = screened(&self.user_id);
        self.profile = self.profile.as_deref().map(screened);
        self.permission_sets.iter_mut().for_each(|name| *name = screened(name));
        self
    }
}

use serde::{Deserialize, Serialize};

use super::state::OrgState;
use super::user::User;

/// What a permission set or a profile grants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// API name of the permission set, or the profile's name.
    pub name: String,
    /// Permissions by API name without `Permissions`: `ViewSetup`, `ModifyAllData`, ...
    pub permissions: Vec<String>,
    /// The licence it is bound to. One on `Salesforce API Integration` cannot hold apps (KB 001453686): attaching it
    /// to an app is without effect.
    pub license: Option<String>,
    /// Objects whose every record may be seen ("View All Records").
    pub view_all_records: Vec<String>,
}

/// The permissions that `PermissionSet` shows as columns.
pub(super) const PERMISSIONS: [&str; 10] = [
    "ApiEnabled",
    "ApiUserOnly",
    "AuthorApex",
    "CustomizeApplication",
    "ManageUsers",
    "ModifyAllData",
    "ModifyMetadata",
    "UseAnyApiClient",
    "ViewAllData",
    "ViewSetup",
];

impl Grants {
    /// The administrator's profile, as every org has it.
    pub fn system_administrator() -> Self {
        let everything = PERMISSIONS.iter().filter(|name| !["UseAnyApiClient", "ApiUserOnly"].contains(name));
        Self {
            name: "System Administrator".into(),
            permissions: everything.map(|name| (*name).to_string()).collect(),
            license: Some("Salesforce".into()),
            view_all_records: vec![],
        }
    }
}

impl OrgState {
    /// Whether `user` holds `permission`, from the profile, a permission set or directly.
    pub fn holds(&self, user: &User, permission: &str) -> bool {
        let grants = |list: &[Grants], name: &str| {
            list.iter()
                .any(|grants| grants.name == name && grants.permissions.iter().any(|p| p == permission))
        };
        user.config.permissions.iter().any(|held| held == permission)
            || grants(&self.profiles, &user.config.profile)
            || user.config.permission_sets.iter().any(|name| grants(&self.permission_sets, name))
    }

    /// Whether `user` sees every record of an object, and not only what it owns.
    pub fn sees_all(&self, user: &User, object: &str) -> bool {
        let names = |list: &[String]| list.iter().any(|name| name.eq_ignore_ascii_case(object));
        let grants = |list: &[Grants], name: &str| {
            list.iter().any(|grants| grants.name == name && names(&grants.view_all_records))
        };
        !self.rules.private_sharing
            || ["ViewAllData", "ModifyAllData"].into_iter().any(|held| self.holds(user, held))
            || names(&user.config.view_all_records)
            || grants(&self.profiles, &user.config.profile)
            || user.config.permission_sets.iter().any(|name| grants(&self.permission_sets, name))
    }

    /// Whether a permission set or the profile of `user` is attached to the app, and counts.
    pub fn is_attached(&self, user: &User, sets: &[String], profiles: &[String]) -> bool {
        let counts = |name: &String| {
            let licence = self.permission_sets.iter().find(|set| &set.name == name);
            licence.and_then(|set| set.license.as_deref()) != Some("Salesforce API Integration")
        };
        profiles.contains(&user.config.profile)
            || user.config.permission_sets.iter().any(|name| sets.contains(name) && counts(name))
    }
}

use super::View;
use super::apps::app_id;
use super::people::in_order;
use crate::emulator::app::AppKind;
use crate::emulator::ids::record_id;
use crate::emulator::permission::{Grants, PERMISSIONS};
use crate::emulator::table::{Cell, Field, Kind, Rows};
use crate::emulator::user::User;

/// A permission set as the org shows it: named ones, and the one that each profile owns.
struct SetRow {
    id: String,
    name: String,
    profile: Option<String>,
    permissions: Vec<String>,
    license: Option<String>,
    view_all: Vec<String>,
}

impl View<'_> {
    fn sets(&self) -> Vec<SetRow> {
        let used =
            self.state.users.iter().flat_map(|user| user.config.permission_sets.iter().map(String::as_str));
        let attached =
            self.state.apps.values().flat_map(|app| app.config.permission_sets.iter().map(String::as_str));
        let named = self.state.permission_sets.iter().map(|grants| grants.name.as_str());
        let mut sets: Vec<SetRow> = in_order(named.chain(used).chain(attached))
            .into_iter()
            .map(|name| set(&self.state.permission_sets, name.to_string(), name, None))
            .collect();
        for name in self.profile_names() {
            let own = format!("X{}", self.profile_id(name));
            sets.push(set(&self.state.profiles, own, name, Some(self.profile_id(name))));
        }
        for user in &self.state.users {
            let mut own = set(&[], direct_set(user), "", None);
            own.permissions = user.config.permissions.clone();
            own.view_all = user.config.view_all_records.clone();
            sets.push(own);
        }
        let grants = |set: &SetRow| !set.permissions.is_empty() || !set.view_all.is_empty();
        sets.retain(|set| !set.name.starts_with("Direct_") || grants(set));
        for (at, set) in sets.iter_mut().enumerate() {
            set.id = record_id("0PS", at as u64 + 1);
        }
        sets
    }

    pub fn permission_sets(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("Name", Kind::Text(80)),
            Field::new("Label", Kind::Text(80)),
            Field::new("IsOwnedByProfile", Kind::Bool),
            Field::new("ProfileId", Kind::Reference("Profile")),
            Field::new("License.Name", Kind::Text(80)),
            Field::new("PermissionsApiEnabled", Kind::Bool),
            Field::new("PermissionsApiUserOnly", Kind::Bool),
            Field::new("PermissionsAuthorApex", Kind::Bool),
            Field::new("PermissionsCustomizeApplication", Kind::Bool),
            Field::new("PermissionsManageUsers", Kind::Bool),
            Field::new("PermissionsModifyAllData", Kind::Bool),
            Field::new("PermissionsModifyMetadata", Kind::Bool),
            Field::new("PermissionsUseAnyApiClient", Kind::Bool),
            Field::new("PermissionsViewAllData", Kind::Bool),
            Field::new("PermissionsViewSetup", Kind::Bool),
        ];
        let rows = self.sets().into_iter().map(|set| {
            let mut cells = vec![
                Cell::text(set.id.clone()),
                Cell::text(set.name.clone()),
                Cell::text(set.name.clone()),
                Cell::Bool(set.profile.is_some()),
                Cell::maybe(set.profile.as_deref()),
                Cell::maybe(set.license.as_deref()),
            ];
            cells.extend(
                PERMISSIONS.iter().map(|name| Cell::Bool(set.permissions.iter().any(|held| held == name))),
            );
            cells
        });
        Rows { name: "PermissionSet", key_prefix: Some("0PS"), fields: FIELDS, rows: rows.collect() }
    }

    pub fn assignments(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("AssigneeId", Kind::Reference("User")),
            Field::new("PermissionSetId", Kind::Reference("PermissionSet")),
            Field::new("PermissionSet.Name", Kind::Text(80)),
            Field::new("PermissionSet.IsOwnedByProfile", Kind::Bool),
            Field::new("PermissionSet.PermissionsApiEnabled", Kind::Bool),
            Field::new("PermissionSet.PermissionsApiUserOnly", Kind::Bool),
            Field::new("PermissionSet.PermissionsAuthorApex", Kind::Bool),
            Field::new("PermissionSet.PermissionsCustomizeApplication", Kind::Bool),
            Field::new("PermissionSet.PermissionsManageUsers", Kind::Bool),
            Field::new("PermissionSet.PermissionsModifyAllData", Kind::Bool),
            Field::new("PermissionSet.PermissionsModifyMetadata", Kind::Bool),
            Field::new("PermissionSet.PermissionsUseAnyApiClient", Kind::Bool),
            Field::new("PermissionSet.PermissionsViewAllData", Kind::Bool),
            Field::new("PermissionSet.PermissionsViewSetup", Kind::Bool),
        ];
        let sets = self.sets();
        let mut rows = vec![];
        for user in self.visible_users() {
            let profile = self.profile_id(&user.config.profile);
            let is_its = |set: &&SetRow| {
                user.config.permission_sets.contains(&set.name)
                    || set.profile.as_ref() == Some(&profile)
                    || set.name == direct_set(user)
            };
            for set in sets.iter().filter(is_its) {
                let mut cells = vec![
                    Cell::text(record_id("0Pa", rows.len() as u64 + 1)),
                    Cell::text(user.id.clone()),
                    Cell::text(set.id.clone()),
                    Cell::text(set.name.clone()),
                    Cell::Bool(set.profile.is_some()),
                ];
                let held = |name: &&str| Cell::Bool(set.permissions.iter().any(|held| held == name));
                cells.extend(PERMISSIONS.iter().map(held));
                rows.push(cells);
            }
        }
        Rows { name: "PermissionSetAssignment", key_prefix: Some("0Pa"), fields: FIELDS, rows }
    }

    /// What is granted on objects. Without "View Setup", of one's own permission sets alone.
    pub fn object_permissions(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("ParentId", Kind::Reference("PermissionSet")),
            Field::new("Parent.Name", Kind::Text(80)),
            Field::new("SobjectType", Kind::Picklist),
            Field::new("PermissionsRead", Kind::Bool),
            Field::new("PermissionsViewAllRecords", Kind::Bool),
            Field::new("PermissionsModifyAllRecords", Kind::Bool),
        ];
        let profile = self.profile_id(&self.viewer.config.profile);
        let direct = direct_set(self.viewer);
        let is_seen = |set: &SetRow| {
            self.sees_setup
                || self.viewer.config.permission_sets.contains(&set.name)
                || set.profile.as_ref() == Some(&profile)
                || set.name == direct
        };
        let mut rows = vec![];
        for set in self.sets().into_iter().filter(is_seen) {
            for object in &set.view_all {
                rows.push(vec![
                    Cell::text(record_id("110", rows.len() as u64 + 1)),
                    Cell::text(set.id.clone()),
                    Cell::text(set.name.clone()),
                    Cell::text(object.clone()),
                    Cell::Bool(true),
                    Cell::Bool(true),
                    Cell::Bool(false),
                ]);
            }
        }
        Rows { name: "ObjectPermissions", key_prefix: Some("110"), fields: FIELDS, rows }
    }

    pub fn setup_entity_access(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("ParentId", Kind::Reference("PermissionSet")),
            Field::new("Parent.Name", Kind::Text(80)),
            Field::new("SetupEntityId", Kind::Reference("ConnectedApplication")),
            Field::new("SetupEntityType", Kind::Picklist),
        ];
        let sets = self.sets();
        let mut rows = vec![];
        for app in self.state.apps.values() {
            let profiles: Vec<String> =
                app.config.profiles.iter().map(|name| self.profile_id(name)).collect();
            let is_attached = |set: &&SetRow| {
                app.config.permission_sets.contains(&set.name)
                    || set.profile.as_ref().is_some_and(|id| profiles.contains(id))
            };
            for set in sets.iter().filter(is_attached) {
                rows.push(vec![
                    Cell::text(record_id("0J0", rows.len() as u64 + 1)),
                    Cell::text(set.id.clone()),
                    Cell::text(set.name.clone()),
                    Cell::text(app_id(app.config.kind, app.serial)),
                    Cell::text(match app.config.kind {
                        AppKind::ConnectedApp => "ConnectedApplication",
                        AppKind::ExternalClientApp => "ExternalClientApplication",
                    }),
                ]);
            }
        }
        Rows { name: "SetupEntityAccess", key_prefix: Some("0J0"), fields: FIELDS, rows }
    }
}

fn direct_set(user: &User) -> String {
    format!("Direct_{}", user.id)
}

fn set(list: &[Grants], own_name: String, name: &str, profile: Option<String>) -> SetRow {
    let found = list.iter().find(|grants| grants.name == name);
    SetRow {
        id: String::new(),
        name: own_name,
        profile,
        permissions: found.map(|grants| grants.permissions.clone()).unwrap_or_default(),
        license: found.and_then(|grants| grants.license.clone()),
        view_all: found.map(|grants| grants.view_all_records.clone()).unwrap_or_default(),
    }
}

pub(super) fn grants(list: &[Grants], name: &str, permission: &str) -> bool {
    list.iter().any(|grants| grants.name == name && grants.permissions.iter().any(|held| held == permission))
}

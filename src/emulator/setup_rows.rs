use std::sync::Arc;

use super::app::{AppKind, PermittedUsers};
use super::ids::record_id;
use super::permission::{Grants, PERMISSIONS};
use super::records::{Accounts, Contacts};
use super::state::{OrgState, Shared};
use super::table::{Cell, Field, Kind, Rows, Table};
use super::user::User;

/// Objects that users without "View Setup and Configuration" are told do not exist.
const HIDDEN: [&str; 6] = [
    "ConnectedApplication",
    "ExternalClientApplication",
    "ExtlClntAppOauthPlcyCnfg",
    "PermissionSet",
    "SetupAuditTrail",
    "SetupEntityAccess",
];

/// Every object that can be asked for, in the order in which `/sobjects` lists them.
pub(super) const OBJECTS: [&str; 15] = [
    "Account",
    "ConnectedApplication",
    "Contact",
    "ExternalClientApplication",
    "ExtlClntAppOauthPlcyCnfg",
    "LoginHistory",
    "OauthToken",
    "Organization",
    "PermissionSet",
    "PermissionSetAssignment",
    "Profile",
    "SetupAuditTrail",
    "SetupEntityAccess",
    "User",
    "UserLogin",
];

/// The object of this name as `viewer` sees it; none where it does not exist for them.
pub(super) fn table(org: &Shared, state: &OrgState, viewer: &User, name: &str) -> Option<Arc<dyn Table>> {
    let name = OBJECTS.iter().find(|known| known.eq_ignore_ascii_case(name))?;
    let sees_setup = state.holds(viewer, "ViewSetup");
    if HIDDEN.contains(name) && !sees_setup {
        return None;
    }
    let view = View { org, state, viewer, sees_setup };
    Some(match *name {
        "Account" => Arc::new(Accounts::new(&org.records)),
        "Contact" => Arc::new(Contacts::new(&org.records)),
        "ConnectedApplication" => Arc::new(view.connected_applications()),
        "ExternalClientApplication" => Arc::new(view.external_client_applications()),
        "ExtlClntAppOauthPlcyCnfg" => Arc::new(view.oauth_policies()),
        "LoginHistory" => Arc::new(view.login_history()),
        "OauthToken" => Arc::new(view.oauth_tokens()),
        "Organization" => Arc::new(view.organization()),
        "PermissionSet" => Arc::new(view.permission_sets()),
        "PermissionSetAssignment" => Arc::new(view.assignments()),
        "Profile" => Arc::new(view.profiles()),
        "SetupAuditTrail" => Arc::new(view.audit_trail()),
        "SetupEntityAccess" => Arc::new(view.setup_entity_access()),
        "User" => Arc::new(view.users()),
        _ => Arc::new(view.user_logins()),
    })
}

/// One user's view of the org's own rows.
struct View<'a> {
    org: &'a Shared,
    state: &'a OrgState,
    viewer: &'a User,
    sees_setup: bool,
}

/// A permission set as the org shows it: named ones, and the one that each profile owns.
struct SetRow {
    id: String,
    name: String,
    profile: Option<String>,
    permissions: Vec<String>,
    license: Option<String>,
}

impl View<'_> {
    fn organization(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("Name", Kind::Text(80)),
            Field::new("InstanceName", Kind::Text(5)),
            Field::new("IsSandbox", Kind::Bool),
            Field::new("OrganizationType", Kind::Picklist),
            Field::new("NamespacePrefix", Kind::Text(15)),
            Field::new("TrialExpirationDate", Kind::DateTime),
            Field::new("LanguageLocaleKey", Kind::Picklist),
            Field::new("TimeZoneSidKey", Kind::Picklist),
            Field::new("CreatedDate", Kind::DateTime),
        ];
        let row = vec![
            Cell::text(self.org.org_id.as_str().to_string()),
            Cell::text(self.state.name.clone()),
            Cell::text("EMU1"),
            Cell::Bool(self.state.rules.sandbox),
            Cell::text("Developer Edition"),
            Cell::Null,
            Cell::Null,
            Cell::text("en_US"),
            Cell::text("GMT"),
            Cell::Time(1_735_689_600),
        ];
        Rows { name: "Organization", key_prefix: Some("00D"), fields: FIELDS, rows: vec![row] }
    }

    fn users(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("Username", Kind::Text(80)),
            Field::new("Name", Kind::Text(121)),
            Field::new("LastName", Kind::Text(80)),
            Field::new("Email", Kind::Email),
            Field::new("IsActive", Kind::Bool),
            Field::new("UserType", Kind::Picklist),
            Field::new("ProfileId", Kind::Reference("Profile")),
            Field::new("Profile.Id", Kind::Id),
            Field::new("Profile.Name", Kind::Text(255)),
            Field::new("Profile.PermissionsApiEnabled", Kind::Bool),
            Field::new("LastLoginDate", Kind::DateTime),
            Field::new("CreatedDate", Kind::DateTime),
            Field::new("SystemModstamp", Kind::DateTime),
        ];
        let rows = self.state.users.iter().map(|user| {
            let profile = self.profile_id(&user.config.profile);
            let last = self
                .state
                .login_history
                .iter()
                .rev()
                .find(|row| row.user_id == user.id && row.status == "Success");
            vec![
                Cell::text(user.id.clone()),
                Cell::text(user.config.username.clone()),
                Cell::text(user.config.name.clone()),
                Cell::text(user.config.name.clone()),
                Cell::text(user.email().to_string()),
                Cell::Bool(user.config.active),
                Cell::text("Standard"),
                Cell::text(profile.clone()),
                Cell::text(profile),
                Cell::text(user.config.profile.clone()),
                Cell::Bool(user.config.api_enabled),
                last.map_or(Cell::Null, |row| Cell::Time(row.at.get())),
                Cell::Time(1_735_689_600),
                Cell::Time(1_735_689_600),
            ]
        });
        Rows { name: "User", key_prefix: Some("005"), fields: FIELDS, rows: rows.collect() }
    }

    fn user_logins(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("UserId", Kind::Reference("User")),
            Field::new("IsFrozen", Kind::Bool),
            Field::new("IsPasswordLocked", Kind::Bool),
        ];
        let rows = self.visible_users().map(|user| {
            let id = record_id("0Yw", user.serial);
            vec![
                Cell::text(id),
                Cell::text(user.id.clone()),
                Cell::Bool(user.config.frozen),
                Cell::Bool(false),
            ]
        });
        Rows { name: "UserLogin", key_prefix: Some("0Yw"), fields: FIELDS, rows: rows.collect() }
    }

    fn profile_names(&self) -> Vec<&str> {
        let used = self.state.users.iter().map(|user| user.config.profile.as_str());
        let attached =
            self.state.apps.values().flat_map(|app| app.config.profiles.iter().map(String::as_str));
        in_order(self.state.profiles.iter().map(|grants| grants.name.as_str()).chain(used).chain(attached))
    }

    fn profile_id(&self, name: &str) -> String {
        let at = self.profile_names().iter().position(|known| *known == name).unwrap_or_default();
        record_id("00e", at as u64 + 1)
    }

    fn profiles(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("Name", Kind::Text(255)),
            Field::new("UserType", Kind::Picklist),
            Field::new("PermissionsApiEnabled", Kind::Bool),
            Field::new("PermissionsModifyAllData", Kind::Bool),
        ];
        let rows = self.profile_names().into_iter().map(|name| {
            let holds = |permission| Cell::Bool(grants(&self.state.profiles, name, permission));
            let id = Cell::text(self.profile_id(name));
            let api = Cell::Bool(
                grants(&self.state.profiles, name, "ApiEnabled")
                    || self
                        .state
                        .users
                        .iter()
                        .any(|user| user.config.profile == name && user.config.api_enabled),
            );
            vec![id, Cell::text(name.to_string()), Cell::text("Standard"), api, holds("ModifyAllData")]
        });
        Rows { name: "Profile", key_prefix: Some("00e"), fields: FIELDS, rows: rows.collect() }
    }

    /// Named permission sets, one for each profile, and one for each user with permissions of their own.
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
            sets.push(own);
        }
        sets.retain(|set| !set.name.starts_with("Direct_") || !set.permissions.is_empty());
        for (at, set) in sets.iter_mut().enumerate() {
            set.id = record_id("0PS", at as u64 + 1);
        }
        sets
    }

    fn permission_sets(&self) -> Rows {
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

    fn assignments(&self) -> Rows {
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

    fn setup_entity_access(&self) -> Rows {
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

    fn connected_applications(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("Name", Kind::Text(80)),
            Field::new("OptionsAllowAdminApprovedUsersOnly", Kind::Bool),
            Field::new("OptionsHasSessionLevelPolicy", Kind::Bool),
            Field::new("OptionsRefreshTokenValidityMetric", Kind::Bool),
            Field::new("OptionsIsInternal", Kind::Bool),
            Field::new("RefreshTokenValidityPeriod", Kind::Int),
            Field::new("UvidTimeout", Kind::Int),
            Field::new("CreatedDate", Kind::DateTime),
        ];
        let apps = self.state.apps.values().filter(|app| app.config.kind == AppKind::ConnectedApp);
        let rows = apps.map(|app| {
            vec![
                Cell::text(app_id(app.config.kind, app.serial)),
                Cell::text(app.config.name.clone()),
                Cell::Bool(app.config.permitted_users == PermittedUsers::AdminApproved),
                Cell::Bool(app.config.require_high_assurance),
                Cell::Bool(false),
                Cell::Bool(true),
                Cell::Null,
                app.config.session_timeout_seconds.map_or(Cell::Null, |life| Cell::Int((life / 60) as i64)),
                Cell::Time(1_735_689_600),
            ]
        });
        Rows { name: "ConnectedApplication", key_prefix: Some("0H4"), fields: FIELDS, rows: rows.collect() }
    }

    fn external_client_applications(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("DeveloperName", Kind::Text(80)),
            Field::new("MasterLabel", Kind::Text(80)),
            Field::new("DistributionState", Kind::Picklist),
            Field::new("IsProtected", Kind::Bool),
            Field::new("CreatedDate", Kind::DateTime),
        ];
        let apps = self.state.apps.values().filter(|app| app.config.kind == AppKind::ExternalClientApp);
        let rows = apps.map(|app| {
            vec![
                Cell::text(app_id(app.config.kind, app.serial)),
                Cell::text(app.config.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")),
                Cell::text(app.config.name.clone()),
                Cell::text("Local"),
                Cell::Bool(false),
                Cell::Time(1_735_689_600),
            ]
        });
        Rows {
            name: "ExternalClientApplication",
            key_prefix: Some("0xI"),
            fields: FIELDS,
            rows: rows.collect(),
        }
    }

    /// The policies of External Client Apps. The object's and fields' names are not verified.
    fn oauth_policies(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("ExternalClientApplicationId", Kind::Reference("ExternalClientApplication")),
            Field::new("IsEnabled", Kind::Bool),
            Field::new("PermittedUsersPolicyType", Kind::Picklist),
            Field::new("RequiredSessionLevel", Kind::Picklist),
            Field::new("SessionTimeoutInMinutes", Kind::Int),
            Field::new("IpRelaxationPolicyType", Kind::Picklist),
            Field::new("RefreshTokenPolicyType", Kind::Picklist),
        ];
        let apps = self.state.apps.values().filter(|app| app.config.kind == AppKind::ExternalClientApp);
        let rows = apps.map(|app| {
            vec![
                Cell::text(record_id("0xJ", app.serial)),
                Cell::text(app_id(app.config.kind, app.serial)),
                Cell::Bool(app.config.enabled),
                Cell::text(match app.config.permitted_users {
                    PermittedUsers::AdminApproved => "AdminApprovedPreAuthorized",
                    PermittedUsers::SelfAuthorize => "AllSelfAuthorized",
                }),
                Cell::text(if app.config.require_high_assurance { "HIGH_ASSURANCE" } else { "STANDARD" }),
                app.config.session_timeout_seconds.map_or(Cell::Null, |life| Cell::Int((life / 60) as i64)),
                Cell::text("Enforce"),
                Cell::text("Infinite"),
            ]
        });
        Rows {
            name: "ExtlClntAppOauthPlcyCnfg",
            key_prefix: Some("0xJ"),
            fields: FIELDS,
            rows: rows.collect(),
        }
    }

    fn oauth_tokens(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("AppName", Kind::Text(80)),
            Field::new("UserId", Kind::Reference("User")),
            Field::new("UseCount", Kind::Int),
            Field::new("AppMenuItemId", Kind::Reference("AppMenuItem")),
            Field::new("CreatedDate", Kind::DateTime),
            Field::new("LastUsedDate", Kind::DateTime),
        ];
        let mut rows: Vec<Vec<Cell>> = vec![];
        for user in self.visible_users() {
            for app in self.state.apps.values() {
                let logins: Vec<_> = self
                    .state
                    .login_history
                    .iter()
                    .filter(|row| row.user_id == user.id && row.application == app.config.name)
                    .filter(|row| row.status == "Success")
                    .collect();
                let approved = user.config.approved_apps.contains(&app.config.consumer_key);
                if logins.is_empty() && !approved {
                    continue;
                }
                let time = |at: Option<&&super::log::LoginRow>| {
                    at.map_or(Cell::Null, |row| Cell::Time(row.at.get()))
                };
                rows.push(vec![
                    Cell::text(record_id("0CQ", rows.len() as u64 + 1)),
                    Cell::text(app.config.name.clone()),
                    Cell::text(user.id.clone()),
                    Cell::Int(logins.len() as i64),
                    Cell::text(record_id("0DS", app.serial)),
                    time(logins.first()),
                    time(logins.last()),
                ]);
            }
        }
        Rows { name: "OauthToken", key_prefix: Some("0CQ"), fields: FIELDS, rows }
    }

    /// Filterable are only the fields that the Object Reference says are.
    fn login_history(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("UserId", Kind::Reference("User")),
            Field::new("LoginTime", Kind::DateTime),
            Field::new("LoginType", Kind::Picklist),
            Field::unfilterable("LoginSubType", Kind::Picklist),
            Field::unfilterable("SourceIp", Kind::Text(39)),
            Field::new("LoginUrl", Kind::Text(64)),
            Field::unfilterable("Application", Kind::Text(64)),
            Field::unfilterable("Status", Kind::Picklist),
        ];
        let mut rows: Vec<Vec<Cell>> = vec![];
        for login in &self.state.login_history {
            if self.sees_setup || login.user_id == self.viewer.id {
                rows.push(vec![
                    Cell::text(record_id("0Ya", rows.len() as u64 + 1)),
                    Cell::text(login.user_id.clone()),
                    Cell::Time(login.at.get()),
                    Cell::text("Remote Access 2.0"),
                    Cell::text("OauthJwtBearer"),
                    Cell::text(login.source_ip.clone()),
                    Cell::text(login.login_url.clone()),
                    Cell::text(login.application.clone()),
                    Cell::text(login.status.clone()),
                ]);
            }
        }
        Rows { name: "LoginHistory", key_prefix: Some("0Ya"), fields: FIELDS, rows }
    }

    fn audit_trail(&self) -> Rows {
        const FIELDS: &[Field] = &[
            Field::new("Id", Kind::Id),
            Field::new("Action", Kind::Text(40)),
            Field::new("Section", Kind::Text(80)),
            Field::new("Display", Kind::Text(1000)),
            Field::new("CreatedById", Kind::Reference("User")),
            Field::new("CreatedBy.Username", Kind::Text(80)),
            Field::new("CreatedBy.Name", Kind::Text(121)),
            Field::new("CreatedDate", Kind::DateTime),
        ];
        let admin = self.state.users.iter().find(|user| self.state.holds(user, "ManageUsers"));
        let rows = self.state.audit.iter().enumerate().map(|(at, change)| {
            vec![
                Cell::text(record_id("0Ym", at as u64 + 1)),
                Cell::text(change.action.clone()),
                Cell::text(change.section.clone()),
                Cell::text(change.display.clone()),
                Cell::maybe(admin.map(|user| user.id.as_str())),
                Cell::maybe(admin.map(|user| user.config.username.as_str())),
                Cell::maybe(admin.map(|user| user.config.name.as_str())),
                Cell::Time(change.at.get()),
            ]
        });
        Rows { name: "SetupAuditTrail", key_prefix: Some("0Ym"), fields: FIELDS, rows: rows.collect() }
    }

    /// Everybody for those who see Setup, oneself for the others.
    fn visible_users(&self) -> impl Iterator<Item = &User> {
        self.state.users.iter().filter(|user| self.sees_setup || user.id == self.viewer.id)
    }
}

fn app_id(kind: AppKind, serial: u64) -> String {
    record_id(if kind == AppKind::ConnectedApp { "0H4" } else { "0xI" }, serial)
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
    }
}

fn grants(list: &[Grants], name: &str, permission: &str) -> bool {
    list.iter().any(|grants| grants.name == name && grants.permissions.iter().any(|held| held == permission))
}

fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = vec![];
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

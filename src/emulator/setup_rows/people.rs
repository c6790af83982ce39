use super::View;
use super::permissions::grants;
use crate::emulator::ids::record_id;
use crate::emulator::table::{Cell, Field, Kind, Rows};
use crate::emulator::user::User;

impl View<'_> {
    pub fn organization(&self) -> Rows {
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

    pub fn users(&self) -> Rows {
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

    pub fn user_logins(&self) -> Rows {
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

    pub fn profile_names(&self) -> Vec<&str> {
        let used = self.state.users.iter().map(|user| user.config.profile.as_str());
        let attached =
            self.state.apps.values().flat_map(|app| app.config.profiles.iter().map(String::as_str));
        in_order(self.state.profiles.iter().map(|grants| grants.name.as_str()).chain(used).chain(attached))
    }

    pub fn profile_id(&self, name: &str) -> String {
        let at = self.profile_names().iter().position(|known| *known == name).unwrap_or_default();
        record_id("00e", at as u64 + 1)
    }

    pub fn profiles(&self) -> Rows {
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

    pub fn visible_users(&self) -> impl Iterator<Item = &User> {
        self.state.users.iter().filter(|user| self.sees_setup || user.id == self.viewer.id)
    }
}

/// Each name once, in the order in which they first came.
pub(super) fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = vec![];
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

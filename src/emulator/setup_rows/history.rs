use super::View;
use crate::emulator::ids::record_id;
use crate::emulator::log::LoginRow;
use crate::emulator::table::{Cell, Field, Kind, Rows};

impl View<'_> {
    pub fn login_history(&self) -> Rows {
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

    pub fn oauth_tokens(&self) -> Rows {
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
                let time = |at: Option<&&LoginRow>| at.map_or(Cell::Null, |row| Cell::Time(row.at.get()));
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

    pub fn audit_trail(&self) -> Rows {
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
}

use super::View;
use crate::emulator::app::{AppKind, PermittedUsers};
use crate::emulator::ids::record_id;
use crate::emulator::table::{Cell, Field, Kind, Rows};

impl View<'_> {
    pub fn connected_applications(&self) -> Rows {
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

    pub fn external_client_applications(&self) -> Rows {
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

    pub fn oauth_policies(&self) -> Rows {
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
}

pub(super) fn app_id(kind: AppKind, serial: u64) -> String {
    record_id(if kind == AppKind::ConnectedApp { "0H4" } else { "0xI" }, serial)
}

//! The org's own objects, Organization to SetupAuditTrail, as rows made from its state for one viewer.
//!
//! Business records are in `records`. Start at [`table`]; one file a subject makes the rows.

mod apps;
mod history;
mod people;
mod permissions;

use std::sync::Arc;

use super::records;
use super::state::{OrgState, Shared};
use super::table::Table;
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
pub(super) const OBJECTS: [&str; 17] = [
    "Account",
    "Attachment",
    "ConnectedApplication",
    "Contact",
    "ExternalClientApplication",
    "ExtlClntAppOauthPlcyCnfg",
    "LoginHistory",
    "OauthToken",
    "ObjectPermissions",
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
    if let Some(records) = records::view(org, state, Some(viewer), name) {
        return Some(Arc::new(records));
    }
    let view = View { org, state, viewer, sees_setup };
    Some(match *name {
        "ConnectedApplication" => Arc::new(view.connected_applications()),
        "ExternalClientApplication" => Arc::new(view.external_client_applications()),
        "ExtlClntAppOauthPlcyCnfg" => Arc::new(view.oauth_policies()),
        "LoginHistory" => Arc::new(view.login_history()),
        "OauthToken" => Arc::new(view.oauth_tokens()),
        "ObjectPermissions" => Arc::new(view.object_permissions()),
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

//! What the org itself says about a connection: its app, its user, and who changed what.
//!
//! Each check is one query and one pure judgement of its rows; what the token may not read is skipped, and the
//! permission that is missing is named. Nothing is changed.

mod access;
mod app;
mod ask;
mod history;
mod rights;
mod user;

use crate::api::Client;
use crate::base::{Clock, UserId};

use super::examine::{Examination, Report, Say};

/// Whom the questions are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The user that the connection's tokens are for.
    pub user_id: UserId,
    /// What the app is called in the org; read from the user's last login where it is not known.
    pub app: Option<String>,
}

/// Asks the org about a user and an app, and judges the answers: `doctor --org`.
///
/// # Shape
///
/// `client` asks: the connection's own, or an administrator's, which sees more. In order: the user's logins, the
/// user, the permissions, the app and its policies, who is attached to it, IP ranges, the audit trail. A question
/// that is refused is a skipped finding with the permission it wants. About ten queries, all reading.
///
/// # Source
///
/// Object Reference for `LoginHistory`, `User`, `UserLogin`, `PermissionSetAssignment`, `SetupEntityAccess`,
/// `ConnectedApplication` and `SetupAuditTrail`; each check's docs say where it rests on field reports.
pub async fn org(client: &Client, about: &About, clock: &dyn Clock, say: Say<'_>) -> Report {
    let mut exam = Examination::new(say);
    let seen = history::logins(client, about, &mut exam).await;
    let user = user::user(client, about, &mut exam).await;
    user::frozen(client, about, &mut exam).await;
    let held = rights::rights(client, about, user.as_ref(), &mut exam).await;
    let name = about.app.clone().or(seen);
    let app = app::app(client, name.as_deref(), &mut exam).await;
    match &app {
        Some(app) => {
            app::policies(client, app, &mut exam).await;
            access::preauthorized(client, app, held.as_deref(), &mut exam).await;
        }
        None => {
            for code in ["org.app_enabled", "org.permitted_users", "org.preauthorized"] {
                exam.skipped(code, "the app was not found, see above");
            }
        }
    }
    user::ip_ranges(client, user.as_ref(), &mut exam).await;
    history::changes(client, app.as_ref(), clock, &mut exam).await;
    exam.done()
}

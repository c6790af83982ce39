use serde::Serialize;

use super::why::Why;

/// The pair of RFC 6749 §5.2 in Salesforce's words, and the status it comes with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    pub error: String,
    pub description: String,
    /// What the sender is not told.
    #[serde(skip)]
    pub why: Option<Why>,
}

impl Refusal {
    pub fn new(error: &str, description: &str) -> Self {
        Self { error: error.into(), description: description.into(), why: None }
    }

    /// The same refusal, with its reason for the log.
    pub fn because(self, why: Why) -> Self {
        Self { why: Some(why), ..self }
    }
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $error:literal, $description:literal;)*) => {
        impl Refusal {$(
            $(#[$doc])*
            pub fn $name() -> Self {
                Self::new($error, $description)
            }
        )*}
    };
}

refusals! {
    /// Anything but POST.
    method = "invalid_request", "must use HTTP POST";
    /// No assertion in the form.
    no_assertion = "invalid_request", "missing required parameter: assertion";
    /// A parameter that is there more than once.
    repeated_parameter = "invalid_request", "a parameter is repeated";
    /// Another grant, or a body that is not a form.
    grant_type = "unsupported_grant_type", "grant type not supported";
    /// The consumer key belongs to no app here.
    unknown_client = "invalid_client_id", "client identifier invalid";
    /// An External Client App addressed through a shared login host, or one that is off.
    app_not_found = "app_not_found", "External client app is not installed in this org";
    /// A connected app that the administrator blocked.
    app_blocked = "invalid_client", "invalid client credentials";
    /// The app has no JWT bearer flow.
    no_flow = "unauthorized_client", "client not authorized to use this grant type";
    /// No valid scope beside `refresh_token`.
    no_scope = "invalid_grant", "no valid scopes defined";
    /// Peers T2: the app lacks `refresh_token`.
    refresh_scope = "invalid_request", "The JWT bearer and SAML assertion bearer flows require a refresh_token scope. Install and preauthorize the app.";
    /// Signature, shape or expiry.
    assertion = "invalid_grant", "invalid assertion";
    /// Self-authorize without an approval, or a subject of another org.
    not_approved = "invalid_grant", "user hasn't approved this consumer";
    /// Admin approved, and this user is not.
    not_admin_approved = "invalid_app_access", "user is not admin approved to access this app";
    /// A deactivated user.
    inactive_user = "inactive_user", "user is inactive";
    /// A locked org.
    inactive_org = "inactive_org", "organization is inactive";
    /// Address or hour.
    ip_or_hours = "invalid_grant", "IP restricted or invalid login hours";
}

//! What Salesforce's refusals mean, and which setting changes them.
//!
//! The knowledge is data (`table.rs`); this room only looks things up in it and never talks to anybody.
//! Start at [`diagnose`].

mod table;

use crate::base::{Fault, Hint, OAuthError};

pub use table::{REFUSALS, Refusal, Retry};

/// Finds what a refusal means.
///
/// # Shape
///
/// Error and description are compared without regard to case, apostrophe style and spacing, because
/// Salesforce's wording drifts. The first row that has a fitting pair wins; a pair without words is the
/// fallback of its error. `None` where nothing fits: what Salesforce said stays readable as it came.
///
/// # Examples
///
/// ```
/// use sfmint::{base::OAuthError, token::diagnosis::diagnose};
///
/// let reason = OAuthError::new("invalid_grant", Some("User hasn’t approved this consumer"));
/// assert_eq!(diagnose(&reason).unwrap().code, "mint.not_approved");
/// ```
pub fn diagnose(reason: &OAuthError) -> Option<&'static Refusal> {
    let error = normal(&reason.error);
    let description = normal(reason.description.as_deref().unwrap_or_default());
    let fits = |(its_error, part): &(&str, &str)| {
        (*its_error == "*" || *its_error == error) && description.contains(part)
    };
    REFUSALS.iter().find(|row| row.pairs.iter().any(fits))
}

impl Refusal {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self.retry {
            Retry::Later => Fault::Transient,
            Retry::Never | Retry::OnceMore => Fault::Denied,
        }
    }

    /// What it means and what to do, with the Setup path where there is one.
    pub fn hints(&self) -> Vec<Hint> {
        let mut hints = vec![Hint::new(self.cause), Hint::new(self.fix)];
        if let Some(path) = self.setup {
            hints.push(Hint::new(format!("in Salesforce: {path}")));
        }
        if self.retry == Retry::OnceMore {
            hints.push(Hint::new("a change takes up to 10 minutes to reach every server: if it was made just now, try again then"));
        }
        hints
    }
}

fn normal(text: &str) -> String {
    let text = text.to_lowercase().replace(['\u{2018}', '\u{2019}', '`'], "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(error: &str, description: &str) -> &'static str {
        diagnose(&OAuthError::new(error, Some(description))).map_or("unknown", |row| row.code)
    }

    // Protocol reference §1.4 and peers T1, T2, T4, T5: every pair that was seen in the field, in its variants.
    #[test]
    fn every_pair_seen_in_the_field_has_its_cause() {
        let cases = [
            ("invalid_grant", "user hasn't approved this consumer", "mint.not_approved"),
            ("invalid_grant", "User  Hasn\u{2019}t approved this consumer", "mint.not_approved"),
            ("invalid_app_access", "user is not admin approved to access this app", "mint.not_preauthorized"),
            (
                "invalid_app_access",
                "User isn't approved by an admin to access this app",
                "mint.not_preauthorized",
            ),
            ("app_not_found", "External client app is not installed in this org", "mint.app_not_found"),
            ("invalid_grant", "audience is invalid", "mint.audience"),
            ("invalid_grant", "Audience validation failed", "mint.audience"),
            ("invalid_grant", "invalid assertion", "mint.assertion"),
            ("invalid_grant", "Invalid Assertion", "mint.assertion"),
            ("invalid_client_id", "client identifier invalid", "mint.client_id"),
            ("invalid_client", "invalid client credentials", "mint.client_secret"),
            ("unsupported_grant_type", "grant type not supported", "mint.flow_disabled"),
            ("invalid_grant", "expired access/refresh token", "mint.refresh_token_dead"),
            ("invalid_grant", "token request is already being processed", "mint.busy"),
            ("invalid_grant", "expired authorization code", "mint.busy"),
            ("invalid_grant", "no client credentials user enabled", "mint.no_run_as_user"),
            ("invalid_grant", "IP restricted or invalid login hours", "mint.ip_or_hours"),
            ("invalid_grant", "ip restricted", "mint.ip_or_hours"),
            ("invalid_grant", "authentication failure", "mint.user_locked"),
            ("invalid_grant", "invalid user credentials", "mint.user_locked"),
            ("inactive_user", "user is inactive", "mint.user_inactive"),
            ("inactive_org", "organization is inactive", "mint.org_inactive"),
            ("rate_limit_exceeded", "login rate exceeded", "mint.login_rate"),
            ("invalid_grant", "login rate exceeded", "mint.login_rate"),
            ("rate_limit_exceeded", "number of logins exceeded", "mint.login_rate"),
            ("unauthorized_client", "", "mint.flow_disabled"),
            ("invalid_request", "HTTPS required", "mint.https"),
            ("invalid_request", "must use HTTP POST", "mint.post"),
            ("invalid_request", "missing required parameter: assertion", "mint.request"),
            (
                "invalid_request",
                "The JWT bearer and SAML assertion bearer flows require a refresh_token scope. Install and preauthorize the app.",
                "mint.needs_offline_scope",
            ),
            ("invalid_scope", "the requested scope is not allowed", "mint.scope"),
            ("OAUTH_APP_ACCESS_DENIED", "", "mint.app_blocked"),
            ("OAUTH_APP_BLOCKED", "this app is blocked by admin", "mint.app_blocked"),
            ("OAUTH_EC_APP_NOT_FOUND", "", "mint.app_not_found"),
            ("server_error", "", "mint.server_error"),
            ("temporarily_unavailable", "", "mint.server_error"),
            ("invalid_grant", "something never seen", "unknown"),
            ("brand_new", "", "unknown"),
        ];
        for (error, description, expected) in cases {
            assert_eq!(code(error, description), expected, "{error}: {description}");
        }
    }

    #[test]
    fn pairs_are_written_in_the_form_they_are_compared_in() {
        for row in REFUSALS {
            assert!(!row.pairs.is_empty() && !row.cause.is_empty() && !row.fix.is_empty(), "{}", row.code);
            for (error, part) in row.pairs {
                assert_eq!((*error, *part), (&*normal(error), &*normal(part)), "{}", row.code);
            }
        }
    }

    #[test]
    fn no_pair_is_hidden_behind_an_earlier_row() {
        for row in REFUSALS {
            for (error, part) in row.pairs {
                let error = if *error == "*" { "invalid_grant" } else { error };
                let found = diagnose(&OAuthError::new(error, Some(part))).unwrap();
                assert!(std::ptr::eq(found, row), "{error}: {part} ({}) answers as {}", row.code, found.code);
            }
        }
    }
}

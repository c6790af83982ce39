/// Whether asking again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// A setting must change first.
    Never,
    /// A setting must change, or a change that was made has not reached every server yet.
    OnceMore,
    /// Time heals it.
    Later,
}

/// One way in which Salesforce says no.
#[derive(Debug)]
pub struct Refusal {
    /// Pairs it is told by: the `error`, `*` for any, and a part of the description, empty for any; lower case.
    pub pairs: &'static [(&'static str, &'static str)],
    /// Our stable name for it.
    pub code: &'static str,
    /// What it really means.
    pub cause: &'static str,
    /// The setting to change.
    pub fix: &'static str,
    /// Where in Salesforce Setup that is done.
    pub setup: Option<&'static str>,
    /// Whether asking again can help.
    pub retry: Retry,
    /// A wrong clock on this machine can be the reason: worth one more assertion by the measured clock.
    pub clock_can_explain: bool,
    /// With two credentials, the other one may be accepted: a certificate is on its way.
    pub other_credential_may_work: bool,
}

const POLICIES: &str = "Setup > External Client App Manager > your app > Policies > OAuth Policies (a connected app: Setup > Manage Connected Apps > Edit Policies)";
const SETTINGS: &str = "Setup > External Client App Manager > your app > Settings > OAuth Settings (a connected app: Setup > App Manager > Edit)";
const USER: &str = "Setup > Users > the user";

/// What most rows share: no use asking again, the clock is innocent, the other credential fares no better.
const PLAIN: Refusal = Refusal {
    pairs: &[],
    code: "",
    cause: "",
    fix: "",
    setup: None,
    retry: Retry::Never,
    clock_can_explain: false,
    other_credential_may_work: false,
};

/// Every refusal of the token endpoint that is known, the more special before the more general.
///
/// Sources: Salesforce help, "OAuth 2.0 Authorization Errors"; Metadata API guide; and the field reports named
/// in the rows. Texts drift in case and wording, so parts are matched, not sentences.
pub static REFUSALS: &[Refusal] = &[
    Refusal {
        pairs: &[("*", "login rate"), ("rate_limit_exceeded", "")],
        code: "mint.login_rate",
        cause: "this user has logged in too often; Salesforce refuses every login of the user until the hour has passed",
        fix: "share one token between processes (the default `token_cache = \"file\"` does) and lower `mint_budget_per_hour`",
        retry: Retry::Later,
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_grant", "approved this consumer")],
        code: "mint.not_approved",
        cause: "the user has not been approved for the app; or the username belongs to another org than the login URL and audience name (Government Cloud wants its My Domain as `login_url` and login.salesforce.com as `audience`)",
        fix: "set Permitted Users to `Admin approved users are pre-authorized` and attach the user's profile or a permission set; check `username`, `login_url` and `audience`",
        setup: Some(POLICIES),
        retry: Retry::OnceMore,
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_app_access", "")],
        code: "mint.not_preauthorized",
        cause: "the app wants pre-authorized users, and neither a profile nor a permission set of this user is attached to it (a permission set made for the `Salesforce API Integration` licence cannot carry that)",
        fix: "attach a permission set without a licence, or the user's profile, to the app, and assign the permission set to the user",
        setup: Some(POLICIES),
        retry: Retry::OnceMore,
        ..PLAIN
    },
    Refusal {
        pairs: &[("app_not_found", ""), ("oauth_ec_app_not_found", "")],
        code: "mint.app_not_found",
        cause: "no such External Client App in the org that was asked: such apps answer at the org's My Domain only, never at login.salesforce.com or test.salesforce.com, and vanish with a sandbox refresh",
        fix: "set `login_url` (and `audience`, if set) to the org's My Domain, and check `client_id`",
        setup: Some("Setup > My Domain shows the URL"),
        retry: Retry::OnceMore,
        other_credential_may_work: true,
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_grant", "audience")],
        code: "mint.audience",
        cause: "the assertion is addressed to another login host than this org's",
        fix: "set `audience` to the org's My Domain (a classic connected app: https://login.salesforce.com, or https://test.salesforce.com for a sandbox); `sfmint doctor --probe` finds the pair",
        setup: Some("Setup > My Domain shows the URL"),
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_grant", "invalid assertion")],
        code: "mint.assertion",
        cause: "the signature does not match the certificate on the app (another key, the certificate replaced or wiped by a deploy without it), or the assertion had ended by the org's clock",
        fix: "upload the certificate that belongs to `key` to the app; `sfmint doctor` compares key, certificate and clock",
        setup: Some(SETTINGS),
        retry: Retry::OnceMore,
        clock_can_explain: true,
        other_credential_may_work: true,
    },
    Refusal {
        pairs: &[
            ("invalid_grant", "expired authorization code"),
            ("invalid_grant", "already being processed"),
        ],
        code: "mint.busy",
        cause: "two requests used one grant at the same moment",
        fix: "nothing to change: one of the two has won; try again",
        retry: Retry::Later,
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_grant", "expired access/refresh token")],
        code: "mint.refresh_token_dead",
        cause: "a refresh token was revoked, rotated away, left unused too long, or pushed out by the fifth approval after it",
        fix: "move the connection to a certificate: then there is no refresh token to lose",
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_grant", "expired")],
        code: "mint.assertion",
        cause: "the assertion had ended by the org's clock",
        fix: "set this machine's clock by NTP; `sfmint doctor` shows the difference",
        clock_can_explain: true,
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_grant", "client credentials user")],
        code: "mint.no_run_as_user",
        cause: "the client-credentials flow has no user to run as",
        fix: "name a Run As user in the app's client-credentials policy, or use the certificate, which names its own",
        setup: Some(POLICIES),
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_grant", "ip restricted"), ("invalid_grant", "login hours")],
        code: "mint.ip_or_hours",
        cause: "this machine's address, or this hour, is outside what the user's profile allows; the app's `Relax IP restrictions` does not override a profile",
        fix: "add this machine's address to the profile's Login IP Ranges, or widen its Login Hours",
        setup: Some("Setup > Profiles > the user's profile > Login IP Ranges, Login Hours"),
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_grant", "authentication failure"), ("invalid_grant", "invalid user credentials")],
        code: "mint.user_locked",
        cause: "the user may not log in: frozen, deactivated or locked",
        fix: "unfreeze or activate the user named in `username`",
        setup: Some(USER),
        ..PLAIN
    },
    Refusal {
        pairs: &[("inactive_user", "")],
        code: "mint.user_inactive",
        cause: "the user is deactivated or frozen",
        fix: "activate or unfreeze the user named in `username`, or name another",
        setup: Some(USER),
        ..PLAIN
    },
    Refusal {
        pairs: &[("inactive_org", "")],
        code: "mint.org_inactive",
        cause: "the org is locked, suspended or closed",
        fix: "ask whoever owns the Salesforce contract; a sandbox may have been deleted",
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_client_id", "")],
        code: "mint.client_id",
        cause: "no app of this org has this consumer key (mistyped, another org's, or the app was made minutes ago)",
        fix: "copy the Consumer Key of the app into `client_id`",
        setup: Some(SETTINGS),
        retry: Retry::OnceMore,
        other_credential_may_work: true,
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_client", "")],
        code: "mint.client_secret",
        cause: "the app wants a client secret for this flow, or another one than was sent; the JWT bearer flow needs none",
        fix: "check that `client_id` names the app that holds the certificate",
        setup: Some(SETTINGS),
        ..PLAIN
    },
    Refusal {
        pairs: &[("unsupported_grant_type", "")],
        code: "mint.flow_disabled",
        cause: "the app has no certificate, so its JWT bearer flow is off",
        fix: "enable JWT Bearer Flow on the app and upload the certificate",
        setup: Some(SETTINGS),
        retry: Retry::OnceMore,
        ..PLAIN
    },
    Refusal {
        pairs: &[("unauthorized_client", "")],
        code: "mint.flow_disabled",
        cause: "the app may not use the JWT bearer flow: it has no certificate, or OAuth is switched off for it",
        fix: "enable JWT Bearer Flow on the app and upload the certificate",
        setup: Some(SETTINGS),
        retry: Retry::OnceMore,
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_request", "refresh_token scope")],
        code: "mint.needs_offline_scope",
        cause: "the app's scopes lack `Perform requests at any time` (refresh_token, offline_access), which this flow asks for although it gives no refresh token",
        fix: "add the scopes `api` and `refresh_token` to the app, and pre-authorize it",
        setup: Some(SETTINGS),
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_request", "https required")],
        code: "mint.https",
        cause: "the request arrived without TLS: something between here and Salesforce took it off",
        fix: "check `proxy` and `login_url`",
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_request", "http post")],
        code: "mint.post",
        cause: "the request did not arrive as a POST: something between here and Salesforce changed it",
        fix: "check `proxy`, and whether `login_url` redirects",
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_request", "")],
        code: "mint.request",
        cause: "the request did not arrive as it was sent",
        fix: "check `proxy`; if there is none between here and Salesforce, report this as a mistake of sfmint",
        ..PLAIN
    },
    Refusal {
        pairs: &[("invalid_scope", "")],
        code: "mint.scope",
        cause: "the app's grant holds no scope that this flow can give",
        fix: "add the scope `api` (and `refresh_token`) to the app",
        setup: Some(SETTINGS),
        ..PLAIN
    },
    Refusal {
        pairs: &[("oauth_app_access_denied", ""), ("oauth_app_blocked", "")],
        code: "mint.app_blocked",
        cause: "an administrator has blocked the app, or API Access Control lets only listed apps in",
        fix: "unblock the app, or allow it under API Access Control",
        setup: Some("Setup > Connected Apps OAuth Usage; Setup > API Access Control"),
        ..PLAIN
    },
    Refusal {
        pairs: &[("server_error", ""), ("temporarily_unavailable", "")],
        code: "mint.server_error",
        cause: "Salesforce had a fault of its own",
        fix: "nothing to change: try again, and look at status.salesforce.com",
        retry: Retry::Later,
        ..PLAIN
    },
];

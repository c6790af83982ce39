use std::error::Error;
use std::time::Duration;

use crate::base::{ApiVersion, Explain, Fault, Hint, OAuthError, UrlMistake};
use crate::token::MintError;

use super::Usage;
use super::bulk::JobId;

/// Why a call of the API brought nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// There is no token to call with. Its own fault.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// The call would have taken the token somewhere else. *Denied*.
    #[error("the token was not sent to an address outside its org")]
    Address(#[source] UrlMistake),
    /// A header that cannot be sent. *Misuse*.
    #[error("header `{name}` {why}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A redirect, which is never followed: the token goes to one host. *Misuse*.
    #[error("{from} redirects to {to}, and the token goes nowhere else")]
    Redirected {
        /// Who was asked.
        from: String,
        /// Where it points: scheme, host and port.
        to: String,
    },
    /// No answer. *Transient*.
    #[error("no answer from {host}")]
    NoAnswer {
        /// Who was asked.
        host: String,
        /// What the network said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// An answer that did not come whole; none of it is used. *Transient*.
    #[error("the answer of {host} broke off")]
    BrokenOff {
        /// Who answered.
        host: String,
        /// How.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Salesforce, or a gateway before it, is busy or under maintenance. *Transient*.
    #[error("{host} is not available: it answered {status}")]
    Unavailable {
        /// Who answered.
        host: String,
        /// The HTTP status.
        status: u16,
        /// Its words.
        #[source]
        reason: Option<OAuthError>,
    },
    /// Something else than JSON. *Misuse*.
    #[error("{host} answered {status} with {what}")]
    NotJson {
        /// Who answered.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What it is; its text is not kept.
        what: String,
    },
    /// An answer that would not end. *Misuse*.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// What is read at most.
        limit: usize,
    },
    /// The instance host does not know the org. *Misuse*.
    #[error("{host} is not, or not yet, the instance of this org")]
    WrongHost {
        /// Who was asked.
        host: String,
    },
    /// A new session was refused like the old one. *Denied*.
    #[error("Salesforce refused the session, and the new one after it")]
    SessionRefused {
        /// Its words to the second.
        #[source]
        reason: OAuthError,
    },
    /// The calls of 24 hours are used up. *Transient*.
    #[error("the org's API calls of the last 24 hours are used up{}", of(.usage))]
    LimitDaily {
        /// Salesforce's words.
        #[source]
        reason: OAuthError,
        /// How many there are.
        usage: Option<Usage>,
    },
    /// Too many long calls at the same time. *Transient*.
    #[error("too many calls run in the org at the same time")]
    LimitConcurrent {
        /// Salesforce's words.
        #[source]
        reason: OAuthError,
    },
    /// The org or the user has no API. *Denied*.
    #[error("the API is switched off for this org or this user")]
    Disabled {
        /// Salesforce's words.
        #[source]
        reason: OAuthError,
    },
    /// The user may not do or see that. *Denied*.
    #[error("the user may not do that")]
    NoAccess {
        /// Salesforce's words.
        #[source]
        reason: OAuthError,
    },
    /// The identity service refuses the token. *Denied*.
    #[error("Salesforce does not tell who this token is for")]
    IdentityRefused {
        /// Its word.
        #[source]
        reason: OAuthError,
    },
    /// The query cannot be run. *Data*.
    #[error("Salesforce cannot run the query")]
    Query {
        /// Its words.
        #[source]
        reason: OAuthError,
    },
    /// The query ran into Salesforce's limit of two minutes. *Transient*.
    #[error("the query ran too long")]
    QueryTimeout {
        /// Salesforce's words.
        #[source]
        reason: OAuthError,
    },
    /// The place in a query's result is lost; the rows so far are not all. *Transient*.
    #[error("Salesforce has forgotten the rest of the query's result")]
    CursorGone {
        /// Its words; none where the org moved to another host, and left its cursors behind.
        #[source]
        reason: Option<OAuthError>,
    },
    /// What was to be sent cannot be read. *Disk*.
    #[error("the data to send cannot be read")]
    Upload {
        /// What the system said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A Bulk job ended without its work being done. *Data*.
    #[error("Bulk job {job} failed")]
    BulkFailed {
        /// Which.
        job: JobId,
        /// Salesforce's words.
        #[source]
        reason: Option<OAuthError>,
    },
    /// Somebody aborted a Bulk job. *Transient*.
    #[error("Bulk job {job} was aborted in the org")]
    BulkAborted {
        /// Which.
        job: JobId,
        /// Salesforce's words.
        #[source]
        reason: Option<OAuthError>,
    },
    /// A Bulk job, or its results, are not there any more. *Transient*.
    #[error("Bulk job {job} is gone")]
    BulkJobGone {
        /// Which.
        job: JobId,
    },
    /// A Bulk job is in a state in which that cannot be done, or was asked for by another API version than its own. *Data*.
    #[error("Bulk job {job} does not stand where it should")]
    BulkState {
        /// Which.
        job: JobId,
        /// Salesforce's words.
        #[source]
        reason: Option<OAuthError>,
    },
    /// A Bulk job that does not end within the time that was given. *Transient*.
    #[error("Bulk job {job} is not done after {} minutes", waited.as_secs() / 60)]
    BulkSlow {
        /// Which.
        job: JobId,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A page of a Bulk result names itself, or one before it, as the next. *Data*.
    #[error("the pages of Bulk job {job} run in a circle")]
    BulkCircle {
        /// Which.
        job: JobId,
    },
    /// A result that ended with fewer or more rows than it announced. *Data*.
    #[error("{received} rows came of {expected} that were announced")]
    RowsDiffer {
        /// `totalSize`.
        expected: u64,
        /// What came.
        received: u64,
    },
    /// A page of a result that names one as its next that has been read: it would be followed for ever. *Data*.
    #[error("the pages of the result lead round in a circle")]
    PagesRepeat,
    /// No such thing, or none that this user may know of. *Data*.
    #[error("there is no such thing in this org, or this user may not see it")]
    NotFound {
        /// Salesforce's words.
        #[source]
        reason: Option<OAuthError>,
    },
    /// The API version is not answered any more. *Misuse*.
    #[error("this API version is retired")]
    VersionRetired {
        /// Salesforce's words.
        #[source]
        reason: Option<OAuthError>,
    },
    /// The org offers no version that this release can speak, or not the pinned one. *Misuse*.
    #[error("the org does not offer API version {wanted}; it offers {offered}")]
    VersionNotOffered {
        /// The pinned version, or the newest that this release knows.
        wanted: ApiVersion,
        /// `31.0 to 67.0`.
        offered: String,
    },
    /// A no of another kind. *Denied*.
    #[error("Salesforce refused the call with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its words.
        #[source]
        reason: Option<OAuthError>,
    },
}

fn of(usage: &Option<Usage>) -> String {
    usage.as_ref().map(|usage| format!(": {} of {}", usage.used, usage.max)).unwrap_or_default()
}

impl Explain for ApiError {
    fn fault(&self) -> Fault {
        match self {
            ApiError::Mint(error) => error.fault(),
            ApiError::NoAnswer { .. }
            | ApiError::BrokenOff { .. }
            | ApiError::Unavailable { .. }
            | ApiError::LimitDaily { .. }
            | ApiError::LimitConcurrent { .. }
            | ApiError::QueryTimeout { .. }
            | ApiError::CursorGone { .. }
            | ApiError::BulkAborted { .. }
            | ApiError::BulkJobGone { .. }
            | ApiError::BulkSlow { .. } => Fault::Transient,
            ApiError::Address(_)
            | ApiError::SessionRefused { .. }
            | ApiError::Disabled { .. }
            | ApiError::NoAccess { .. }
            | ApiError::IdentityRefused { .. }
            | ApiError::Refused { .. } => Fault::Denied,
            ApiError::Upload { .. } => Fault::Disk,
            ApiError::Query { .. }
            | ApiError::RowsDiffer { .. }
            | ApiError::PagesRepeat
            | ApiError::NotFound { .. }
            | ApiError::BulkFailed { .. }
            | ApiError::BulkState { .. }
            | ApiError::BulkCircle { .. } => Fault::Data,
            ApiError::Header { .. }
            | ApiError::Redirected { .. }
            | ApiError::NotJson { .. }
            | ApiError::TooLarge { .. }
            | ApiError::WrongHost { .. }
            | ApiError::VersionRetired { .. }
            | ApiError::VersionNotOffered { .. } => Fault::Misuse,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            ApiError::Mint(error) => error.code(),
            ApiError::Address(_) => "api.address",
            ApiError::Header { .. } => "api.header",
            ApiError::Redirected { .. } => "api.redirected",
            ApiError::NoAnswer { .. } => "api.no_answer",
            ApiError::BrokenOff { .. } => "api.broken_off",
            ApiError::Unavailable { .. } => "api.unavailable",
            ApiError::NotJson { .. } => "api.not_json",
            ApiError::TooLarge { .. } => "api.too_large",
            ApiError::WrongHost { .. } => "api.wrong_host",
            ApiError::SessionRefused { .. } => "api.session_refused",
            ApiError::LimitDaily { .. } => "api.limit_daily",
            ApiError::LimitConcurrent { .. } => "api.limit_concurrent",
            ApiError::Disabled { .. } => "api.disabled",
            ApiError::NoAccess { .. } => "api.no_access",
            ApiError::IdentityRefused { .. } => "api.identity_refused",
            ApiError::Query { .. } => "api.query",
            ApiError::QueryTimeout { .. } => "api.query_timeout",
            ApiError::CursorGone { .. } => "api.cursor_gone",
            ApiError::RowsDiffer { .. } => "api.rows_differ",
            ApiError::PagesRepeat => "api.pages_repeat",
            ApiError::NotFound { .. } => "api.not_found",
            ApiError::VersionRetired { .. } => "api.version_retired",
            ApiError::VersionNotOffered { .. } => "api.version_not_offered",
            ApiError::Upload { .. } => "api.upload",
            ApiError::BulkFailed { .. } => "api.bulk_failed",
            ApiError::BulkAborted { .. } => "api.bulk_aborted",
            ApiError::BulkJobGone { .. } => "api.bulk_job_gone",
            ApiError::BulkState { .. } => "api.bulk_state",
            ApiError::BulkSlow { .. } => "api.bulk_slow",
            ApiError::BulkCircle { .. } => "api.bulk_circle",
            ApiError::Refused { .. } => "api.refused",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let text = match self {
            ApiError::Mint(error) => return error.hints(),
            ApiError::Address(_) => {
                "give a path that starts with /services/; if another host of this org must have the token, it is not the one that gave it"
            }
            ApiError::Header { .. } => "leave the header out, or correct it",
            ApiError::Redirected { .. } => {
                "if the org has moved, `sfmint token --fresh` learns its new host; else check `login_url` and `proxy`"
            }
            ApiError::NoAnswer { .. } | ApiError::BrokenOff { .. } => {
                "check the network, and `proxy` or HTTPS_PROXY; `sfmint doctor` says how far a request gets"
            }
            ApiError::Unavailable { .. } => "try again later, and look at status.salesforce.com",
            ApiError::NotJson { .. } => {
                "check that no proxy or login page answers in the org's place (`proxy`, `login_url`), and that the path begins with /services/"
            }
            ApiError::TooLarge { .. } => "ask for less at once: fewer fields, a LIMIT, or the Bulk API",
            ApiError::WrongHost { .. } => {
                "an org that moved takes some minutes to be known everywhere: `sfmint token --fresh` asks for its host again; check `login_url`"
            }
            ApiError::SessionRefused { .. } => {
                "some program logs this user out, or a policy ends its sessions: `sfmint doctor --org` looks at both"
            }
            ApiError::LimitDaily { .. } => {
                "calls come back over 24 hours; see who uses them in Setup > Company Information > API Requests, Last 24 Hours"
            }
            ApiError::LimitConcurrent { .. } => {
                "run fewer long queries at once; 25 calls of more than 20 seconds is the limit of most orgs"
            }
            ApiError::Disabled { .. } => {
                "give the user the permission `API Enabled` (profile or permission set); some editions of Salesforce have no API"
            }
            ApiError::NoAccess { .. } => {
                "give the user named in `username` the permission for it, best by a permission set; `sfmint doctor --org` shows what it holds"
            }
            ApiError::IdentityRefused { .. } => {
                "give the app the scope `id` or `openid` beside `api` if a program needs it; sfmint itself does not"
            }
            ApiError::Query { .. } => {
                "check the names: a field or object that the user may not read looks as if it did not exist (field-level security)"
            }
            ApiError::QueryTimeout { .. } => {
                "narrow the query: a WHERE on an indexed field, or fewer rows at once"
            }
            ApiError::CursorGone { .. } => {
                "run the query again: a result is kept for 15 minutes without use, and ten at a time for each user"
            }
            ApiError::RowsDiffer { .. } => {
                "run the query again; if the counts differ again, please report this"
            }
            ApiError::PagesRepeat => {
                "run the query again; if it comes again, a proxy or cache may answer in the org's place (`proxy`)"
            }
            ApiError::NotFound { .. } => "check the path, the id, and that the user may see it",
            ApiError::VersionRetired { .. } => "take `api_version` out of the connection, or pin a newer one",
            ApiError::VersionNotOffered { .. } => {
                "take `api_version` out of the connection, and check that `login_url` names the right org"
            }
            ApiError::Upload { .. } => "check the file, and that nobody changes it while it is sent",
            ApiError::BulkFailed { .. } => {
                "Salesforce's words say what it did not like; see the job in Setup > Bulk Data Load Jobs"
            }
            ApiError::BulkAborted { .. } => {
                "run it again; Setup > Setup Audit Trail and Bulk Data Load Jobs may say who aborted it"
            }
            ApiError::BulkJobGone { .. } => {
                "run it again: Salesforce keeps a job and its results for seven days"
            }
            ApiError::BulkState { .. } => {
                "run it again with a job of its own; if that helps nothing, please report this"
            }
            ApiError::BulkSlow { .. } => {
                "run it again later: the job goes on in the org; see Setup > Bulk Data Load Jobs for what it waits on"
            }
            ApiError::BulkCircle { .. } => {
                "run it again; if the pages run in a circle again, please report this"
            }
            ApiError::Refused { .. } => {
                "Salesforce's words say what it did not like; `sfmint doctor` looks at everything around it"
            }
        };
        vec![Hint::new(text)]
    }

    fn salesforce(&self) -> Option<&OAuthError> {
        match self {
            ApiError::Mint(error) => error.salesforce(),
            ApiError::SessionRefused { reason }
            | ApiError::LimitDaily { reason, .. }
            | ApiError::LimitConcurrent { reason }
            | ApiError::Disabled { reason }
            | ApiError::NoAccess { reason }
            | ApiError::IdentityRefused { reason }
            | ApiError::Query { reason }
            | ApiError::QueryTimeout { reason } => Some(reason),
            ApiError::Unavailable { reason, .. }
            | ApiError::NotFound { reason }
            | ApiError::VersionRetired { reason }
            | ApiError::CursorGone { reason }
            | ApiError::BulkFailed { reason, .. }
            | ApiError::BulkAborted { reason, .. }
            | ApiError::BulkState { reason, .. }
            | ApiError::Refused { reason, .. } => reason.as_ref(),
            _ => None,
        }
    }
}

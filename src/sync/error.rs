use std::path::{Path, PathBuf};

use crate::api::ApiError;
use crate::base::{Explain, Fault, Hint, OAuthError, ObjectName, OrgId, UnixSeconds};
use crate::store::{Held, SchemaReport, StoreError};

use super::budget::Spent;
use super::completeness::Doubt;
use super::csv::PageError;
use super::destination::DestinationError;
use super::guard::MassDelete;

/// Why a run did not end complete.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The org, or the way to it.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The destination.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// A page whose text is none.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The store: leases and history.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another run of the same job.
    #[error("job `{}` is being run by process {} on {} since {}", held.name.trim_start_matches("job/"), held.by.pid, held.by.host, held.since)]
    Running {
        /// Who holds the lease.
        held: Held,
    },
    /// An answer without a date.
    #[error("the org's answer tells no time, and a watermark by another clock could lose rows")]
    NoClock,
    /// The destination holds rows of another org.
    #[error("the destination's rows are of org {was}, this connection leads to org {is}")]
    OrgChanged {
        /// The org of the rows.
        was: String,
        /// The org of the token.
        is: OrgId,
    },
    /// Describe says that the object cannot be queried.
    #[error("`{object}` cannot be queried by this user")]
    NotQueryable {
        /// The object.
        object: ObjectName,
    },
    /// Nothing to follow changes by.
    #[error(
        "`{object}` has none of SystemModstamp, LastModifiedDate, CreatedDate and LoginTime that can be filtered by"
    )]
    NoCursor {
        /// The object.
        object: ObjectName,
    },
    /// A query that an incremental job cannot use.
    #[error("the job's query cannot be followed: {why}")]
    Soql {
        /// What keeps it from that.
        why: String,
    },
    /// `on_schema_change = "fail"`.
    #[error("the fields of `{object}` changed: {}", super::schema::in_words(change))]
    SchemaChanged {
        /// The object.
        object: ObjectName,
        /// What changed.
        change: SchemaReport,
    },
    /// Counts that disagree at the end.
    #[error("the rows are in doubt")]
    InDoubt(#[source] Doubt),
    /// A page with more or fewer rows than its header says, twice.
    #[error("page {page} announces {announced} rows and holds {received}")]
    Torn {
        /// Its number, from 1.
        page: u64,
        /// `Sforce-NumberOfRecords`.
        announced: u64,
        /// Rows counted.
        received: u64,
    },
    /// A page that came before.
    #[error("page {page} begins with the same row as an earlier page")]
    Repeated {
        /// Its number, from 1.
        page: u64,
    },
    /// A locator that came before.
    #[error("page {page} leads back to a page that was read")]
    Circle {
        /// Its number, from 1.
        page: u64,
    },
    /// No rows, and a locator.
    #[error("page {page} is empty and leads on to another")]
    Empty {
        /// Its number, from 1.
        page: u64,
    },
    /// No locator, and rows missing.
    #[error("page {page} does not say how to go on; {received} of {processed} rows were received")]
    NoWayOn {
        /// Its number, from 1.
        page: u64,
        /// Rows so far.
        received: u64,
        /// The job's own count.
        processed: u64,
    },
    /// Too many rows gone.
    #[error(transparent)]
    MassDelete(#[from] MassDelete),
    /// `verify` found differences.
    #[error("{count} rows differ between `{object}` in the org and the destination")]
    Differs {
        /// The object.
        object: ObjectName,
        /// How many.
        count: u64,
    },
    /// The org's calls.
    #[error(transparent)]
    Spent(#[from] Spent),
    /// SIGTERM or SIGINT.
    #[error("the run was asked to stop")]
    Interrupted,
    /// The file of Ids.
    #[error("cannot compare Ids in {}", path.display())]
    Scratch {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The thread of the destination ended.
    #[error("the thread that writes to the destination ended")]
    Thread,
}

impl SyncError {
    pub(super) fn scratch(path: &Path, source: std::io::Error) -> Self {
        Self::Scratch { path: path.into(), source: source.into() }
    }

    fn inner(&self) -> Option<&(dyn Explain + 'static)> {
        match self {
            Self::Api(error) => Some(error),
            Self::Destination(error) => Some(error),
            Self::Page(error) => Some(error),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }

    /// Whether rows are in doubt: the run is partial, and nothing of it is gone on with.
    pub fn is_doubt(&self) -> bool {
        match self {
            Self::Api(error) => matches!(error, ApiError::BulkCircle { .. } | ApiError::RowsDiffer { .. }),
            Self::Page(error) => error.fault() == Fault::Data,
            Self::Destination(error) => matches!(error, DestinationError::Row { .. }),
            Self::SchemaChanged { .. } => false,
            _ => self.fault() == Fault::Data,
        }
    }

    /// Whether it is the org's calls that are used up.
    pub fn is_quota(&self) -> bool {
        matches!(self, Self::Spent(_)) || self.code() == "api.limit_daily"
    }

    /// Until when somebody else has the job, where that is the reason.
    pub fn held_until(&self) -> Option<UnixSeconds> {
        match self {
            Self::Running { held } => Some(held.until),
            _ => None,
        }
    }
}

impl Explain for SyncError {
    fn fault(&self) -> Fault {
        match self {
            Self::Api(_) | Self::Destination(_) | Self::Page(_) | Self::Store(_) => {
                self.inner().map_or(Fault::Bug, |error| error.fault())
            }
            Self::Running { .. } | Self::NoClock | Self::Spent(_) | Self::Interrupted => Fault::Transient,
            Self::OrgChanged { .. } | Self::NoCursor { .. } | Self::Soql { .. } => Fault::Misuse,
            Self::NotQueryable { .. } => Fault::Denied,
            Self::SchemaChanged { .. }
            | Self::InDoubt(_)
            | Self::Torn { .. }
            | Self::Repeated { .. }
            | Self::Circle { .. }
            | Self::Empty { .. }
            | Self::NoWayOn { .. }
            | Self::MassDelete(_)
            | Self::Differs { .. } => Fault::Data,
            Self::Scratch { .. } => Fault::Disk,
            Self::Thread => Fault::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Api(_) | Self::Destination(_) | Self::Page(_) | Self::Store(_) => {
                self.inner().map_or("bug", |error| error.code())
            }
            Self::Running { .. } => "sync.running",
            Self::NoClock => "sync.no_clock",
            Self::OrgChanged { .. } => "sync.org_changed",
            Self::NotQueryable { .. } => "sync.not_queryable",
            Self::NoCursor { .. } => "sync.no_cursor",
            Self::Soql { .. } => "sync.soql",
            Self::SchemaChanged { .. } => "sync.schema_changed",
            Self::InDoubt(_) => "sync.in_doubt",
            Self::Torn { .. } => "sync.page_torn",
            Self::Repeated { .. } => "sync.page_repeated",
            Self::Circle { .. } => "sync.locator_circle",
            Self::Empty { .. } => "sync.page_empty",
            Self::NoWayOn { .. } => "sync.locator_missing",
            Self::MassDelete(_) => "sync.mass_delete",
            Self::Differs { .. } => "sync.differs",
            Self::Spent(_) => "sync.budget",
            Self::Interrupted => "sync.interrupted",
            Self::Scratch { .. } => "sync.scratch",
            Self::Thread => "sync.thread",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let again = "the watermark stays: the next run reads the same window again; `sfmint sync verify` compares row by row";
        let text = match self {
            Self::Api(_) | Self::Destination(_) | Self::Page(_) | Self::Store(_) => {
                return self.inner().map(|error| error.hints()).unwrap_or_default();
            }
            Self::Running { .. } => "let it end; `sfmint sync list` shows what is running",
            Self::NoClock => "try again; if it stays so, a proxy takes the `Date` header away",
            Self::OrgChanged { .. } => {
                "a refreshed sandbox is another org: `sfmint sync reset JOB` begins anew, or give the job a `destination` of its own"
            }
            Self::NotQueryable { .. } => "a permission set must give the user Read on the object",
            Self::NoCursor { .. } => "set the job's `mode` to \"full\"",
            Self::Soql { .. } => "change the job's `soql`, or set its `mode` to \"full\"",
            Self::SchemaChanged { .. } => {
                "`sfmint sync reset JOB --schema` accepts the fields as they are now; `on_schema_change = \"evolve\"` does so by itself"
            }
            Self::InDoubt(_)
            | Self::Torn { .. }
            | Self::Repeated { .. }
            | Self::Circle { .. }
            | Self::Empty { .. }
            | Self::NoWayOn { .. } => again,
            Self::MassDelete(_) => {
                "the user may see less than before: look at its permission sets and at sharing; if the rows are really gone, run once with `--max-delete-percent 100`"
            }
            Self::Differs { .. } => "`sfmint sync run JOB --full` reads everything anew",
            Self::Spent(_) => "run it again when calls are free; `api_budget_percent` sets the share",
            Self::Interrupted => "run it again: it goes on where it stopped",
            Self::Scratch { .. } => "look at the state directory's disk, owner and mode",
            Self::Thread => "this is a mistake of ours; please report it with the log",
        };
        vec![Hint::new(text)]
    }

    fn salesforce(&self) -> Option<&OAuthError> {
        match self {
            Self::Api(error) => error.salesforce(),
            _ => None,
        }
    }
}

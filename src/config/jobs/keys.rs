use crate::base::ObjectName;

use super::super::keys::{Key, shown};
use super::super::kind::Kind;
use super::super::show::printed_as_is;
use super::destination::destination;
use super::draft::JobDraft;
use super::names::fields;
use super::schedule::{when, zone};
use super::source::{condition, soql};
use super::words;

use crate::base::ConnectionName;

printed_as_is!(ObjectName, ConnectionName);

/// Seven days. Seconds.
const WEEK: u64 = 7 * 86_400;

const FIELDS: Kind = Kind::Texts { accepts: "a list of field names such as [\"Name\", \"Owner.Name\"]" };

/// Every key of a job.
pub(in crate::config) static JOB: &[Key<JobDraft>] = &[
    Key {
        name: "connection",
        kind: Kind::Text { accepts: "the name of a connection" },
        default: "the only connection, or the one called `default`",
        says: "Whose data is read.",
        take: |draft, at| draft.connection = at.parsed(),
        show: |draft| shown(&draft.connection),
    },
    Key {
        name: "object",
        kind: Kind::Text { accepts: "an object's API name such as \"Account\" or \"Invoice__c\"" },
        default: "",
        says: "The object that is read. This or `soql`.",
        take: |draft, at| draft.object = at.parsed(),
        show: |draft| shown(&draft.object),
    },
    Key {
        name: "soql",
        kind: Kind::Text { accepts: "a query such as \"SELECT Id, Name, SystemModstamp FROM Account\"" },
        default: "",
        says: "The query that is read, in place of `object`, `fields`, `exclude` and `where`. The rows are called by the object behind FROM. Changes are followed only with `Id` and one of `SystemModstamp`, `LastModifiedDate`, `CreatedDate`, `LoginTime` among its fields, and without GROUP BY, LIMIT, functions and aliases; any other query needs `mode = \"full\"`.",
        take: |draft, at| draft.soql = soql(at),
        show: |draft| shown(&draft.soql),
    },
    Key {
        name: "fields",
        kind: FIELDS,
        default: "all that the user may read",
        says: "The fields to read. `Id`, the field that tells of changes, and `IsDeleted` are always among them. A field that the user may not see is reported with each run.",
        take: |draft, at| draft.fields = fields(at),
        show: |draft| shown(&draft.fields),
    },
    Key {
        name: "exclude",
        kind: FIELDS,
        default: "none",
        says: "Fields to leave out.",
        take: |draft, at| draft.exclude = fields(at),
        show: |draft| shown(&draft.exclude),
    },
    Key {
        name: "where",
        kind: Kind::Text { accepts: "a condition such as \"Type = 'Customer'\"" },
        default: "none",
        says: "Which rows to read: a condition in SOQL, without the word WHERE. Rows that stop matching are found and treated as deleted ones.",
        take: |draft, at| draft.filter = condition(at),
        show: |draft| shown(&draft.filter),
    },
    Key {
        name: "mode",
        kind: Kind::OneOf(&["incremental", "full"]),
        default: "\"incremental\"",
        says: "Whether a run reads what changed, or everything, which then takes the place of what was there at once.",
        take: |draft, at| draft.mode = at.one_of(words::MODE),
        show: |draft| words::shown(words::MODE, &draft.mode),
    },
    Key {
        name: "schedule",
        kind: Kind::Schedule,
        default: "none",
        says: "When the job runs by itself, under `sfmint sync run --due`. Where clocks are changed, an hour that is named and skipped runs once after, and one that is repeated runs once; `*` and `*/N` go by the hours that pass.",
        take: |draft, at| draft.schedule = when(at),
        show: |draft| shown(&draft.schedule),
    },
    Key {
        name: "timezone",
        kind: Kind::Text { accepts: "a name of the IANA database such as \"Europe/Zurich\"" },
        default: "\"UTC\"",
        says: "The time zone of `schedule`, `reconcile`, `verify` and `full_refresh`.",
        take: |draft, at| draft.timezone = zone(at),
        show: |draft| shown(&draft.timezone),
    },
    Key {
        name: "jitter_seconds",
        kind: Kind::Number { min: 0, max: 86_400 },
        default: "30",
        says: "How long after its time a run may start, so that jobs do not all start at once. Each job has its own delay within this, always the same.",
        take: |draft, at| draft.jitter = at.number(),
        show: |draft| shown(&draft.jitter),
    },
    Key {
        name: "catch_up",
        kind: Kind::OneOf(&["once", "skip"]),
        default: "\"once\"",
        says: "What becomes of runs that were missed while nothing ran: one run makes up for all of them, or what is more than an hour late is left out.",
        take: |draft, at| draft.catch_up = at.one_of(words::CATCH_UP),
        show: |draft| words::shown(words::CATCH_UP, &draft.catch_up),
    },
    Key {
        name: "destination",
        kind: Kind::Destination,
        default: "",
        says: "Where the rows land: a table in an SQLite file, a folder of part files with a manifest, or standard output. The table bears the object's name, so jobs of several objects can share an SQLite file; a folder is one job's alone.",
        take: |draft, at| draft.destination = destination(at),
        show: |draft| shown(&draft.destination),
    },
    Key {
        name: "overlap_seconds",
        kind: Kind::Number { min: 0, max: WEEK },
        default: "900",
        says: "How long before the watermark a window starts: a transaction that began before it may have been committed after it. Rows that are there already are not written again.",
        take: |draft, at| draft.overlap = at.number(),
        show: |draft| shown(&draft.overlap),
    },
    Key {
        name: "settle_seconds",
        kind: Kind::Number { min: 0, max: 86_400 },
        default: "0",
        says: "How long ago a row must have changed to be read. With 0 there is no upper bound.",
        take: |draft, at| draft.settle = at.number(),
        show: |draft| shown(&draft.settle),
    },
    Key {
        name: "deletes",
        kind: Kind::OneOf(&["mark", "remove", "ignore"]),
        default: "\"mark\"",
        says: "What becomes of rows that were deleted in the org: they stay with `IsDeleted` true, or with `_sfmint_deleted_at` where the org no longer has them; they go; or they stay as they were. Files are only ever added to, so \"remove\" is for databases.",
        take: |draft, at| draft.deletes = at.one_of(words::DELETES),
        show: |draft| words::shown(words::DELETES, &draft.deletes),
    },
    Key {
        name: "reconcile",
        kind: Kind::Schedule,
        default: "\"weekly\"",
        says: "When the Ids of org and destination are compared, with the next run: rows that were deleted for good, or more than 15 days ago, are found in no other way.",
        take: |draft, at| draft.reconcile = when(at),
        show: |draft| shown(&draft.reconcile),
    },
    Key {
        name: "verify",
        kind: Kind::Schedule,
        default: "none",
        says: "When a run ends in `sfmint sync verify`, which changes nothing and says what differs.",
        take: |draft, at| draft.verify = when(at),
        show: |draft| shown(&draft.verify),
    },
    Key {
        name: "full_refresh",
        kind: Kind::Schedule,
        default: "none",
        says: "When an incremental job reads everything once: formula fields, and some changes that Salesforce makes itself, leave no stamp to follow. Readers see the old rows until all new ones are there.",
        take: |draft, at| draft.full_refresh = when(at),
        show: |draft| shown(&draft.full_refresh),
    },
    Key {
        name: "max_delete_percent",
        kind: Kind::Number { min: 0, max: 100 },
        default: "5",
        says: "The share of rows that may be gone at once. More than this and nothing is removed or marked, and the run ends as `partial`, exit 65: the user may see less than before.",
        take: |draft, at| draft.max_delete_percent = at.number(),
        show: |draft| shown(&draft.max_delete_percent),
    },
    Key {
        name: "on_schema_change",
        kind: Kind::OneOf(&["evolve", "warn", "fail"]),
        default: "\"evolve\"",
        says: "What new, lost and changed fields do: new ones become columns and none is ever dropped; the known ones go on being read and the change is reported; or the run ends before anything is read.",
        take: |draft, at| draft.on_schema_change = at.one_of(words::ON_SCHEMA_CHANGE),
        show: |draft| words::shown(words::ON_SCHEMA_CHANGE, &draft.on_schema_change),
    },
    Key {
        name: "transport",
        kind: Kind::OneOf(&["auto", "bulk", "rest"]),
        default: "\"auto\"",
        says: "Which API the rows come by: Bulk API 2.0 for large sets and REST for small ones and for what Bulk refuses, or one of them only.",
        take: |draft, at| draft.transport = at.one_of(words::TRANSPORT),
        show: |draft| words::shown(words::TRANSPORT, &draft.transport),
    },
    Key {
        name: "api_budget_percent",
        kind: Kind::Number { min: 1, max: 100 },
        default: "80",
        says: "The share of the org's daily API calls, those of everybody, at which a run stops by itself as `quota_stopped`, exit 75.",
        take: |draft, at| draft.api_budget_percent = at.number(),
        show: |draft| shown(&draft.api_budget_percent),
    },
    Key {
        name: "nul",
        kind: Kind::OneOf(&["replace", "remove", "keep", "fail"]),
        default: "\"replace\"",
        says: "What becomes of NUL characters in text, which some databases cannot hold: each becomes U+FFFD, is left out, or is kept where the destination can; the first two are counted. \"fail\" ends the run.",
        take: |draft, at| draft.nul = at.one_of(words::NUL),
        show: |draft| words::shown(words::NUL, &draft.nul),
    },
];

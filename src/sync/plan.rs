use crate::api::rest::Description;
use crate::base::job::{Deletes, Job, Mode, SchemaPolicy, Source};
use crate::base::{OrgId, UnixSeconds};
use crate::store::{BaselineField, SchemaReport};

use super::ids::IdQuery;
use super::schema;
use super::selection::{Selection, select};
use super::soql::Select;
use super::{Checkpoint, Column, SyncError, Window};

/// What somebody asked of a run beyond what the job says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The moment of the schedule that the run is for; none where somebody asked for it.
    pub scheduled_for: Option<UnixSeconds>,
    /// Everything, put in place of what is there.
    pub full: bool,
    /// A window of their own; the watermark stays.
    pub window: Option<(Option<UnixSeconds>, Option<UnixSeconds>)>,
    /// A name for the run.
    pub run_id: Option<String>,
    /// Compare the Ids also where that is not due.
    pub reconcile: bool,
    /// Verify at the end also where that is not due.
    pub verify: bool,
    /// In place of the job's own `max_delete_percent`.
    pub max_delete_percent: Option<u8>,
}

/// Why a run reads what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything, for the first time.
    First,
    /// Everything, because the job says so or somebody asked for it.
    Full,
    /// Everything, because it was time to.
    Refresh,
    /// What changed.
    Incremental,
    /// A window that somebody named.
    Backfill,
}

impl Kind {
    /// Whether the rows replace all that is there.
    pub fn is_whole(self) -> bool {
        matches!(self, Kind::First | Kind::Full | Kind::Refresh)
    }

    /// As history says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::First => "first",
            Kind::Full => "full",
            Kind::Refresh => "refresh",
            Kind::Incremental => "incremental",
            Kind::Backfill => "backfill",
        }
    }
}

/// What a run is going to do. Pure: `--dry-run` prints exactly this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Why it reads what it reads.
    pub kind: Kind,
    /// The query.
    pub soql: String,
    /// The same for the number of rows; none where that cannot be asked.
    pub count: Option<String>,
    /// Whether deleted rows are asked for too.
    pub all: bool,
    /// The columns, in the order of the query.
    pub columns: Vec<Column>,
    /// Where `Id` stands.
    pub id: Option<usize>,
    /// Where the field stands that tells when a row changed.
    pub stamp: Option<usize>,
    /// Where `IsDeleted` stands.
    pub is_deleted: Option<usize>,
    /// What is asked for, and where the next run goes on.
    pub window: Window,
    /// The Ids of rows that changed, with the job's filter and without it: what is only in the second no longer matches.
    pub no_longer_matching: Option<(IdQuery, IdQuery)>,
    /// Whether the Ids are compared after the rows are written.
    pub reconcile: bool,
    /// Whether the run ends in `verify`.
    pub verify: bool,
    /// The query for Ids and stamps that reconciling and verifying ask.
    pub ids: Option<IdQuery>,
    /// How the fields differ from those of the last run.
    pub schema: SchemaReport,
}

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The job.
    pub job: &'a Job,
    /// What was asked beyond it.
    pub wish: &'a Wish,
    /// What the org shows of the object.
    pub description: &'a Description,
    /// How far the data goes.
    pub checkpoint: Option<&'a Checkpoint>,
    /// The fields at the last run; none before the first.
    pub baseline: Option<&'a [BaselineField]>,
    /// The org's clock, before anything was asked for.
    pub asked_at: UnixSeconds,
    /// The org of the token.
    pub org: &'a OrgId,
}

/// Decides what a run does.
///
/// | watermark | mode or wish          | kind          | rows                    |
/// |-----------|-----------------------|---------------|-------------------------|
/// | any       | `--window-start/-end` | backfill      | upserted, watermark stays |
/// | any       | `full`, `--full`      | full          | replace all, at the end |
/// | none      | incremental           | first         | replace all, at the end |
/// | there     | `full_refresh` is due | refresh       | replace all, at the end |
/// | there     | incremental           | incremental   | upserted by Id          |
///
/// # Errors
///
/// [`SyncError::OrgChanged`], [`SyncError::NotQueryable`], [`SyncError::NoCursor`], [`SyncError::Soql`],
/// [`SyncError::SchemaChanged`].
pub fn plan(given: &Given<'_>) -> Result<Plan, SyncError> {
    let Given { job, wish, description, checkpoint, baseline, asked_at, org } = *given;
    let object = job.source.object_name();
    if let Some(was) =
        checkpoint.map(|checkpoint| &checkpoint.org_id).filter(|was| !was.is_empty() && *was != org.as_str())
    {
        return Err(SyncError::OrgChanged { was: was.clone(), is: org.clone() });
    }
    if !description.queryable {
        return Err(SyncError::NotQueryable { object: object.clone() });
    }
    let mut selection = select(job, description);
    let change = match baseline {
        Some(baseline) => schema::changes(baseline, &schema::baseline(&selection.columns), &selection.hidden),
        None => SchemaReport { hidden: selection.hidden.clone(), ..SchemaReport::default() },
    };
    selection.columns = match (baseline, schema::under(job.on_schema_change, &change, &selection.columns)) {
        (_, Some(columns)) => columns,
        // Before the first run there is nothing to have changed; what is hidden is named all the same.
        (None, None) if job.on_schema_change != SchemaPolicy::Fail || change.hidden.is_empty() => {
            selection.columns
        }
        (_, None) => return Err(SyncError::SchemaChanged { object: object.clone(), change }),
    };
    let kind = kind(job, wish, checkpoint, asked_at);
    if job.mode == Mode::Incremental || !kind.is_whole() {
        followable(job, &selection)?;
    }
    let watermark = checkpoint.and_then(|checkpoint| checkpoint.watermark);
    let window = match (kind, wish.window, watermark) {
        (Kind::Backfill, Some((start, end)), _) => Window::backfill(start, end),
        (Kind::Incremental, _, Some(watermark)) => {
            Window::since(watermark, job.overlap, job.settle, asked_at)
        }
        _ => Window::whole(asked_at),
    };
    Ok(assemble(given, kind, window, selection, change))
}

/// Whether changes can be followed: there is a stamp, and the job's own query, if it has one, selects it and `Id`.
fn followable(job: &Job, selection: &Selection) -> Result<(), SyncError> {
    let soql = |why: String| Err(SyncError::Soql { why });
    let Some(cursor) = &selection.cursor else {
        return Err(SyncError::NoCursor { object: job.source.object_name().clone() });
    };
    match &job.source {
        Source::Soql(own) => match own.unfollowable() {
            Some(why) => soql(why.to_string()),
            None if !own.selects("Id") || !own.selects(cursor) => {
                soql(format!("it must select `Id` and `{cursor}`"))
            }
            None => Ok(()),
        },
        Source::Object { .. } if selection.place("Id").is_none() => soql("the object has no `Id`".into()),
        Source::Object { .. } => Ok(()),
    }
}

fn kind(job: &Job, wish: &Wish, checkpoint: Option<&Checkpoint>, asked_at: UnixSeconds) -> Kind {
    let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.watermark.is_some()) else {
        return if job.mode == Mode::Full || wish.full { Kind::Full } else { Kind::First };
    };
    if wish.window.is_some() {
        return Kind::Backfill;
    }
    if job.mode == Mode::Full || wish.full {
        return Kind::Full;
    }
    match is_due(job.full_refresh.as_ref(), checkpoint.refreshed_at, asked_at) {
        true => Kind::Refresh,
        false => Kind::Incremental,
    }
}

/// Whether something that is done by a schedule has its time again; what was never done has.
pub(super) fn is_due(
    schedule: Option<&crate::base::job::Schedule>,
    last: Option<UnixSeconds>,
    now: UnixSeconds,
) -> bool {
    match (schedule, last) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(schedule), Some(last)) => schedule.next_after(last).is_some_and(|next| next <= now),
    }
}

fn assemble(
    given: &Given<'_>,
    kind: Kind,
    window: Window,
    selection: Selection,
    schema: SchemaReport,
) -> Plan {
    let Given { job, wish, checkpoint, asked_at, .. } = *given;
    let object = job.source.object_name();
    let filter = job.source.filter();
    let own = match &job.source {
        Source::Soql(soql) if soql.unfollowable().is_some() => Some(soql.text().to_string()),
        _ => None,
    };
    let names = selection.names();
    let cursor = selection.cursor.as_deref();
    let select = Select { columns: &names, object: object.as_str(), filter, cursor, window };
    // Whole sets without deleted rows where those are to be removed: what is not there need not be taken away.
    let all = match job.deletes {
        Deletes::Mark => true,
        Deletes::Remove => !kind.is_whole(),
        Deletes::Ignore => false,
    };
    let id = selection.place("Id");
    let whole_time = Window { low: None, high: None, next: None };
    let ids = |stamp: Option<&str>, filter: Option<&str>, window: Window| {
        let is_deleted = stamp.is_some() && selection.place("IsDeleted").is_some();
        let names: Vec<String> = ["Id"]
            .into_iter()
            .chain(stamp)
            .chain(is_deleted.then_some("IsDeleted"))
            .map(String::from)
            .collect();
        let select = Select { columns: &names, filter, window, ..select.clone() };
        IdQuery { soql: select.text(), count: select.count(), stamp: stamp.map(String::from), is_deleted }
    };
    let no_longer_matching =
        (kind == Kind::Incremental && filter.is_some() && job.deletes != Deletes::Ignore)
            .then(|| (ids(None, filter, window), ids(None, None, window)));
    let last = |of: fn(&Checkpoint) -> Option<UnixSeconds>| checkpoint.and_then(of);
    // A whole set brings its own proof: what is not in it is not there. Ids are compared where rows were only added.
    let may_reconcile = kind == Kind::Incremental && id.is_some() && job.deletes != Deletes::Ignore;
    let reconciled_at = last(|checkpoint| checkpoint.reconciled_at.max(checkpoint.refreshed_at));
    Plan {
        kind,
        count: own.is_none().then(|| select.count()),
        soql: own.unwrap_or_else(|| select.text()),
        all,
        id,
        stamp: cursor.and_then(|cursor| selection.place(cursor)),
        is_deleted: selection.place("IsDeleted").filter(|_| all),
        window,
        no_longer_matching,
        reconcile: may_reconcile
            && (wish.reconcile || is_due(job.reconcile.as_ref(), reconciled_at, asked_at)),
        verify: id.is_some()
            && (wish.verify
                || is_due(job.verify.as_ref(), last(|checkpoint| checkpoint.verified_at), asked_at)),
        ids: id.map(|_| ids(cursor, filter, whole_time)),
        columns: selection.columns,
        schema,
    }
}

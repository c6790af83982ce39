use std::time::Duration;

use crate::base::job::{Deletes, DestinationPlace, Job, Mode, Schedule, Source};
use crate::base::{ConnectionName, JobName};

use super::super::document::Section;
use super::super::mistake::Weight;
use super::super::nearest::did_you_mean;
use super::super::origin::Sourced;
use super::super::{Mistake, Origin};
use super::JobDraft;
use super::schedule::When;
use super::source::unfollowable;

/// A job with everything it needs, and still with the origin of each value.
#[derive(Clone, Debug)]
pub(in crate::config) struct ResolvedJob {
    /// Where its table begins.
    pub header: Origin,
    pub draft: JobDraft,
    pub job: Job,
}

/// Lays a job's table over the defaults.
///
/// # Errors
///
/// What is missing, and what contradicts itself.
pub(in crate::config) fn resolve(
    name: JobName,
    section: Section<JobDraft>,
    defaults: &Section<JobDraft>,
    connections: &[ConnectionName],
) -> Result<ResolvedJob, Vec<Mistake>> {
    let header = section.header.clone();
    let mut wrong = Wrong { job: &name, header: &header, mistakes: Vec::new() };
    let by_soql = section.says("soql");
    for key in ["object", "fields", "exclude", "where"] {
        if by_soql && section.says(key) {
            wrong.says(&header, format!("has `soql` and `{key}`; a query says by itself what it reads"));
        }
    }
    // The nearer layer decides whether it is an object or a query; the other kind in the defaults is then not meant.
    let mut below = defaults.draft.clone();
    match (by_soql, section.says("object")) {
        (true, _) => (below.object, below.fields, below.exclude, below.filter) = (None, None, None, None),
        (_, true) => below.soql = None,
        _ => {}
    }
    let says = |key: &str| section.says(key) || defaults.says(key);
    let (lacks_source, lacks_destination) = (!says("object") && !says("soql"), !says("destination"));
    let said_connection = says("connection");
    let draft = section.draft.or(&below);
    if lacks_source {
        wrong.lacks("`object` or `soql`");
    }
    if lacks_destination {
        wrong.lacks("`destination`");
    }
    let connection = wrong.connection(&draft, said_connection, connections);
    let source = source(&draft);
    if let Some(source) = &source {
        wrong.source(&draft, source);
    }
    wrong.deletes(&draft);
    let schedules = wrong.schedules(&draft);
    let mistakes = wrong.mistakes;
    match (connection, source, &draft.destination) {
        (Some(connection), Some(source), Some(destination)) if mistakes.is_empty() => {
            let usual = Job::new(name, connection, source, destination.value.clone());
            Ok(ResolvedJob { header, job: filled(usual, &draft, schedules), draft })
        }
        // A value that was refused is not missing; its own mistake is already told.
        _ => Err(mistakes),
    }
}

fn source(draft: &JobDraft) -> Option<Source> {
    if let Some(soql) = &draft.soql {
        return Some(Source::Soql(soql.value.clone()));
    }
    Some(Source::Object {
        object: draft.object.as_ref()?.value.clone(),
        fields: draft.fields.as_ref().map(|said| said.value.clone()),
        exclude: draft.exclude.as_ref().map(|said| said.value.clone()).unwrap_or_default(),
        filter: draft.filter.as_ref().map(|said| said.value.clone()),
    })
}

/// When the job runs, reconciles, verifies and refreshes.
struct Schedules {
    run: Option<Schedule>,
    reconcile: Option<Schedule>,
    verify: Option<Schedule>,
    full_refresh: Option<Schedule>,
}

fn filled(usual: Job, draft: &JobDraft, schedules: Schedules) -> Job {
    let seconds = |said: &Option<Sourced<u64>>, usual| {
        said.as_ref().map_or(usual, |said| Duration::from_secs(said.value))
    };
    let percent = |said: &Option<Sourced<u64>>, usual| {
        said.as_ref().and_then(|said| u8::try_from(said.value).ok()).unwrap_or(usual)
    };
    let jitter = draft.jitter.as_ref().map(|said| Duration::from_secs(said.value));
    let catch_up = draft.catch_up.as_ref().map(|said| said.value);
    let schedule = schedules.run.map(|mut schedule| {
        schedule.jitter = jitter.unwrap_or(schedule.jitter);
        schedule.catch_up = catch_up.unwrap_or(schedule.catch_up);
        schedule
    });
    Job {
        mode: draft.mode.as_ref().map_or(usual.mode, |said| said.value),
        schedule,
        overlap: seconds(&draft.overlap, usual.overlap),
        settle: seconds(&draft.settle, usual.settle),
        deletes: draft.deletes.as_ref().map_or(usual.deletes, |said| said.value),
        reconcile: schedules.reconcile,
        verify: schedules.verify,
        full_refresh: schedules.full_refresh,
        max_delete_percent: percent(&draft.max_delete_percent, usual.max_delete_percent),
        on_schema_change: draft.on_schema_change.as_ref().map_or(usual.on_schema_change, |said| said.value),
        transport: draft.transport.as_ref().map_or(usual.transport, |said| said.value),
        api_budget_percent: percent(&draft.api_budget_percent, usual.api_budget_percent),
        nul: draft.nul.as_ref().map_or(usual.nul, |said| said.value),
        ..usual
    }
}

/// What is wrong with one job.
struct Wrong<'a> {
    job: &'a JobName,
    header: &'a Origin,
    mistakes: Vec<Mistake>,
}

impl Wrong<'_> {
    fn says(&mut self, origin: &Origin, says: String) {
        self.mistakes.push(Mistake::new(origin.clone(), format!("job `{}` {says}", self.job)));
    }

    fn lacks(&mut self, what: &str) {
        let says = format!("job `{}` lacks {what}", self.job);
        self.mistakes.push(Mistake::new(self.header.clone(), says).with_weight(Weight::Missing));
    }

    /// The connection that is named; with none named, the only one, or the one called `default`.
    fn connection(
        &mut self,
        draft: &JobDraft,
        is_said: bool,
        known: &[ConnectionName],
    ) -> Option<ConnectionName> {
        let names = || known.iter().map(ConnectionName::as_str);
        if let Some(said) = &draft.connection {
            if known.contains(&said.value) {
                return Some(said.value.clone());
            }
            let near = did_you_mean(said.value.as_str(), names());
            let says = format!("names connection `{}`, and there is none of that name{near}", said.value);
            self.says(&said.origin, says);
            return None;
        }
        match known {
            _ if is_said => None,
            [only] => Some(only.clone()),
            _ if names().any(|name| name == "default") => {
                known.iter().find(|name| name.as_str() == "default").cloned()
            }
            [] => {
                self.lacks("`connection`, and there is none that it could mean");
                None
            }
            _ => {
                self.lacks(&format!("`connection`; there are {}", names().collect::<Vec<_>>().join(", ")));
                None
            }
        }
    }

    /// A query that is to be followed must be one that can be.
    fn source(&mut self, draft: &JobDraft, source: &Source) {
        let (Source::Soql(soql), Some(said)) = (source, &draft.soql) else { return };
        let is_full = draft.mode.as_ref().is_some_and(|mode| mode.value == Mode::Full);
        if let Some(why) = unfollowable(soql).filter(|_| !is_full) {
            let says = format!(
                "cannot follow changes with its `soql`: {why}; select what is missing, or set `mode = \"full\"`"
            );
            self.says(&said.origin, says);
        }
    }

    /// Rows leave a table; from files and pipes nothing is taken back.
    fn deletes(&mut self, draft: &JobDraft) {
        let Some(destination) = &draft.destination else { return };
        let what = match destination.value {
            DestinationPlace::Sqlite(_) => return,
            DestinationPlace::Csv(_) | DestinationPlace::Jsonl(_) => "files are only ever added to",
            DestinationPlace::Stdout => "what went to stdout is gone",
        };
        if let Some(said) = draft.deletes.as_ref().filter(|said| said.value == Deletes::Remove) {
            let says = format!("has `deletes = \"remove\"`, and {what}; accepted is \"mark\" or \"ignore\"");
            self.says(&said.origin, says);
        }
        let compared = [("reconcile", &draft.reconcile), ("verify", &draft.verify)];
        for (key, said) in compared.into_iter().filter_map(|(key, said)| Some((key, said.as_ref()?))) {
            if destination.value == DestinationPlace::Stdout && matches!(said.value, When::By(_)) {
                self.says(&said.origin, format!("has `{key}`, and {what}; leave it out"));
            }
        }
    }

    fn schedules(&mut self, draft: &JobDraft) -> Schedules {
        let zone = draft.timezone.as_ref().map_or("UTC", |said| said.value.as_str());
        let mut read = |said: &Option<Sourced<When>>| -> Option<Schedule> {
            let said = said.as_ref()?;
            said.value.schedule(zone).unwrap_or_else(|error| {
                self.says(&said.origin, format!("has a schedule that cannot be followed: {error}"));
                None
            })
        };
        // What went to stdout cannot be compared with anything.
        let can_compare =
            draft.destination.as_ref().is_some_and(|said| said.value != DestinationPlace::Stdout);
        Schedules {
            run: read(&draft.schedule),
            reconcile: match &draft.reconcile {
                None if can_compare => Schedule::parse("weekly", zone).ok(),
                said => read(said),
            },
            verify: read(&draft.verify),
            full_refresh: read(&draft.full_refresh),
        }
    }
}

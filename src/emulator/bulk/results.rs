use super::dialect::Dialect;
use super::gzip::{is_accepted, packed};
use super::lies::LieKind;
use super::locator::PageLocator;
use super::page_text::PageText;
use super::prerendered::PageKey;
use super::query::{with_job, wrong_state};
use super::query_job::QueryJob;
use super::state::JobState;
use crate::base::ApiVersion;
use crate::emulator::content::{Chunks, Content};
use crate::emulator::rest::{Caller, Reply, RestRequest};
use crate::emulator::rules::Rules;
use crate::emulator::soql::{Mark, Plan};
use crate::emulator::state::Shared;

/// A page as it is to be sent.
struct Page {
    plan: Plan,
    dialect: Dialect,
    key: PageKey,
    from: Mark,
    rows: u64,
    count: u64,
    locator: Option<String>,
    lies: Vec<LieKind>,
    rules: Rules,
}

/// `GET /jobs/query/ID/results?maxRecords=N&locator=L`: one page of the results, with a header line of its own.
pub(super) fn results(
    org: &Shared,
    caller: &Caller,
    request: &RestRequest<'_>,
    id: &str,
    version: ApiVersion,
) -> Reply {
    let mut found = None;
    let refused = with_job(org, caller, id, |state, job| {
        job.advance(&state.rules.bulk, false, org.clock.now(), org.clock.elapsed());
        if let Err(refused) = readable(job, version) {
            return refused;
        }
        let at = match place(job, request, state.rules.bulk.page_rows) {
            Ok(at) => at,
            Err(refused) => return refused,
        };
        found = Some(page(job, at, &state.rules));
        if job.lies.contains(&LieKind::AbortedAfter { page: at.page }) {
            job.end(JobState::Aborted, None, org.clock.now());
        }
        Reply::empty(200)
    });
    match found {
        Some(page) => page.reply(org, request),
        None => refused,
    }
}

/// Whether results can be read now, by this version.
pub(super) fn readable(job: &QueryJob, version: ApiVersion) -> Result<(), Reply> {
    if job.version != version {
        let says = format!("The job was created with API version {}, and not with {version}", job.version);
        return Err(Reply::refused(409, "INVALID_API_VERSION", &says));
    }
    match job.state {
        JobState::JobComplete => Ok(()),
        state => Err(wrong_state(state, "read results")),
    }
}

fn place(job: &QueryJob, request: &RestRequest<'_>, page_rows: u64) -> Result<PageLocator, Reply> {
    let wanted = match request.parameter("maxRecords") {
        None => None,
        Some(text) => match text.parse::<u64>() {
            Ok(rows) if rows > 0 => Some(rows),
            _ => return Err(Reply::refused(400, "INVALIDREQUEST", "maxRecords must be a positive number")),
        },
    };
    let Some(text) = request.parameter("locator") else {
        return Ok(PageLocator { page: 1, given: 0, size: wanted.unwrap_or(page_rows).max(1) });
    };
    match PageLocator::read(&text, &job.id) {
        Some(at) if at.given <= job.plan.total => Ok(PageLocator { size: wanted.unwrap_or(at.size), ..at }),
        _ => Err(Reply::refused(400, "INVALIDREQUEST", "The locator is not valid for this job")),
    }
}

/// The page at a place, the job's lies included.
fn page(job: &mut QueryJob, at: PageLocator, rules: &Rules) -> Page {
    let total = job.plan.total;
    let from = job.mark(at.given);
    let rows = at.size.min(total - at.given);
    let next = job.plan.skip(from, rows);
    job.marks.extend([(at.given, from), (next.given, next)]);
    let follows = PageLocator { page: at.page + 1, given: next.given, size: at.size };
    let alone = at.given == 0 && next.given == total && rules.bulk.lone_page_without_locator;
    let mut page = Page {
        plan: job.plan.clone(),
        dialect: job.dialect,
        key: PageKey {
            query: job.query.clone(),
            all_rows: job.all_rows,
            username: job.owner.clone(),
            version: job.rows_version,
            dialect: job.dialect,
            given: at.given,
            rows,
            packed: false,
        },
        from,
        rows,
        count: rows,
        locator: match next.given < total {
            true => Some(follows.text(&job.id)),
            false => Some("null".into()).filter(|_| !alone),
        },
        lies: job.lies.clone(),
        rules: rules.clone(),
    };
    for lie in &job.lies {
        match lie {
            LieKind::HeaderCount { page: one, by } if *one == at.page => {
                page.count = page.count.saturating_add_signed(*by);
            }
            LieKind::NoLocator { page: one } if *one == at.page => page.locator = None,
            LieKind::SameLocator { page: one } if *one == at.page => page.locator = Some(at.text(&job.id)),
            LieKind::EmptyPage { page: one } if *one == at.page => (page.rows, page.count) = (0, 0),
            LieKind::RepeatedPage { page: one } if *one == at.page => {
                page.from = job.mark(at.given.saturating_sub(at.size));
            }
            LieKind::LocatorLoop { page: one } if *one == at.page => {
                let back = PageLocator { page: 2, given: at.size.min(total), size: at.size };
                page.locator = Some(back.text(&job.id));
            }
            _ => {}
        }
    }
    page.lies.retain(|lie| match lie {
        LieKind::DroppedRow { .. } => true,
        LieKind::ColumnOrder { page: one } => *one == at.page,
        _ => false,
    });
    page
}

impl Page {
    fn reply(self, org: &Shared, request: &RestRequest<'_>) -> Reply {
        let packs = self.rules.bulk.gzip && is_accepted(request.accept_encoding);
        let honest = self.lies.is_empty() && self.rows == self.key.rows && self.from.given == self.key.given;
        let (count, locator) = (self.count, self.locator.clone());
        let keeps = self.rules.bulk.prerender && honest;
        let key = PageKey { packed: packs, ..self.key.clone() };
        let text = self.text();
        let made = if packs { packed(text) } else { text };
        let content = match keeps {
            true => Content::Held(org.prerendered.page(key, || made.0.flatten().collect())),
            false => Content::Made(made),
        };
        let mut reply =
            Reply::new(200, "text/csv", content).header("sforce-numberofrecords", count.to_string());
        if let Some(locator) = locator {
            reply = reply.header("sforce-locator", locator);
        }
        if packs { reply.header("content-encoding", "gzip") } else { reply }
    }

    fn text(self) -> Chunks {
        let mut text = PageText::new(self.plan, self.dialect, self.from, self.rows);
        for lie in self.lies {
            text = match lie {
                LieKind::DroppedRow { row } => text.without(row.saturating_sub(1)),
                _ => text.swapped(),
            };
        }
        Chunks(Box::new(text))
    }
}

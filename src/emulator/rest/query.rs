use std::collections::BTreeMap;
use std::sync::Arc;

use super::locator::Locator;
use super::reply::Reply;
use super::session::Caller;
use crate::base::ApiVersion;
use crate::emulator::ids::record_id;
use crate::emulator::setup_rows;
use crate::emulator::soql::{Answer, Mark, Plan, bind, parse};
use crate::emulator::state::{OrgState, Shared};
use crate::emulator::table::Table;

/// Rows a page: the least, the most and the usual. REST API guide, "Query Options Header".
const PAGE: (u64, u64, u64) = (200, 2000, 2000);

/// The longest query, characters. SOQL reference.
const LONGEST: usize = 100_000;

/// `batchSize` of `Sforce-Query-Options`, kept within what the org allows.
pub(super) fn page_size(header: Option<&str>) -> u64 {
    header
        .and_then(|text| {
            let (name, size) = text.split_once('=')?;
            name.trim().eq_ignore_ascii_case("batchSize").then(|| size.trim().parse().ok())?
        })
        .map_or(PAGE.2, |size: u64| size.clamp(PAGE.0, PAGE.1))
}

/// What `?q=` asks for, ready to run; or why not.
pub(in crate::emulator) fn plan(
    org: &Shared,
    caller: &Caller,
    text: &str,
    all_rows: bool,
) -> Result<Plan, Reply> {
    if text.len() > LONGEST {
        let says = "SOQL statements cannot be longer than 100000 characters.";
        return Err(Reply::refused(400, "QUERY_TOO_COMPLICATED", says));
    }
    let parsed = parse(text)?;
    let objects = |name: &str| -> Option<Arc<dyn Table>> {
        let state = org.state();
        let viewer = state.users.get(caller.user_at)?;
        setup_rows::table(org, &state, viewer, name)
    };
    Ok(bind(text, &parsed, &objects, all_rows, org.clock.now())?)
}

/// `/query?q=` and `/queryAll?q=`: the first page.
pub(super) fn answer(org: &Shared, caller: &Caller, plan: Plan, size: u64, version: ApiVersion) -> Reply {
    match plan.answer {
        Answer::Count => Reply::json(format!(r#"{{"totalSize":{},"done":true,"records":[]}}"#, plan.total)),
        Answer::CountOf(field) => Reply::json(format!(
            r#"{{"totalSize":1,"done":true,"records":[{{"attributes":{{"type":"AggregateResult"}},"expr0":{}}}]}}"#,
            plan.count_filled(field)
        )),
        Answer::Rows(_) => first_page(org, caller, plan, size, version),
    }
}

fn first_page(org: &Shared, caller: &Caller, plan: Plan, size: u64, version: ApiVersion) -> Reply {
    let start = plan.start();
    let (rows, next) = plan.page(start, size);
    let mut locator_id = None;
    if next.given < plan.total {
        let state = &mut *org.state();
        let id = record_id("01g", state.next_serial());
        open(
            state,
            caller,
            Locator {
                id: id.clone(),
                owner: caller.session.username.clone(),
                plan: plan.clone(),
                size,
                used: org.clock.elapsed(),
                marks: BTreeMap::from([(0, start), (next.given, next)]),
            },
        );
        locator_id = Some(id);
    }
    show(&plan, &rows, next, locator_id.as_deref(), version)
}

/// Opens a locator; the user's oldest is closed where there are too many.
fn open(state: &mut OrgState, caller: &Caller, locator: Locator) {
    let is_own = |locator: &Locator| locator.owner == caller.session.username;
    if state.locators.iter().filter(|locator| is_own(locator)).count()
        >= state.rules.facts.open_locators_per_user
        && let Some(oldest) = state.locators.iter().position(is_own)
    {
        state.locators.remove(oldest);
    }
    state.locators.push_back(locator);
}

/// `/query/LOCATOR`, as `nextRecordsUrl` names it: `01g...-2000`.
pub(super) fn next_page(org: &Shared, caller: &Caller, name: &str, version: ApiVersion) -> Reply {
    let gone = || Reply::refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
    let Some((id, given)) = name.rsplit_once('-').and_then(|(id, given)| Some((id, given.parse().ok()?)))
    else {
        return gone();
    };
    let elapsed = org.clock.elapsed();
    let (plan, size, mark) = {
        let state = &mut *org.state();
        let idle = state.rules.facts.locator_idle_seconds;
        state.locators.retain(|locator| elapsed.saturating_sub(locator.used).as_secs() < idle);
        let is_it = |locator: &&mut Locator| locator.id == id && locator.owner == caller.session.username;
        let Some(locator) = state.locators.iter_mut().find(is_it) else { return gone() };
        locator.used = elapsed;
        let Some(mark) = locator.mark(given) else { return gone() };
        (locator.plan.clone(), locator.size, mark)
    };
    let (rows, next) = plan.page(mark, size);
    if let Some(locator) = org.state().locators.iter_mut().find(|locator| locator.id == id) {
        locator.marks.insert(next.given, next);
    }
    show(&plan, &rows, next, Some(id).filter(|_| next.given < plan.total), version)
}

fn show(plan: &Plan, rows: &[u64], next: Mark, locator: Option<&str>, version: ApiVersion) -> Reply {
    let version = version.to_string();
    let mut out = format!(r#"{{"totalSize":{},"done":{}"#, plan.total, locator.is_none());
    if let Some(id) = locator {
        out.push_str(&format!(r#","nextRecordsUrl":"/services/data/v{version}/query/{id}-{}""#, next.given));
    }
    out.push_str(r#","records":["#);
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        plan.write_row(*row, &version, &mut out);
    }
    out.push_str("]}");
    Reply::json(out)
}

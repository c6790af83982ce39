use serde_json::{Value, json};

use crate::api::Client;
use crate::base::job::{DestinationPlace, Source};
use crate::base::{Fault, Job};
use crate::emulator::Org;
use crate::store::RunOutcome;
use crate::sync::{RunReport, Wish, World};

use super::super::report::{Complaint, told};
use super::super::sync::grouped;
use super::super::wire::Wire;
use super::stage::Stage;
use super::tell::Teller;

/// The accounts go into SQLite twice: everything, then what somebody changed and deleted meanwhile.
pub async fn sync(
    stage: &Stage,
    teller: &mut Teller,
    org: &Org,
    wire: &Wire,
    client: &Client,
) -> anyhow::Result<()> {
    let step = teller.step("They go into SQLite; some change, and only those go again");
    let name = |text: &str| text.parse().map_err(anyhow::Error::new);
    let object = "Account".parse().map_err(anyhow::Error::new)?;
    let place = DestinationPlace::Sqlite(stage.folder().join("accounts.db"));
    let job = Job::new(name("accounts")?, stage.name().clone(), Source::object(object), place);
    let first = run(stage, wire, client, &job).await?;
    let changed = change(org)?;
    let second = run(stage, wire, client, &job).await?;
    let says = |word: &str, report: &RunReport| {
        let rows = report.row.rows;
        format!(
            "{word}  {} received = {} written + {} unchanged, {} of them deleted; counted by the org: {}",
            grouped(rows.received),
            grouped(rows.written),
            grouped(rows.unchanged),
            grouped(rows.deleted),
            rows.expected.map_or("-".to_string(), grouped),
        )
    };
    step.done(
        teller,
        &[says("everything", &first), format!("meanwhile   {changed}"), says("changes   ", &second)],
        json!({ "first": first.row, "second": second.row }),
    )
}

/// Three accounts get another name, two are deleted, one is new.
fn change(org: &Org) -> anyhow::Result<String> {
    let admin = org.admin();
    let mistake = |error: crate::emulator::AdminMistake| {
        told(Complaint::new("demo.records", Fault::Bug, error.to_string()))
    };
    let rows = admin.records("Account").map_err(mistake)?;
    let live = rows.iter().filter(|row| row["IsDeleted"] == Value::Bool(false));
    let ids: Vec<&str> = live.filter_map(|row| row["Id"].as_str()).take(5).collect();
    for (at, id) in ids.iter().enumerate() {
        match at {
            0..3 => admin.update("Account", id, json!({ "Name": "renamed" })).map_err(mistake)?,
            _ => admin.delete_record("Account", id).map_err(mistake)?,
        }
    }
    admin.insert("Account", json!({ "Name": "new" })).map_err(mistake)?;
    Ok("3 renamed, 2 deleted, 1 new".to_string())
}

async fn run(stage: &Stage, wire: &Wire, client: &Client, job: &Job) -> anyhow::Result<RunReport> {
    let (store, clock) = (wire.store(), wire.clock());
    let world = World {
        client,
        store: &store,
        clock: &*clock,
        state_dir: stage.folder(),
        host: "demo",
        stopping: &|| false,
        tell: &|_| {},
    };
    let mut report = crate::sync::run(&world, job, &Wish::default()).await;
    match report.error.take() {
        Some(error) => Err(told(error)),
        None if report.outcome() == RunOutcome::Complete => Ok(report),
        None => Err(told(Complaint::new("demo.sync", Fault::Bug, "a sync ended without a word"))),
    }
}

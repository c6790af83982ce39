//! One job between the built-in org and an SQLite file, and the two compared.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::types::Value as Cell;
use serde_json::Value;
use sfmint::Client;
use sfmint::base::Job;
use sfmint::base::job::{DestinationPlace, Source};
use sfmint::emulator::{Admin, OrgConfig, RecordsConfig};
use sfmint::store::{RunOutcome, Store};
use sfmint::sync::{RunReport, Step, Wish, World as SyncWorld};

use crate::org::World;

/// An org with accounts, and a job that brings them into SQLite.
pub struct Bench {
    pub world: World,
    pub job: Job,
    client: Client,
    store: Arc<dyn Store>,
    /// After so many pages the run is asked to stop.
    pub stop_after: AtomicU64,
}

impl Bench {
    /// With so many live accounts.
    pub async fn new(accounts: u64) -> Self {
        let records = RecordsConfig { accounts, ..RecordsConfig::default() };
        Self::of(OrgConfig { records, ..OrgConfig::default() }).await
    }

    pub async fn of(config: OrgConfig) -> Self {
        let world = World::of(config).await;
        let client = Client::over(world.source(world.in_memory()), world.clock.clone(), None);
        let store: Arc<dyn Store> = world.store.clone();
        let place = DestinationPlace::Sqlite(world.folder.path().join("salesforce.db"));
        let source = Source::object("Account".parse().unwrap());
        let mut job = Job::new("accounts".parse().unwrap(), "prod".parse().unwrap(), source, place);
        // Reconciling has tests of its own.
        job.reconcile = None;
        Self { world, job, client, store, stop_after: AtomicU64::new(u64::MAX) }
    }

    pub fn admin(&self) -> Admin {
        self.world.org.admin()
    }

    pub fn database(&self) -> PathBuf {
        self.world.folder.path().join("salesforce.db")
    }

    /// Runs the job as it stands.
    pub async fn run(&self) -> RunReport {
        self.wish(Wish::default()).await
    }

    pub async fn wish(&self, wish: Wish) -> RunReport {
        let pages = AtomicU64::new(0);
        let tell = |step: Step| {
            if matches!(step, Step::Page(_)) {
                pages.fetch_add(1, Ordering::SeqCst);
            }
        };
        let stopping = || pages.load(Ordering::SeqCst) >= self.stop_after.load(Ordering::SeqCst);
        sfmint::sync::run(&self.around(&stopping, &tell), &self.job, &wish).await
    }

    pub async fn verify(&self) -> RunReport {
        sfmint::sync::verify(&self.around(&|| false, &|_| {}), &self.job).await
    }

    fn around<'a>(
        &'a self,
        stopping: &'a (dyn Fn() -> bool + Send + Sync),
        tell: &'a (dyn Fn(Step) + Send + Sync),
    ) -> SyncWorld<'a> {
        SyncWorld {
            client: &self.client,
            store: &self.store,
            clock: &*self.world.clock,
            state_dir: self.world.folder.path(),
            host: "here",
            stopping,
            tell,
        }
    }

    /// Runs, and insists on its being complete and on the destination's holding what the org has.
    pub async fn complete(&self) -> RunReport {
        let report = self.run().await;
        assert_eq!(report.outcome(), RunOutcome::Complete, "{:?}", report.error);
        let rows = report.row.rows;
        assert_eq!(rows.received, rows.written + rows.unchanged, "{rows:?}");
        self.same();
        report
    }

    /// Reads everything anew, and insists as [`complete`](Self::complete) does.
    pub async fn complete_again(&self) {
        let report = self.wish(Wish { full: true, ..Wish::default() }).await;
        assert_eq!(report.outcome(), RunOutcome::Complete, "{:?}", report.error);
        self.same();
    }

    /// The destination holds every row of the org, deleted ones included, each value as it is there.
    pub fn same(&self) {
        let org: BTreeMap<String, Value> = self
            .admin()
            .records("Account")
            .unwrap()
            .into_iter()
            .map(|row| (row["Id"].as_str().unwrap().to_string(), row))
            .collect();
        let here = self.rows();
        if org.len() != here.len() {
            let (missing, surplus) = (
                org.keys().filter(|id| !here.contains_key(*id)).take(5).collect::<Vec<_>>(),
                here.keys().filter(|id| !org.contains_key(*id)).take(5).collect::<Vec<_>>(),
            );
            panic!("{} rows there, {} here; missing {missing:?}, surplus {surplus:?}", org.len(), here.len());
        }
        for (id, row) in &org {
            let held = here.get(id).unwrap_or_else(|| panic!("{id} is missing"));
            for (name, value) in row
                .as_object()
                .unwrap()
                .iter()
                .filter(|(name, _)| !["attributes", "BillingAddress", "Logo__c"].contains(&name.as_str()))
            {
                let held = held.get(name).unwrap_or_else(|| panic!("there is no column {name}"));
                assert!(is_same(held, value), "{id}.{name}: {held:?} here, {value} there");
            }
        }
    }

    /// Every row of the table, by Id.
    pub fn rows(&self) -> BTreeMap<String, BTreeMap<String, Cell>> {
        let db = rusqlite::Connection::open(self.database()).unwrap();
        let mut statement = db.prepare("SELECT * FROM Account").unwrap();
        let names: Vec<String> = statement.column_names().map(|name| name.to_string()).collect();
        let rows = statement.query_map([], |row| {
            names.iter().enumerate().map(|(at, name)| Ok((name.clone(), row.get(at)?))).collect()
        });
        let rows: Vec<BTreeMap<String, Cell>> = rows.unwrap().collect::<Result<_, _>>().unwrap();
        rows.into_iter().map(|row| (text(&row["Id"]), row)).collect()
    }

    pub fn count(&self, condition: &str) -> i64 {
        let db = rusqlite::Connection::open(self.database()).unwrap();
        db.query_row(&format!("SELECT count(*) FROM Account WHERE {condition}"), [], |row| row.get(0))
            .unwrap()
    }

    pub fn execute(&self, sql: &str) {
        rusqlite::Connection::open(self.database()).unwrap().execute_batch(sql).unwrap();
    }
}

pub fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    }
}

/// Whether a value of the org and one of SQLite say the same. NUL characters were replaced, as the job says by default.
fn is_same(held: &Cell, there: &Value) -> bool {
    match (held, there) {
        (Cell::Null, Value::Null) => true,
        (Cell::Integer(held), Value::Bool(there)) => *held == i64::from(*there),
        (Cell::Integer(held), Value::Number(there)) => there.as_f64() == Some(*held as f64),
        (Cell::Real(held), Value::Number(there)) => there.as_f64() == Some(*held),
        (Cell::Text(held), Value::Number(there)) => held.parse().ok() == there.as_f64(),
        (Cell::Text(held), Value::String(there)) => {
            let there = there.replace('\0', "\u{fffd}");
            *held == there
                || held.strip_suffix('Z') == there.strip_suffix("+0000").filter(|time| time.contains('T'))
        }
        _ => false,
    }
}

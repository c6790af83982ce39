//! `sfmint query --bulk` and `sfmint load` as people run them, against the built-in org's Bulk API.

use std::path::Path;

use serde_json::Value;
use sfmint::emulator::{Effect, Injection, Lie, LieKind, LogEntry, OrgConfig};

use crate::child::Ran;
use crate::places::Desk;

const SOQL: &str = "SELECT Id, Name, Description, AnnualRevenue, Active__c, LastModifiedDate FROM Account";

fn desk() -> Desk {
    let mut config = OrgConfig::default();
    config.rules.bulk.polls_until_complete = 1;
    config.rules.bulk.ingest_polls_until_complete = 1;
    let desk = Desk::with(config);
    desk.write("sfmint.toml", &desk.config("api_version = \"67.0\""));
    desk
}

fn cells(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
    let mut rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect();
    rows[1..].sort();
    rows
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

// Issue 3: the same row lands identically by either transport.
#[test]
fn bulk_and_rest_bring_the_same_rows() {
    let desk = desk();
    // REST writes times with another zone than Bulk, in CSV too.
    let soql = "SELECT Id, Name, Description, AnnualRevenue, Active__c FROM Account";
    let by = |arguments: &[&str]| {
        let ran = desk.sfmint(&[&["query"], arguments].concat());
        assert_eq!(ran.code(), 0, "{arguments:?}: {}", ran.err());
        ran
    };
    let (rest, bulk) = (by(&["--format", "csv", soql]), by(&["--bulk", "--format", "csv", soql]));
    assert_eq!(cells(&rest.stdout).len(), 1001);
    assert!(cells(&rest.stdout) == cells(&bulk.stdout), "the rows of CSV differ");
    for soql in [SOQL, "SELECT Id, LastName, Account.Name, CreatedDate FROM Contact"] {
        let rest = by(&["--all", "--format", "jsonl", soql]).out();
        let bulk = by(&["--all", "--bulk", "--format", "jsonl", soql]).out();
        assert!(lines(&rest).len() > 500, "{soql}");
        for (rest, bulk) in lines(&rest).iter().zip(lines(&bulk)) {
            let [rest, bulk] = [*rest, bulk].map(|line| serde_json::from_str::<Value>(line).unwrap());
            assert_eq!(rest, bulk);
        }
    }
    let compound = "SELECT Id, BillingAddress FROM Account LIMIT 3";
    let fallen = by(&["--bulk", "--format", "jsonl", compound]);
    assert_eq!(fallen.out().lines().count(), 3);
    assert!(fallen.err().contains("asking by REST"), "{}", fallen.err());
    // Everything that is said goes through the sweep.
    by(&["-vv", "--bulk", "--format", "csv", SOQL]);
}

fn to_file(desk: &Desk, path: &Path) -> Ran {
    desk.sfmint(&["query", "--bulk", "--format", "csv", "-o", path.to_str().unwrap(), SOQL])
}

// Issue 3, "Faults": each ends with exactly the org's rows.
#[test]
fn a_page_survives_what_happens_to_it() {
    let desk = desk();
    let whole = desk.path().join("whole.csv");
    assert_eq!(to_file(&desk, &whole).code(), 0);
    let expected = std::fs::read(&whole).unwrap();
    let page = |effect| Injection::next("/services/data", 1, effect).containing("/results");
    let faults = [
        Effect::Truncate { after_bytes: 5_000 },
        Effect::ResetAfter { after_bytes: 5_000 },
        Effect::SessionEnds { after_bytes: Some(5_000) },
        Effect::SessionEnds { after_bytes: None },
        Effect::Status { status: 503, headers: Default::default(), body: "<html>busy</html>".into() },
    ];
    for fault in faults {
        desk.admin().inject(page(fault.clone()));
        let path = desk.path().join("rows.csv");
        let ran = to_file(&desk, &path);
        assert_eq!(ran.code(), 0, "{fault:?}: {}", ran.err());
        assert!(std::fs::read(&path).unwrap() == expected, "{fault:?}");
        desk.admin().clear_faults();
    }
}

// Issue 3: "it can lie on purpose ...: each must end in exit 65".
#[test]
fn a_lie_about_counts_ends_with_65_and_publishes_nothing() {
    let desk = desk();
    let lies = [
        LieKind::HeaderCount { page: 1, by: 1 },
        LieKind::JobCount { by: -1 },
        LieKind::DroppedRow { row: 7 },
        LieKind::Fails { message: "InternalServerError : it broke".into() },
    ];
    let path = desk.path().join("rows.csv");
    for lie in lies {
        desk.admin().lie(Lie::next(lie.clone()));
        let ran = to_file(&desk, &path);
        assert_eq!(ran.code(), 65, "{lie:?}: {}", ran.err());
        assert!(!path.exists(), "{lie:?}");
    }
    // A missing locator ends the data where the counts say so.
    desk.admin().lie(Lie::next(LieKind::NoLocator { page: 1 }));
    assert_eq!(to_file(&desk, &path).code(), 0);
}

#[test]
fn rows_are_loaded_refused_corrected_changed_and_deleted() {
    let desk = desk();
    let before = desk.admin().records("Account").unwrap().len();
    let csv = "External_Id__c,Name,Description\r\nx-1,First,\"two\r\nlines, \"\"quoted\"\"\"\r\nx-2,,no name\r\nx-3,Third,#N/A\r\n";
    desk.write("new.csv", csv);
    let ran = desk.sfmint(&["load", "Account", "new.csv", "--json"]);
    assert_eq!(ran.code(), 65, "{}", ran.err());
    let told: Value = serde_json::from_str(&ran.out()).unwrap();
    assert_eq!((&told["rows"], &told["succeeded"], &told["failed"]), (&3.into(), &2.into(), &1.into()));
    assert!(ran.err().contains("\"load.rows\""), "{}", ran.err());

    // Again, nothing is sent: as many rows as before.
    assert_eq!(desk.sfmint(&["load", "Account", "new.csv"]).code(), 65);
    assert_eq!(desk.admin().records("Account").unwrap().len(), before + 2);
    let loaded = |id: &str| {
        let all = desk.admin().records("Account").unwrap();
        all.into_iter().find(|row| row["External_Id__c"] == id).unwrap_or_default()
    };
    assert_eq!(loaded("x-1")["Description"], "two\r\nlines, \"quoted\"");

    let failed = desk.path().join("new.csv.results/failed.csv");
    let text = std::fs::read_to_string(&failed).unwrap();
    assert!(text.starts_with("\"sf__Id\",\"sf__Error\","), "{text}");
    // A person writes the name in.
    let mut rows = cells(text.as_bytes());
    let name = rows[0].iter().position(|column| column == "Name").unwrap();
    rows[1][name] = "Second".into();
    let mut writer = csv::Writer::from_path(desk.path().join("again.csv")).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.flush().unwrap();
    let ran = desk.sfmint(&["load", "Account", "again.csv"]);
    assert_eq!(
        (ran.code(), ran.out().as_str()),
        (0, "Account: 1 of 1 rows taken, 0 refused, 0 not looked at\n"),
        "{}",
        ran.err()
    );
    assert_eq!(loaded("x-2")["Name"], "Second");

    // JSON lines into an upsert: one is changed, one made; null empties, a missing key leaves alone.
    desk.write("more.jsonl", "{\"External_Id__c\":\"x-1\",\"Description\":null}\n{\"External_Id__c\":\"x-4\",\"Name\":\"Fourth\",\"NumberOfEmployees\":7}\n");
    let arguments =
        ["load", "Account", "more.jsonl", "--operation", "upsert", "--external-id", "External_Id__c"];
    let ran = desk.sfmint(&arguments);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    assert_eq!((&loaded("x-1")["Description"], &loaded("x-1")["Name"]), (&Value::Null, &"First".into()));
    assert_eq!(loaded("x-4")["NumberOfEmployees"], 7);

    let ids: String = ["x-1", "x-4"].map(|id| format!("{}\n", loaded(id)["Id"].as_str().unwrap())).concat();
    desk.write("gone.csv", &format!("Id\n{ids}"));
    let ran = desk.sfmint(&["load", "Account", "gone.csv", "--operation", "delete", "--results", "gone"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    assert_eq!(loaded("x-1")["IsDeleted"], true);

    for (arguments, code) in [
        (&["load", "Account", "missing.csv"] as &[&str], 65),
        (&["load", "Account", "new.csv", "--operation", "delete"], 65),
        (&["load", "Account", "gone.csv", "--external-id", "X"], 78),
        (&["load", "Account", "gone.csv", "--operation", "upsert"], 2),
    ] {
        assert_eq!(desk.sfmint(arguments).code(), code, "{arguments:?}");
    }
}

// Issue 3, "idempotent restart": killed while its data is on the way, and while the org works on it.
#[test]
fn a_load_that_is_killed_goes_on_where_it_was() {
    let desk = desk();
    desk.write("new.csv", "Name\nFirst\nSecond\n");
    let rows = || desk.admin().records("Account").unwrap().len();
    let moments =
        [("PUT", "/batches", 0, 2), ("PATCH", "/jobs/ingest/", 0, 1), ("GET", "/jobs/ingest/", 1, 1)];
    for (at, (method, path, skipped, jobs)) in moments.into_iter().enumerate() {
        let (before, made) = (rows(), desk.admin().jobs().len());
        let delay = Injection::next("/services/data", 1, Effect::Delay { delay_ms: 600_000 });
        desk.admin().inject(delay.containing(path).method(method).skipping(skipped));
        let results = format!("results-{at}");
        let arguments = ["load", "Account", "new.csv", "--results", &results];
        let mut started = desk.start(desk.command(&arguments));
        let arrived = |log: &LogEntry| log.method == method && log.path.contains(path);
        while desk.admin().log().iter().filter(|log| arrived(log)).count() <= skipped as usize {
            assert!(started.child.try_wait().unwrap().is_none(), "{method}: it ended by itself");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        started.kill();
        desk.admin().clear_faults();
        desk.admin().forget();
        let ran = desk.sfmint(&arguments);
        assert_eq!(ran.code(), 0, "{method}: {}", ran.err());
        assert_eq!(rows(), before + 2, "{method}");
        assert_eq!(desk.admin().jobs().len(), made + jobs, "{method}");
        desk.admin().forget();
    }
}

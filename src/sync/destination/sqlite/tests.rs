use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;

use super::super::tests::conformance::{
    self, JOB, Kind, Row, done, id, landing, page, row, run, under_way, whole,
};
use super::*;
use crate::base::Explain;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("deep/sales.db")
    }

    fn db(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn all(&self) -> BTreeMap<String, Row> {
        let db = self.db();
        let Ok(mut statement) = db.prepare("SELECT * FROM Account") else { return BTreeMap::new() };
        let names: Vec<String> = statement.column_names().map(str::to_string).collect();
        let mut rows = statement.query([]).unwrap();
        let mut all = BTreeMap::new();
        while let Some(row) = rows.next().unwrap() {
            let value = |(at, name): (usize, &String)| {
                let value = match row.get_ref(at).unwrap() {
                    ValueRef::Null => None,
                    ValueRef::Integer(number) if name == "IsDeleted" => Some((number == 1).to_string()),
                    ValueRef::Integer(number) => Some(number.to_string()),
                    ValueRef::Real(number) => Some(number.to_string()),
                    ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
                    ValueRef::Blob(_) => panic!("a blob in {name}"),
                };
                (name.clone(), value)
            };
            let row: Row = names.iter().enumerate().map(value).collect();
            let id = row.get("Id").cloned().flatten().unwrap_or_else(|| all.len().to_string());
            all.insert(id, row);
        }
        all
    }
}

impl Kind for Place {
    fn open(&self) -> Box<dyn Destination> {
        Box::new(Sqlite::new(self.path(), JOB.parse().unwrap()))
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        let mut rows = self.all();
        rows.retain(|_, row| row["_sfmint_deleted_at"].is_none());
        rows
    }

    fn marked(&self) -> Vec<String> {
        let gone = |(_, row): &(String, Row)| row["_sfmint_deleted_at"].is_some();
        self.all().into_iter().filter(gone).map(|(id, _)| id).collect()
    }

    fn removes(&self) -> bool {
        true
    }
}

#[test]
fn a_table_does_what_every_destination_does() {
    conformance::suite(Place::new);
}

#[test]
fn a_table_bears_the_objects_name_and_its_columns_have_types_and_a_key() {
    let place = Place::new();
    run(&place, &whole("r1", 1), &[row(1, "a", 1, false)]);
    let db = place.db();
    let text: String = db
        .query_row(
            "SELECT group_concat(name || ' ' || type || ' ' || pk, ', ') FROM pragma_table_info('Account')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(
        text,
        "Id TEXT 1, Name TEXT 0, Owner.Name TEXT 0, Amount  0, Count INTEGER 0, IsDeleted INTEGER 0, \
         SystemModstamp TEXT 0, _sfmint_run_id TEXT 0, _sfmint_synced_at TEXT 0, _sfmint_deleted_at TEXT 0"
    );
    let ours: (String, String) = db
        .query_row("SELECT _sfmint_run_id, _sfmint_synced_at FROM Account", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(ours, ("r1".into(), "2026-01-02T03:04:05Z".into()));
    let job: String = db.query_row("SELECT job FROM _sfmint_checkpoint", [], |row| row.get(0)).unwrap();
    assert_eq!(job, JOB);
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn indexes_triggers_and_views_of_others_outlive_a_full_refresh() {
    let place = Place::new();
    run(&place, &whole("r1", 1), &[row(1, "a", 1, false)]);
    place
        .db()
        .execute_batch(
            "CREATE INDEX by_name ON Account (Name);
             CREATE VIEW names AS SELECT Name FROM Account;
             CREATE TABLE log (id TEXT);
             CREATE TRIGGER logged AFTER INSERT ON Account BEGIN INSERT INTO log VALUES (new.Id); END;
             ALTER TABLE Account ADD COLUMN mine TEXT;",
        )
        .unwrap();
    // A reader in the middle of the old table keeps it to its end.
    let reader = place.db();
    let mut statement = reader.prepare("SELECT Name FROM names").unwrap();
    let mut rows = statement.query([]).unwrap();
    let first: String = rows.next().unwrap().unwrap().get(0).unwrap();
    run(&place, &whole("r2", 2), &[row(1, "b", 1, false), row(2, "c", 1, false)]);
    assert_eq!((first.as_str(), rows.next().unwrap().is_none()), ("a", true));
    drop(rows);
    let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(names, ["b", "c"]);
    let found: i64 = reader
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name IN ('by_name', 'logged') AND tbl_name = 'Account'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(found, 2);
    run(&place, &landing("r3", 3), &[row(3, "d", 1, false)]);
    let logged: Vec<String> = reader
        .prepare("SELECT id FROM log")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(logged, [id(3)]);
    assert_eq!(place.rows()[&id(3)]["mine"], None);
}

/// Salesforce allows an object 800 custom fields and more ("Custom Fields Allowed Per Object").
#[test]
fn an_object_with_a_thousand_fields_fits() {
    let place = Place::new();
    let mut columns = conformance::columns();
    columns.extend((0..1000).map(|at| Column::new(format!("Field{at}__c"), crate::sync::ColumnKind::Text)));
    let wide = |epoch| Landing { columns: columns.clone(), ..landing("r", epoch) };
    let row = |last: &str| {
        let row = row(1, "a", 1, false);
        format!("{}{},\"{last}\"\n", row.trim_end(), ",\"x\"".repeat(999))
    };
    assert_eq!(run(&place, &wide(1), &[row("y")]).written, 1);
    assert_eq!(run(&place, &wide(2), &[row("y")]).unchanged, 1);
    assert_eq!(run(&place, &wide(3), &[row("z")]).written, 1);
    assert_eq!(place.rows()[&id(1)]["Field999__c"].as_deref(), Some("z"));
}

#[test]
fn several_jobs_share_a_file_and_none_takes_anothers_table() {
    let place = Place::new();
    run(&place, &whole("r1", 1), &[row(1, "a", 1, false)]);
    let other = |object: &str| {
        let mut other = Sqlite::new(place.path(), "contacts".parse().unwrap());
        let landing = Landing { object: object.parse().unwrap(), ..whole("r1", 1) };
        other.begin(&landing).map(|()| (other, landing))
    };
    let error = other("account").unwrap_err();
    assert_eq!(error.code(), "destination.foreign");
    assert!(error.to_string().ends_with("the table `account`, which job `accounts` writes"), "{error}");
    let (mut contacts, landing) = other("Contact").unwrap();
    page(&mut contacts, &[row(2, "b", 1, false)], &mut under_way(&landing)).unwrap();
    contacts.publish(&done(&landing, Some(2))).unwrap();
    assert_eq!(contacts.checkpoint().unwrap().unwrap().watermark, Some(UnixSeconds::new(2)));
    assert_eq!(place.open().checkpoint().unwrap().unwrap().watermark, Some(UnixSeconds::new(1)));
    assert_eq!(place.rows().len(), 1);
}

#[test]
fn jobs_of_one_file_take_turns_by_the_page() {
    let place = Place::new();
    run(&place, &whole("r1", 1), &[row(1, "a", 1, false)]);
    let path = place.path();
    let jobs: Vec<_> = (0..4)
        .map(|at| {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut job = Sqlite::new(path, format!("job-{at}").parse().unwrap());
                let landing = Landing { object: format!("Object{at}__c").parse().unwrap(), ..whole("r1", 1) };
                job.begin(&landing).unwrap();
                let mut checkpoint = under_way(&landing);
                for number in 0..20 {
                    page(&mut job, &[row(number, "a", 1, false)], &mut checkpoint).unwrap();
                }
                job.publish(&done(&landing, None)).unwrap();
                checkpoint.run.unwrap().written
            })
        })
        .collect();
    for job in jobs {
        assert_eq!(job.join().unwrap(), 20);
    }
}

#[test]
fn a_file_that_somebody_else_writes_is_busy() {
    let place = Place::new();
    run(&place, &whole("r1", 1), &[row(1, "a", 1, false)]);
    let person = place.db();
    person.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut job = Sqlite::new(place.path(), JOB.parse().unwrap());
    job.patience = Duration::from_millis(20);
    let error = job.begin(&landing("r2", 2)).unwrap_err();
    assert_eq!((error.code(), error.fault()), ("destination.busy", crate::base::Fault::Transient));
    person.execute_batch("COMMIT").unwrap();
    job.begin(&landing("r2", 2)).unwrap();
}

#[test]
fn files_and_tables_that_others_made_are_refused() {
    let refused = |fill: &dyn Fn(&Path), found: &str| {
        let place = Place::new();
        std::fs::create_dir_all(place.path().parent().unwrap()).unwrap();
        fill(&place.path());
        let before = std::fs::read(place.path()).unwrap();
        for error in [place.open().checkpoint().map(drop), place.open().begin(&landing("r", 1))] {
            let error = error.unwrap_err();
            assert_eq!((error.code(), error.fault()), ("destination.foreign", crate::base::Fault::Misuse));
            assert!(error.to_string().ends_with(found), "{error}");
        }
        assert_eq!(std::fs::read(place.path()).unwrap(), before);
    };
    refused(&|path| std::fs::write(path, "a letter").unwrap(), "a file that is no SQLite database");
    let table = |path: &Path| Connection::open(path).unwrap().execute_batch("CREATE TABLE x (a)").unwrap();
    refused(&table, "1 tables, and no `_sfmint_checkpoint` among them");
    let place = Place::new();
    run(&place, &whole("r1", 1), &[]);
    place.db().execute_batch("CREATE TABLE Contact (a)").unwrap();
    let landing = Landing { object: "Contact".parse().unwrap(), ..landing("r", 1) };
    let error = Sqlite::new(place.path(), "contacts".parse().unwrap()).begin(&landing).unwrap_err();
    assert!(error.to_string().ends_with("a table `Contact` that no job wrote"), "{error}");
    // An empty file is nobody's.
    let place = Place::new();
    std::fs::create_dir_all(place.path().parent().unwrap()).unwrap();
    std::fs::write(place.path(), "").unwrap();
    run(&place, &whole("r1", 1), &[row(1, "a", 1, false)]);
    assert_eq!(place.rows().len(), 1);
}

// faults B6
#[test]
fn a_damaged_file_is_named_and_left_as_it_is() {
    let place = Place::new();
    let rows: Vec<String> = (0..2000).map(|number| row(number, "a", 1, false)).collect();
    run(&place, &whole("r1", 1), &rows);
    let whole_file = std::fs::read(place.path()).unwrap();
    let mut found = 0;
    for damage in [
        &|file: &mut Vec<u8>| file.truncate(file.len() / 2) as (),
        &|file: &mut Vec<u8>| file.iter_mut().skip(100).step_by(512).for_each(|byte| *byte ^= 0x55),
        &|file: &mut Vec<u8>| file[16..40].fill(0xff),
    ] as [&dyn Fn(&mut Vec<u8>); 3]
    {
        let mut file = whole_file.clone();
        damage(&mut file);
        std::fs::write(place.path(), &file).unwrap();
        let mut destination = place.open();
        let read = destination.checkpoint().map(drop).and_then(|()| destination.held(&mut |_| Ok(())));
        let error = read.unwrap_err();
        assert_eq!(error.code(), "destination.damaged", "{error:?}");
        assert!(error.hints()[0].as_str().contains("sfmint sync reset"), "{:?}", error.hints());
        found += 1;
    }
    assert_eq!(found, 3);
    std::fs::write(place.path(), &whole_file).unwrap();
    place.db().execute_batch("UPDATE _sfmint_checkpoint SET checkpoint = '{'").unwrap();
    assert_eq!(place.open().checkpoint().unwrap_err().code(), "destination.damaged");
}

#[test]
fn a_stage_that_somebody_dropped_is_not_taken_for_whole() {
    let place = Place::new();
    let landing = whole("r1", 1);
    let mut destination = place.open();
    destination.begin(&landing).unwrap();
    page(&mut *destination, &[row(1, "a", 1, false)], &mut under_way(&landing)).unwrap();
    drop(destination);
    place.db().execute_batch("DROP TABLE _sfmint_stage_Account").unwrap();
    assert_eq!(place.open().checkpoint().unwrap().unwrap().run, None);
    let error = place.open().begin(&whole("r1", 2)).unwrap_err();
    assert!(error.to_string().ends_with("the 1 rows that run r1 staged are gone"), "{error}");
    run(&place, &whole("r2", 3), &[row(1, "a", 1, false)]);
    assert_eq!(place.rows().len(), 1);
}

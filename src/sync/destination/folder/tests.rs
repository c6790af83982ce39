use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::super::tests::conformance::{
    self, JOB, Kind, Row, done, id, landing, page, row, run, under_way, whole,
};
use super::*;
use crate::base::{Explain, Fault, sha256_hex};

struct Place(tempfile::TempDir, Format);

impl Place {
    fn new(format: Format) -> Self {
        Self(tempfile::tempdir().unwrap(), format)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("deep/accounts")
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path().join("_manifest.json")).unwrap()).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// What somebody reads who knows the layout and not this program: newest row by Id wins.
    fn all(&self) -> BTreeMap<String, (Row, bool)> {
        let mut all = BTreeMap::new();
        if !self.path().join("_manifest.json").exists() {
            return all;
        }
        let manifest = self.manifest();
        let mut rows = 0;
        for part in manifest["parts"].as_array().unwrap() {
            let text = std::fs::read(self.path().join(part["file"].as_str().unwrap())).unwrap();
            assert_eq!(part["sha256"], sha256_hex(&text).as_str(), "{part}");
            assert_eq!(part["bytes"], text.len(), "{part}");
            let found = match self.1 {
                Format::Csv => read_csv(&text),
                Format::Jsonl => read_jsonl(&text),
            };
            assert_eq!(part["rows"], found.len(), "{part}");
            let is_gone = part["kind"] == "deletes";
            if !is_gone {
                rows += found.len();
            }
            for row in found {
                let id = row.get("Id").cloned().flatten().unwrap_or_else(|| all.len().to_string());
                all.insert(id, (row, is_gone));
            }
        }
        assert_eq!(manifest["rows"], rows);
        all
    }
}

fn read_csv(text: &[u8]) -> Vec<Row> {
    let mut reader = ::csv::Reader::from_reader(text);
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_string).collect();
    let value = |text: &str| (!text.is_empty()).then(|| text.to_string());
    (reader.records())
        .map(|record| names.iter().cloned().zip(record.unwrap().iter().map(value)).collect())
        .collect()
}

fn read_jsonl(text: &[u8]) -> Vec<Row> {
    let value = |raw: Box<serde_json::value::RawValue>| match serde_json::from_str(raw.get()).unwrap() {
        Value::Null => None,
        Value::String(text) => Some(text),
        _ => Some(raw.get().to_string()),
    };
    let row = |line: &str| {
        let row: BTreeMap<String, Box<serde_json::value::RawValue>> = serde_json::from_str(line).unwrap();
        row.into_iter().map(|(name, raw)| (name, value(raw))).collect()
    };
    std::str::from_utf8(text).unwrap().split_terminator('\n').map(row).collect()
}

impl Kind for Place {
    fn open(&self) -> Box<dyn Destination> {
        Box::new(Folder::new(self.path(), JOB.parse().unwrap(), self.1))
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        self.all().into_iter().filter(|(_, (_, gone))| !gone).map(|(id, (row, _))| (id, row)).collect()
    }

    fn marked(&self) -> Vec<String> {
        self.all().into_iter().filter(|(_, (_, gone))| *gone).map(|(id, _)| id).collect()
    }

    fn removes(&self) -> bool {
        false
    }
}

#[test]
fn a_folder_of_csv_does_what_every_destination_does() {
    conformance::suite(|| Place::new(Format::Csv));
}

#[test]
fn a_folder_of_json_lines_does_what_every_destination_does() {
    conformance::suite(|| Place::new(Format::Jsonl));
}

#[test]
fn a_first_load_of_csv_is_what_the_org_wrote_below_a_header_line() {
    let place = Place::new(Format::Csv);
    let rows = [row(1, "a \"quoted\" name", 1, false), row(2, "two\nlines", 1, false)];
    run(&place, &Landing { is_deleted: None, ..whole("r1", 1) }, &rows);
    let text = std::fs::read_to_string(place.path().join("Account-000001-000001.csv")).unwrap();
    let header = "\"Id\",\"Name\",\"Owner.Name\",\"Amount\",\"Count\",\"IsDeleted\",\"SystemModstamp\"\n";
    assert_eq!(text, format!("{header}{}", rows.concat()));
}

#[test]
fn json_lines_have_types_and_numbers_their_digits() {
    let place = Place::new(Format::Jsonl);
    run(&place, &whole("r1", 1), &[row(1, "a", 1, false)]);
    let text = std::fs::read_to_string(place.path().join("Account-000001-000001.jsonl")).unwrap();
    assert_eq!(
        text,
        "{\"Id\":\"001000000000001AAA\",\"Name\":\"a\",\"Owner.Name\":null,\"Amount\":1.5,\"Count\":7,\
         \"IsDeleted\":false,\"SystemModstamp\":\"2026-01-02T00:00:01.000Z\"}\n"
    );
}

#[test]
fn each_run_adds_parts_and_a_new_generation_takes_the_old_ones_away() {
    let place = Place::new(Format::Csv);
    run(&place, &landing("r1", 1), &[row(1, "a", 1, false)]);
    run(&place, &landing("r2", 2), &[row(2, "b", 1, false)]);
    let mut destination = place.open();
    destination.begin(&landing("r3", 3)).unwrap();
    destination.gone(&mut [id(1)].into_iter(), UnixSeconds::new(0), &done(&landing("r3", 3), None)).unwrap();
    drop(destination);
    let files = [
        ".sfmint-lock",
        "Account-000000-000001.csv",
        "Account-000000-000002.csv",
        "_deletes-Account-000000-000003.csv",
        "_manifest.json",
    ];
    assert_eq!(place.files(), files);
    let deletes = std::fs::read_to_string(place.path().join(files[3])).unwrap();
    assert_eq!(deletes, "\"Id\",\"_sfmint_deleted_at\"\n\"001000000000001AAA\",\"1970-01-01T00:00:00Z\"\n");
    run(&place, &whole("r4", 4), &[row(2, "b", 1, false)]);
    assert_eq!(place.files(), [".sfmint-lock", "Account-000001-000004.csv", "_manifest.json"]);
    let manifest = place.manifest();
    assert_eq!(
        (&manifest["generation"], &manifest["run_id"], &manifest["rows"]),
        (&1.into(), &"r4".into(), &1.into())
    );
    assert_eq!(
        manifest["columns"][3],
        serde_json::json!({"name": "Amount", "type": "decimal", "precision": 18, "scale": 2})
    );
}

#[test]
fn only_parts_that_may_hold_rows_of_the_overlap_are_read_back() {
    let place = Place::new(Format::Csv);
    run(&place, &landing("r1", 1), &[row(1, "a", 1, false)]);
    run(&place, &landing("r2", 2), &[row(2, "b", 100, false)]);
    // Whoever reads the old part again finds that it is gone.
    std::fs::remove_file(place.path().join("Account-000000-000001.csv")).unwrap();
    let late = Landing { low: Some("2026-01-02T00:01:00Z".parse().unwrap()), ..landing("r3", 3) };
    let mut destination = place.open();
    destination.begin(&late).unwrap();
    let rows = [row(2, "b", 100, false), row(3, "c", 101, false)];
    let landed = page(&mut *destination, &rows, &mut under_way(&late)).unwrap();
    assert_eq!((landed.written, landed.unchanged), (1, 1));
    drop(destination);
    let error = place.open().begin(&landing("r4", 4)).unwrap_err();
    assert_eq!(error.code(), "destination.damaged");
    assert!(error.to_string().ends_with("Account-000000-000001.csv: it is gone"), "{error}");
}

#[test]
fn a_part_that_nobody_looked_at_is_looked_at_once() {
    let place = Place::new(Format::Csv);
    run(
        &place,
        &Landing { is_deleted: None, ..whole("r1", 1) },
        &[row(1, "a", 1, false), row(2, "b", 7, false)],
    );
    assert!(place.manifest()["parts"][0].get("newest").is_none());
    let late = Landing { low: Some("2026-01-02T00:01:00Z".parse().unwrap()), ..landing("r2", 2) };
    place.open().begin(&late).unwrap();
    assert_eq!(place.manifest()["parts"][0]["newest"], "2026-01-02T00:00:07.000Z");
}

#[test]
fn a_folder_that_others_filled_is_refused() {
    for format in [Format::Csv, Format::Jsonl] {
        let place = Place::new(format);
        std::fs::create_dir_all(place.path()).unwrap();
        std::fs::write(place.path().join("letter.txt"), "dear").unwrap();
        for refused in [place.open().checkpoint().map(drop), place.open().begin(&landing("r", 1))] {
            let error = refused.unwrap_err();
            assert_eq!((error.code(), error.fault()), ("destination.foreign", Fault::Misuse));
            assert!(error.to_string().ends_with("`letter.txt`, and no _manifest.json"), "{error}");
        }
        // Beside our own files others may lie.
        std::fs::remove_file(place.path().join("letter.txt")).unwrap();
        run(&place, &landing("r1", 1), &[row(1, "a", 1, false)]);
        std::fs::write(place.path().join("letter.txt"), "dear").unwrap();
        run(&place, &whole("r2", 2), &[row(1, "b", 1, false)]);
        assert!(place.files().contains(&"letter.txt".to_string()));
    }
}

#[test]
fn a_folder_of_another_job_or_object_or_format_or_of_a_newer_layout_is_refused() {
    let place = Place::new(Format::Csv);
    run(&place, &landing("r1", 1), &[row(1, "a", 1, false)]);
    let refused = |mut destination: Folder, landing: Landing, found: &str| {
        let error = destination.begin(&landing).unwrap_err();
        assert_eq!(error.code(), "destination.foreign");
        assert!(error.to_string().ends_with(found), "{error}");
    };
    let folder = |job: &str, format| Folder::new(place.path(), job.parse().unwrap(), format);
    refused(folder("other", Format::Csv), landing("r", 2), "parts of job `accounts`");
    refused(folder(JOB, Format::Jsonl), landing("r", 2), "parts in csv");
    let contact = Landing { object: "Contact".parse().unwrap(), ..landing("r", 2) };
    refused(folder(JOB, Format::Csv), contact, "rows of Account");
    let path = place.path().join("_manifest.json");
    std::fs::write(&path, r#"{"version":2,"parts":"other"}"#).unwrap();
    refused(
        folder(JOB, Format::Csv),
        landing("r", 2),
        "a _manifest.json of layout 2, which a newer sfmint wrote",
    );
    for text in ["", "{", "{\"version\":1}", "null"] {
        std::fs::write(&path, text).unwrap();
        let error = place.open().checkpoint().unwrap_err();
        assert_eq!(error.code(), "destination.damaged", "{text}");
    }
}

#[test]
fn a_stage_that_did_not_survive_whole_counts_for_nothing() {
    let place = Place::new(Format::Csv);
    run(&place, &whole("r0", 1), &[row(9, "old", 1, false)]);
    let stage = |place: &Place| {
        let name = place.files().into_iter().find(|name| name.starts_with(".sfmint-stage-")).unwrap();
        place.path().join(name)
    };
    for damage in [
        &|path: &Path| std::fs::File::options().write(true).open(path).unwrap().set_len(10).unwrap(),
        // As after a loss of power: the length is right, and what is in it is not.
        &|path: &Path| {
            let length = std::fs::metadata(path).unwrap().len();
            std::fs::write(path, vec![0; usize::try_from(length).unwrap()]).unwrap();
        },
        &|path: &Path| std::fs::remove_file(path).unwrap(),
    ] as [&dyn Fn(&Path); 3]
    {
        let epoch = place.manifest()["epoch"].as_u64().unwrap() + 1;
        let landing = whole("r1", epoch);
        let mut destination = place.open();
        destination.begin(&landing).unwrap();
        page(&mut *destination, &[row(1, "a", 1, false)], &mut under_way(&landing)).unwrap();
        drop(destination);
        assert!(place.open().checkpoint().unwrap().unwrap().run.is_some());
        damage(&stage(&place));
        assert_eq!(place.open().checkpoint().unwrap().unwrap().run, None);
        run(&place, &whole("r1", epoch + 1), &[row(9, "old", 1, false)]);
        assert_eq!(place.rows().len(), 1);
    }
}

#[test]
fn a_run_does_not_go_on_with_what_is_gone_or_has_other_columns() {
    let place = Place::new(Format::Csv);
    let landing_1 = whole("r1", 1);
    let mut destination = place.open();
    destination.begin(&landing_1).unwrap();
    page(&mut *destination, &[row(1, "a", 1, false)], &mut under_way(&landing_1)).unwrap();
    drop(destination);
    let mut destination = place.open();
    assert!(destination.checkpoint().unwrap().unwrap().run.is_some());
    let other = Landing { columns: landing_1.columns[..6].to_vec(), stamp: None, ..whole("r1", 2) };
    let error = destination.begin(&other).unwrap_err();
    assert_eq!(error.code(), "destination.damaged");
    assert!(error.to_string().ends_with("what run r1 staged is gone, or has other columns"), "{error}");
    // The next run begins anew.
    assert_eq!(place.open().checkpoint().unwrap(), None);
    run(&place, &whole("r2", 3), &[row(2, "b", 1, false)]);
    assert_eq!(place.rows().len(), 1);
}

// faults B1
#[test]
fn a_kill_between_any_two_files_leaves_one_truth() {
    let place = Place::new(Format::Csv);
    run(&place, &whole("r0", 1), &[row(9, "old", 1, false)]);
    let before = place.manifest();
    let old_part = std::fs::read(place.path().join("Account-000001-000001.csv")).unwrap();
    let landing_2 = whole("r1", 2);
    let mut destination = place.open();
    destination.begin(&landing_2).unwrap();
    page(&mut *destination, &[row(1, "new", 1, false)], &mut under_way(&landing_2)).unwrap();
    drop(destination);
    let hidden: Vec<(String, Vec<u8>)> = (place.files().into_iter())
        .filter(|name| name.starts_with('.'))
        .map(|name| (name.clone(), std::fs::read(place.path().join(name)).unwrap()))
        .collect();
    let put_back = || {
        for (name, text) in &hidden {
            std::fs::write(place.path().join(name), text).unwrap();
        }
    };
    // Killed after the part got its name, before the manifest told of it.
    let stage = hidden.iter().find(|(name, _)| name.contains("stage")).unwrap();
    std::fs::write(place.path().join("Account-000002-000002.csv"), &stage.1).unwrap();
    assert_eq!(place.rows().len(), 1);
    assert_eq!(place.open().checkpoint().unwrap().unwrap().run.unwrap().received, 1);
    let mut destination = place.open();
    destination.begin(&whole("r1", 3)).unwrap();
    destination.publish(&done(&whole("r1", 3), Some(3))).unwrap();
    drop(destination);
    assert_eq!(place.rows().keys().cloned().collect::<Vec<_>>(), [id(1)]);
    // Killed after the manifest, before anything was cleared away: the progress belongs to the manifest before it.
    put_back();
    std::fs::write(place.path().join("Account-000001-000001.csv"), &old_part).unwrap();
    let checkpoint = place.open().checkpoint().unwrap().unwrap();
    assert_eq!((checkpoint.run, checkpoint.watermark), (None, Some(UnixSeconds::new(3))));
    assert_eq!(place.rows().keys().cloned().collect::<Vec<_>>(), [id(1)]);
    place.open().begin(&landing("r2", 4)).unwrap();
    assert_eq!(place.files(), [".sfmint-lock", "Account-000002-000002.csv", "_manifest.json"]);
    assert_eq!(before["generation"], 1);
}

#[test]
fn a_folder_that_another_process_is_publishing_into_is_busy() {
    let place = Place::new(Format::Csv);
    run(&place, &landing("r1", 1), &[row(1, "a", 1, false)]);
    let lock = std::fs::File::options().write(true).open(place.path().join(".sfmint-lock")).unwrap();
    lock.lock().unwrap();
    let mut destination = Folder::new(place.path(), JOB.parse().unwrap(), Format::Csv);
    destination.patience = Duration::from_millis(20);
    let error = destination.begin(&landing("r2", 2)).unwrap_err();
    assert_eq!((error.code(), error.fault()), ("destination.busy", Fault::Transient));
}

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;
use crate::api::bulk::Poll;
use crate::api::bulk::ingest::IngestOperation;
use crate::api::test_org::{Asked, Reply, TestOrg};
use crate::base::{Explain, Fault};

const JOBS: &str = "/services/data/v67.0/jobs/ingest";

#[derive(Clone, Debug, Default)]
struct Job {
    state: &'static str,
    data: String,
    puts: u32,
}

/// An org that keeps its jobs while programs come and go. Rows named `bad` are refused.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<Job>>>);

impl Kept {
    fn answer(&self, asked: &Asked) -> Option<Reply> {
        let mut jobs = self.0.lock().unwrap();
        let path = asked.path().strip_prefix(JOBS)?;
        if path.is_empty() {
            jobs.push(Job { state: "Open", ..Job::default() });
            return Some(Self::tell(jobs.len() - 1, &jobs[jobs.len() - 1]));
        }
        let (id, below) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
        let at: usize = id.strip_prefix("750J")?.parse().ok()?;
        let job = jobs.get_mut(at)?;
        let csv =
            |head: &str, rows: Vec<String>| Some(Reply::new(200, &[], format!("{head}{}", rows.concat())));
        let is_bad = |row: &str| row.contains("bad");
        let (header, rows) = job.data.split_once('\n').unwrap_or_default();
        let rows: Vec<&str> = rows.split_inclusive('\n').collect();
        match below {
            "" if asked.body.contains("UploadComplete") || asked.body.contains("Aborted") => {
                if job.state != "Open" {
                    return Some(Reply::refused(400, "INVALIDJOBSTATE", "not allowed"));
                }
                job.state = if asked.body.contains("Aborted") { "Aborted" } else { "InProgress" };
                Some(Self::tell(at, job))
            }
            "" => {
                if job.state == "InProgress" {
                    job.state = "JobComplete";
                }
                Some(Self::tell(at, job))
            }
            "batches" if job.puts > 0 => Some(Reply::refused(400, "INVALIDJOBSTATE", "uploaded before")),
            "batches" => {
                job.puts += 1;
                job.data = asked.body.clone();
                Some(Reply::new(201, &[], ""))
            }
            "successfulResults" if job.state == "JobComplete" => csv(
                &format!("\"sf__Id\",\"sf__Created\",{header}\n"),
                rows.iter().filter(|row| !is_bad(row)).map(|row| format!("\"001\",\"true\",{row}")).collect(),
            ),
            "failedResults" if job.state == "JobComplete" => csv(
                &format!("\"sf__Id\",\"sf__Error\",{header}\n"),
                rows.iter()
                    .filter(|row| is_bad(row))
                    .map(|row| format!("\"\",\"no, \"\"bad\"\"\",{row}"))
                    .collect(),
            ),
            "unprocessedrecords" if job.state != "JobComplete" => {
                csv(&format!("{header}\n"), rows.iter().map(|row| row.to_string()).collect())
            }
            _ => Some(Reply::new(200, &[], format!("{header}\n"))),
        }
    }

    fn tell(at: usize, job: &Job) -> Reply {
        let state = job.state;
        let url = format!("{}/750J{at}/batches", &JOBS[1..]);
        Reply::json(
            json!({"id": format!("750J{at}"), "object": "Account", "state": state, "apiVersion": 67.0,
            "contentUrl": url})
            .to_string(),
        )
    }

    /// Rows that were written, sorted: those of the jobs that were closed.
    fn written(&self) -> Vec<String> {
        let jobs = self.0.lock().unwrap();
        let closed = jobs.iter().filter(|job| matches!(job.state, "InProgress" | "JobComplete"));
        let mut rows: Vec<String> =
            closed.flat_map(|job| job.data.lines().skip(1).map(String::from).collect::<Vec<_>>()).collect();
        rows.sort();
        rows
    }
}

/// An org that answers until request `dies`; that one it still works on, or not (`hears`), and says no more.
async fn mortal(kept: &Kept, dies: usize, hears: bool) -> TestOrg {
    let (kept, count) = (kept.clone(), Arc::new(Mutex::new(0)));
    TestOrg::start(move |asked| {
        if !asked.path().starts_with(JOBS) {
            return None;
        }
        let mut count = count.lock().unwrap();
        *count += 1;
        if *count < dies {
            return kept.answer(asked);
        }
        if *count == dies && hears {
            kept.answer(asked);
        }
        Some(Reply::raw(""))
    })
    .await
}

fn load(folder: &Path, name: &str, text: &str) -> Load {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    Load {
        object: "Account".into(),
        operation: IngestOperation::Insert,
        external_id: None,
        format: FileFormat::of(&file),
        file,
        results: folder.join("results"),
        most: 41,
        poll: Poll::default(),
    }
}

fn results(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join("results").join(name)).unwrap()
}

const ROWS: &str = "Ext__c,Name\n1,Acme aaaaaaaaa\n2,bad\n3,Umbrella bbbbbbb\n4,Initech\n";

#[tokio::test(start_paused = true)]
async fn a_file_is_loaded_in_parts_and_every_row_is_told() {
    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let org = mortal(&kept, usize::MAX, false).await;
    let load = load(folder.path(), "accounts.csv", ROWS);
    let mut steps = 0;
    let outcome = run(&org.client(), &load, |_| steps += 1).await.unwrap();
    assert_eq!((outcome.rows, outcome.succeeded, outcome.failed, outcome.unprocessed), (4, 3, 1, 0));
    assert_eq!((outcome.jobs.len(), outcome.is_whole(), steps), (2, false, 4));
    assert_eq!(kept.written(), ["1,Acme aaaaaaaaa", "2,bad", "3,Umbrella bbbbbbb", "4,Initech"]);
    assert_eq!(
        results(folder.path(), "success.csv"),
        "\"sf__Id\",\"sf__Created\",Ext__c,Name\n\"001\",\"true\",1,Acme aaaaaaaaa\n\"001\",\"true\",3,Umbrella bbbbbbb\n\"001\",\"true\",4,Initech\n"
    );
    assert_eq!(
        results(folder.path(), "failed.csv"),
        "\"sf__Id\",\"sf__Error\",Ext__c,Name\n\"\",\"no, \"\"bad\"\"\",2,bad\n"
    );
    assert_eq!(results(folder.path(), "unprocessed.csv"), "Ext__c,Name\n");

    // Again: nothing is sent, the same is said.
    let before = org.calls().len();
    assert_eq!(run(&org.client(), &load, |_| {}).await.unwrap(), outcome);
    assert_eq!(org.calls().len(), before);
    // The refused rows, corrected, are loaded as they are told.
    let told = results(folder.path(), "failed.csv").replace("2,bad", "2,good");
    let mut again = self::load(folder.path(), "corrected.csv", &told);
    again.results = folder.path().join("second");
    let outcome = run(&org.client(), &again, |_| {}).await.unwrap();
    assert!(outcome.is_whole() && outcome.rows == 1);
    assert_eq!(kept.0.lock().unwrap().last().unwrap().data, "Ext__c,Name\n2,good\n");
}

// Issue 3, "idempotent restart": the program dies at each request, heard or not, and is started again.
#[tokio::test(start_paused = true)]
async fn a_load_that_is_cut_off_anywhere_goes_on_and_sends_no_row_twice() {
    let expected = ["1,Acme aaaaaaaaa", "2,bad", "3,Umbrella bbbbbbb", "4,Initech"];
    for dies in 1.. {
        let mut ended = 0;
        for hears in [true, false] {
            let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
            let load = load(folder.path(), "accounts.csv", ROWS);
            let first = run(&mortal(&kept, dies, hears).await.client(), &load, |_| {}).await;
            ended += usize::from(first.is_ok());
            if let Err(error) = first {
                assert_eq!(error.fault(), Fault::Transient, "request {dies}");
            }
            let second = run(&mortal(&kept, usize::MAX, false).await.client(), &load, |_| {}).await;
            let outcome = second.unwrap_or_else(|error| panic!("request {dies}, heard {hears}: {error}"));
            assert_eq!((outcome.rows, outcome.succeeded, outcome.failed), (4, 3, 1), "request {dies}");
            assert_eq!(kept.written(), expected, "request {dies}, heard {hears}");
        }
        if ended == 2 {
            assert!(dies > 12, "the loop has been through every request of a load");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_somebody_aborts_leaves_rows_that_are_told_and_one_that_is_gone_leaves_doubt() {
    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let load = load(folder.path(), "accounts.csv", "Ext__c\n1\n2\n");
    // Request 4 closes the job.
    run(&mortal(&kept, 5, false).await.client(), &load, |_| {}).await.unwrap_err();
    assert_eq!(kept.0.lock().unwrap()[0].state, "InProgress");
    kept.0.lock().unwrap()[0].state = "Aborted";
    let outcome = run(&mortal(&kept, usize::MAX, false).await.client(), &load, |_| {}).await.unwrap();
    assert_eq!((outcome.succeeded, outcome.unprocessed, outcome.reasons.len()), (0, 2, 1));
    assert_eq!(results(folder.path(), "unprocessed.csv"), "Ext__c\n1\n2\n");

    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let load = self::load(folder.path(), "accounts.csv", "Ext__c\n1\n2\n");
    run(&mortal(&kept, 5, false).await.client(), &load, |_| {}).await.unwrap_err();
    kept.0.lock().unwrap().clear();
    let error = run(&mortal(&kept, usize::MAX, false).await.client(), &load, |_| {}).await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("load.in_doubt", Fault::Data));
    assert!(kept.written().is_empty());
}

#[tokio::test(start_paused = true)]
async fn counts_that_disagree_are_an_error() {
    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let load = load(folder.path(), "accounts.csv", ROWS);
    let liar = {
        let kept = kept.clone();
        TestOrg::start(move |asked| match asked.path().ends_with("failedResults") {
            true => Some(Reply::new(200, &[], "\"sf__Id\",\"sf__Error\",Ext__c,Name\n")),
            false => kept.answer(asked),
        })
        .await
    };
    let error = run(&liar.client(), &load, |_| {}).await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("api.rows_differ", Fault::Data));
}

#[tokio::test(start_paused = true)]
async fn lines_of_json_become_columns_and_null_is_told_from_nothing() {
    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let lines = "{\"attributes\":{\"type\":\"A\"},\"Name\":\"a\\n\\\"b\\\"\",\"Amount\":1234567890123456.780,\"Owner\":null}\n\n\
        {\"Name\":\"\",\"Live\":true,\"Owner\":{\"Ext__c\":\"7\"}}\n";
    let mut load = load(folder.path(), "rows.jsonl", lines);
    load.most = 1000;
    let org = mortal(&kept, usize::MAX, false).await;
    // This org cuts results at every line feed: only what was sent is looked at.
    run(&org.client(), &load, |_| {}).await.ok();
    let data = kept.0.lock().unwrap()[0].data.clone();
    assert_eq!(
        data,
        "Name,Amount,Live,Owner.Ext__c\n\"a\n\"\"b\"\"\",1234567890123456.780,,\n#N/A,,true,7\n"
    );
    for (row, text) in [(1, "[1]"), (1, "{\"A\":[1]}"), (2, "{}\n{\"A\":\"#N/A\"}"), (1, "{\"A\":1"), (0, "")]
    {
        let mut load = self::load(folder.path(), "wrong.jsonl", text);
        load.results = folder.path().join("wrong");
        let error = run(&org.client(), &load, |_| {}).await.unwrap_err();
        assert!(matches!(error, LoadError::Row { row: found, .. } if found == row), "{text}: {error}");
        assert_eq!((error.code(), error.fault()), ("load.row", Fault::Data));
    }
}

#[tokio::test(start_paused = true)]
async fn a_folder_is_of_one_load_and_of_one_process() {
    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let org = mortal(&kept, usize::MAX, false).await;
    let client = org.client();
    let first = load(folder.path(), "accounts.csv", ROWS);
    run(&client, &first, |_| {}).await.unwrap();
    let sent = kept.0.lock().unwrap().len();
    let mut others = vec![load(folder.path(), "other.csv", "Ext__c\n9\n"); 2];
    others[1] = Load { operation: IngestOperation::Delete, ..first.clone() };
    others.push(Load { object: "Contact".into(), ..first.clone() });
    for other in others {
        let error = run(&client, &other, |_| {}).await.unwrap_err();
        assert_eq!((error.code(), error.fault()), ("load.other", Fault::Data));
    }
    let held = std::fs::File::open(first.results.join("load.lock")).unwrap();
    held.lock().unwrap();
    let error = run(&client, &first, |_| {}).await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("load.busy", Fault::Transient));
    held.unlock().unwrap();
    std::fs::write(first.results.join("load.json"), "{").unwrap();
    assert_eq!(run(&client, &first, |_| {}).await.unwrap_err().code(), "load.journal");
    let gone = Load { file: folder.path().join("none.csv"), ..first };
    assert_eq!(run(&client, &gone, |_| {}).await.unwrap_err().code(), "load.unreadable");
    assert_eq!(kept.0.lock().unwrap().len(), sent);
}

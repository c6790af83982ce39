use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::api::bulk::{JobState, Poll};
use crate::api::test_org::{Asked, Reply, TestOrg};
use crate::api::{Pieces, Upload};
use crate::base::{Explain, Fault};

const JOBS: &str = "/services/data/v67.0/jobs/ingest";
const JOB: &str = "/services/data/v67.0/jobs/ingest/7508d00000AbCdEIAW";
const BATCHES: &str = "/services/data/v67.0/jobs/ingest/7508d00000AbCdEIAW/batches";

fn job(state: &str, more: Value) -> Reply {
    let mut job = json!({
        "id": "7508d00000AbCdEIAW", "operation": "upsert", "object": "Account", "state": state, "apiVersion": 67.0,
        "externalIdFieldName": "Ext__c", "createdById": "0058d000000001AAAQ",
        // Without a leading slash: protocol reference, trap 23.
        "contentUrl": &BATCHES[1..],
    });
    job.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    Reply::json(job.to_string())
}

fn created() -> Reply {
    Reply::raw("HTTP/1.1 201 Created\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
}

async fn org(handler: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> TestOrg {
    TestOrg::start(move |asked| match (handler(asked), asked.path()) {
        (Some(reply), _) => Some(reply),
        (None, JOBS | JOB) => Some(job("Open", json!({}))),
        (None, BATCHES) => Some(created()),
        _ => None,
    })
    .await
}

fn request() -> IngestRequest {
    IngestRequest {
        external_id_field: Some("Ext__c".into()),
        line_ending: LineEnding::Crlf,
        column_delimiter: ColumnDelimiter::Pipe,
        ..IngestRequest::new("Account", IngestOperation::Upsert)
    }
}

fn rows() -> std::sync::Arc<dyn Upload> {
    std::sync::Arc::new(Bytes::from_static("Ext__c|Name\r\n1|\u{c4}cme\r\n".as_bytes()))
}

#[tokio::test(start_paused = true)]
async fn a_file_becomes_a_job_that_is_closed_waited_for_and_told_row_by_row() {
    let looks = AtomicU32::new(0);
    let org = org(move |asked| match asked.path() {
        JOB if asked.body.contains("UploadComplete") => {
            Some(job("UploadComplete", json!({"contentUrl": null})))
        }
        JOB if looks.fetch_add(1, Ordering::SeqCst) < 2 => Some(job("InProgress", json!({}))),
        JOB => Some(job("JobComplete", json!({"numberRecordsProcessed": 3, "numberRecordsFailed": 1}))),
        path if path.ends_with("/failedResults") => Some(Reply::new(
            200,
            &[("content-type", "text/csv")],
            "\"sf__Id\",\"sf__Error\",Ext__c\n\"\",\"no\",1\n",
        )),
        path if path.ends_with("/unprocessedRecords") => Some(Reply::new(200, &[], "Ext__c\n")),
        _ => None,
    })
    .await;
    let client = org.client();
    let mut job = create(&client, &request()).await.unwrap();
    assert_eq!((job.state, job.content_url.as_deref()), (JobState::Open, Some(&BATCHES[1..])));
    assert_eq!(upload(&client, &mut job, rows()).await.unwrap(), Uploaded::Stored);
    job.close(&client).await.unwrap();
    assert_eq!((job.state, job.content_url.as_deref()), (JobState::UploadComplete, Some(&BATCHES[1..])));
    job.wait(&client, &Poll::default(), |_| {}).await.unwrap();
    assert_eq!((job.records_processed, job.records_failed), (Some(3), Some(1)));
    let kept = serde_json::to_string(&job).unwrap();
    assert_eq!(serde_json::from_str::<IngestJob>(&kept).unwrap(), job);

    let calls = org.calls();
    let made: Value = serde_json::from_str(&calls[0].body).unwrap();
    let expected = json!({"object": "Account", "operation": "upsert", "contentType": "CSV", "lineEnding": "CRLF",
        "columnDelimiter": "PIPE", "externalIdFieldName": "Ext__c"});
    assert_eq!(made, expected);
    let put = &calls[1];
    assert_eq!((put.path(), put.body.as_str()), (BATCHES, "Ext__c|Name\r\n1|\u{c4}cme\r\n"));
    assert_eq!(put.header("content-type"), Some("text/csv; charset=UTF-8"));
    assert_eq!(put.header("content-length"), Some("22"));

    let mut failed = results(&client, &job, ResultKind::Failed).await.unwrap();
    assert!(failed.chunk().await.unwrap().unwrap().starts_with(b"\"sf__Id\",\"sf__Error\""));
    // Both spellings: the first is not known here.
    let mut rest = results(&client, &job, ResultKind::Unprocessed).await.unwrap();
    assert_eq!(rest.chunk().await.unwrap().unwrap(), "Ext__c\n");
    let gone = results(&client, &job, ResultKind::Successful).await.unwrap_err();
    assert_eq!((gone.code(), gone.fault()), ("api.bulk_job_gone", Fault::Transient));
}

// A session that dies before the upload: refused before anything is stored, so it is sent again.
#[tokio::test]
async fn an_upload_on_a_dead_session_is_sent_again_whole_with_a_new_token() {
    let times = AtomicU32::new(0);
    let org = org(move |asked| {
        let first = asked.path() == BATCHES && times.fetch_add(1, Ordering::SeqCst) == 0;
        first.then(Reply::dead_session)
    })
    .await;
    let client = org.client();
    let mut job = create(&client, &request()).await.unwrap();
    assert_eq!(upload(&client, &mut job, rows()).await.unwrap(), Uploaded::Stored);
    let puts: Vec<_> = org.calls().into_iter().filter(|asked| asked.path() == BATCHES).collect();
    assert_eq!(puts.iter().map(Asked::token).collect::<Vec<_>>(), ["T1", "T2"]);
    assert_eq!(puts[0].body, puts[1].body);
}

// Exactly once: what may have arrived is never sent a second time.
#[tokio::test]
async fn an_upload_whose_outcome_is_lost_is_unknown_and_not_repeated() {
    for reply in [created().cut(5), Reply::raw(""), Reply::new(503, &[], "<html>busy</html>")] {
        let org = org(move |asked| (asked.path() == BATCHES).then(|| reply.clone())).await;
        let client = org.client();
        let mut job = create(&client, &request()).await.unwrap();
        assert_eq!(upload(&client, &mut job, rows()).await.unwrap(), Uploaded::Unknown);
        assert_eq!(org.calls().iter().filter(|asked| asked.path() == BATCHES).count(), 1);
        abort(&client, &job).await.unwrap();
    }
    let twice = org(|asked| {
        (asked.path() == BATCHES).then(|| Reply::refused(400, "INVALIDJOBSTATE", "already uploaded"))
    })
    .await;
    let client = twice.client();
    let mut job = create(&client, &request()).await.unwrap();
    assert_eq!(upload(&client, &mut job, rows()).await.unwrap_err().code(), "api.bulk_state");
}

#[tokio::test]
async fn data_goes_nowhere_but_to_the_orgs_own_host() {
    for url in ["https://evil.example/x", "//evil.example/x", "services/../../x", "\\\\evil\\x"] {
        let org =
            org(move |asked| (asked.path() == JOBS).then(|| job("Open", json!({ "contentUrl": url })))).await;
        let client = org.client();
        let mut job = create(&client, &request()).await.unwrap();
        assert_eq!(upload(&client, &mut job, rows()).await.unwrap_err().code(), "api.address", "{url}");
        assert_eq!(org.calls().len(), 1);
    }
}

#[derive(Debug)]
struct Odd(u64, &'static [u8]);

impl Upload for Odd {
    fn length(&self) -> u64 {
        self.0
    }

    fn open(&self) -> std::io::Result<Pieces> {
        Bytes::from_static(self.1).open()
    }
}

#[tokio::test]
async fn data_that_is_too_much_is_not_sent_and_data_that_breaks_is_a_disk_fault() {
    let org = org(|_| None).await;
    let client = org.client();
    let mut job = create(&client, &request()).await.unwrap();
    let most = std::sync::Arc::new(Odd(MOST_UPLOAD + 1, b""));
    assert_eq!(upload(&client, &mut job, most).await.unwrap_err().code(), "api.too_large");
    assert_eq!(org.calls().len(), 1);
    let short = std::sync::Arc::new(Odd(20, b"Ext__c\n"));
    let error = upload(&client, &mut job, short).await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("api.upload", Fault::Disk));
}

#[tokio::test]
async fn closing_is_settled_by_looking_where_its_answer_is_lost() {
    // The PATCH arrived, its answer did not.
    let closed = org(|asked| match asked.path() {
        JOB if asked.body.contains("UploadComplete") => Some(Reply::raw("")),
        JOB => Some(job("InProgress", json!({}))),
        _ => None,
    })
    .await;
    let client = closed.client();
    let mut one = create(&client, &request()).await.unwrap();
    one.close(&client).await.unwrap();
    assert_eq!((one.state, closed.calls().len()), (JobState::InProgress, 3));

    // It did not arrive: once more.
    let times = AtomicU32::new(0);
    let lost = org(move |asked| match asked.body.contains("UploadComplete") {
        true if times.fetch_add(1, Ordering::SeqCst) == 0 => Some(Reply::raw("")),
        true => Some(job("UploadComplete", json!({}))),
        false => None,
    })
    .await;
    let client = lost.client();
    let mut two = create(&client, &request()).await.unwrap();
    two.close(&client).await.unwrap();
    assert_eq!((two.state, lost.calls().len()), (JobState::UploadComplete, 4));

    // Somebody aborted it meanwhile; and one that was closed long ago.
    for (state, code) in [("Aborted", Some("api.bulk_aborted")), ("JobComplete", None)] {
        let over = org(move |asked| match asked.path() {
            JOB if asked.body.contains("UploadComplete") => {
                Some(Reply::refused(400, "INVALIDJOBSTATE", "not allowed"))
            }
            JOB => Some(job(state, json!({}))),
            _ => None,
        })
        .await;
        let client = over.client();
        let mut job = create(&client, &request()).await.unwrap();
        assert_eq!(job.close(&client).await.err().map(|error| error.code()), code);
    }
}

// Protocol reference §3.2: polling a job that is still open never ends.
#[tokio::test]
async fn an_open_job_is_not_waited_for_and_a_failed_one_says_why() {
    let open = org(|_| None).await;
    let client = open.client();
    let mut job = create(&client, &request()).await.unwrap();
    let error = job.wait(&client, &Poll::default(), |_| {}).await.unwrap_err();
    assert_eq!((error.code(), open.calls().len()), ("api.bulk_state", 1));

    let failed = org(|asked| {
        let says = json!({"errorMessage": "InvalidBatch : Field name not found : Nmae"});
        (asked.path() == JOB).then(|| super::tests::job("Failed", says))
    })
    .await;
    let client = failed.client();
    let mut job = create(&client, &request()).await.unwrap();
    job.look(&client).await.unwrap();
    let error = job.wait(&client, &Poll::default(), |_| {}).await.unwrap_err();
    assert_eq!(error.salesforce().unwrap().to_string(), "InvalidBatch: Field name not found : Nmae");
    delete(&client, &job).await.unwrap();
}

#[tokio::test]
async fn own_jobs_are_listed() {
    let org = org(|asked| {
        let other = json!({"id": "750B", "state": "Open", "createdById": "0058d000000002AAAQ"});
        let own = json!({"id": "750A", "state": "Open", "createdById": "0058d000000001AAAQ"});
        let list = json!({"done": true, "records": [other, own], "nextRecordsUrl": JOBS});
        (asked.path() == JOBS).then(|| Reply::json(list.to_string()))
    })
    .await;
    let own = list_own(&org.client()).await.unwrap();
    assert_eq!(own.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["750A"]);
}

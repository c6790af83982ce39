use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::api::ApiError;
use crate::api::bulk::{JobState, Poll, Reason, refused_by_bulk};
use crate::api::test_org::{Asked, Reply, TestOrg};
use crate::base::{Explain, Fault};

const JOBS: &str = "/services/data/v67.0/jobs/query";
const JOB: &str = "/services/data/v67.0/jobs/query/7508d00000AbCdEIAW";

fn job(state: &str, more: Value) -> Value {
    let mut job = json!({
        "id": "7508d00000AbCdEIAW", "operation": "query", "object": "Account", "state": state, "apiVersion": 67.0,
        "createdById": "0058d000000001AAAQ", "createdDate": "2026-11-22T21:00:00.000+0000",
        "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA", "concurrencyMode": "Parallel",
    });
    job.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    job
}

/// An org whose job goes through `looks`, one a look, and whose other answers are `handler`'s.
async fn org(
    looks: Vec<Value>,
    handler: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> TestOrg {
    let looks = Mutex::new(VecDeque::from(looks));
    TestOrg::start(move |asked| {
        let said = handler(asked);
        match (said, asked.path()) {
            (Some(said), _) => Some(said),
            (None, JOBS) => Some(Reply::json(job("UploadComplete", json!({})).to_string())),
            (None, JOB) => looks.lock().unwrap().pop_front().map(|job| Reply::json(job.to_string())),
            _ => None,
        }
    })
    .await
}

fn poll() -> Poll {
    Poll { patience: Duration::from_secs(60), ..Poll::default() }
}

async fn complete(org: &TestOrg) -> Result<QueryJob, ApiError> {
    let client = org.client();
    let mut job = create(&client, Operation::Query, "SELECT Id FROM Account").await?;
    job.wait(&client, &poll(), |_| {}).await?;
    Ok(job)
}

// Protocol reference §3.1: "do not assume monotonic".
#[tokio::test(start_paused = true)]
async fn a_job_is_waited_for_through_states_in_any_order() {
    let states = ["InProgress", "UploadComplete", "SomethingNew", "InProgress"];
    let mut looks: Vec<Value> = states.iter().map(|state| job(state, json!({}))).collect();
    looks.push(job(
        "JobComplete",
        json!({"numberRecordsProcessed": 3, "totalProcessingTime": 17, "retries": 0}),
    ));
    let org = org(looks, |_| None).await;
    let client = org.client();
    let mut job = create(&client, Operation::QueryAll, "SELECT Id FROM Account").await.unwrap();
    assert_eq!((job.state, job.records_processed), (JobState::UploadComplete, None));
    let mut seen = Vec::new();
    job.wait(&client, &poll(), |job| seen.push(job.state)).await.unwrap();
    assert_eq!((seen.len(), seen[2]), (5, JobState::Unknown));
    assert_eq!((job.records_processed, job.processing_ms), (Some(3), Some(17)));
    assert_eq!(job.created.unwrap().to_string(), "2026-11-22T21:00:00Z");

    let asked: Value = serde_json::from_str(&org.calls()[0].body).unwrap();
    assert_eq!(
        (&asked["operation"], &asked["query"]),
        (&json!("queryAll"), &json!("SELECT Id FROM Account"))
    );
    // Kept and read back by another process, it is the same job.
    let kept = serde_json::to_string(&job).unwrap();
    assert_eq!(serde_json::from_str::<QueryJob>(&kept).unwrap(), job);
    let error =
        QueryJob::recall(&client, job.id, crate::base::ApiVersion::new(55), job.operation).await.unwrap_err();
    assert_eq!(error.code(), "api.bulk_job_gone");
    assert!(org.calls().last().unwrap().path().starts_with("/services/data/v55.0/"));
}

// faults A26
#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_aborted_or_takes_for_ever_is_a_named_error() {
    let cases = [
        (
            job(
                "Failed",
                json!({"errorMessage": "API_ERROR: Selecting compound data not supported in Bulk Query"}),
            ),
            "api.bulk_failed",
            Fault::Data,
        ),
        (job("Aborted", json!({})), "api.bulk_aborted", Fault::Transient),
    ];
    for (last, code, fault) in cases {
        let org = org(vec![job("InProgress", json!({})), last], |_| None).await;
        let error = complete(&org).await.unwrap_err();
        assert_eq!((error.code(), error.fault()), (code, fault));
        let expected = (code == "api.bulk_failed").then_some(Reason::Compound);
        assert_eq!(refused_by_bulk(&error), expected);
    }
    let endless = org(vec![job("InProgress", json!({})); 100], |_| None).await;
    let begun = tokio::time::Instant::now();
    let error = complete(&endless).await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("api.bulk_slow", Fault::Transient));
    assert!(begun.elapsed() <= Duration::from_secs(60) && endless.calls().len() < 20);
    // Looked at first, it is gone.
    let gone = org(vec![], |_| None).await;
    assert_eq!(complete(&gone).await.unwrap_err().code(), "api.bulk_job_gone");
}

#[tokio::test(start_paused = true)]
async fn an_outage_while_the_org_works_ends_no_job_and_a_spent_limit_does() {
    let times = std::sync::atomic::AtomicU32::new(0);
    let shaky = org(vec![job("JobComplete", json!({}))], move |asked| {
        let down = asked.path() == JOB && times.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 7;
        down.then(|| Reply::new(503, &[], "<html>maintenance</html>"))
    })
    .await;
    assert_eq!(complete(&shaky).await.unwrap().state, JobState::JobComplete);

    let spent = org(vec![], |asked| {
        let says = Reply::refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
        (asked.path() == JOB).then_some(says)
    })
    .await;
    assert_eq!(complete(&spent).await.unwrap_err().code(), "api.limit_daily");
    assert_eq!(spent.calls().len(), 2);
}

fn done(version: f64) -> QueryJob {
    let wire = job("JobComplete", json!({"apiVersion": version, "numberRecordsProcessed": 3}));
    let wire: super::query_job::Wire = serde_json::from_value(wire).unwrap();
    wire.into_job(crate::base::ApiVersion::new(67), Operation::Query)
}

fn csv(rows: &str, headers: &[(&str, &str)]) -> Reply {
    let headers = [&[("content-type", "text/csv")], headers].concat();
    Reply::new(200, &headers, format!("\"Id\"\n{rows}"))
}

#[tokio::test]
async fn pages_go_on_to_the_word_null_by_the_version_the_job_was_made_with() {
    let org = org(vec![], |asked| {
        let first = [("Sforce-Locator", "MTAw+/="), ("Sforce-NumberOfRecords", "2")];
        let last = [("Sforce-Locator", "null"), ("Sforce-NumberOfRecords", "1")];
        match (asked.path(), asked.parameter("locator").as_deref()) {
            ("/services/data/v63.0/jobs/query/7508d00000AbCdEIAW/results", None) => {
                Some(csv("\"1\"\n\"2\"\n", &first))
            }
            (_, Some("MTAw+/=")) => Some(csv("\"3\"\n", &last)),
            _ => None,
        }
    })
    .await;
    let mut pages = Pages::new(&org.client(), &done(63.0), None, Some(2));
    let mut text = String::new();
    while let Some(mut page) = pages.next().await.unwrap() {
        while let Some(chunk) = page.body.chunk().await.unwrap() {
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
    assert_eq!(text, "\"Id\"\n\"1\"\n\"2\"\n\"Id\"\n\"3\"\n");
    assert_eq!((pages.announced(), pages.expected()), (Some(3), Some(3)));
    let calls = org.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|asked| asked.parameter("maxRecords").as_deref() == Some("2")));
    assert!(calls.iter().all(|asked| asked.header("accept") == Some("text/csv")));
    // This org is on loopback, where unpacking costs more than it saves.
    assert!(calls.iter().all(|asked| asked.header("accept-encoding") == Some("identity")));
}

// faults A26; peers T7: a missing locator is no end, a repeated one no loop.
#[tokio::test]
async fn a_missing_locator_is_told_and_a_circle_is_an_error() {
    let missing = org(vec![], |_| None).await;
    let page_of = |headers: &'static [(&str, &str)]| {
        TestOrg::start(move |asked| asked.path().ends_with("/results").then(|| csv("\"1\"\n", headers)))
    };
    let error = page(&missing.client(), &done(67.0), None, None).await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("api.bulk_job_gone", Fault::Transient));

    let silent = page_of(&[]).await;
    let page = page(&silent.client(), &done(67.0), None, None).await.unwrap();
    assert_eq!((page.next, page.rows), (NextPage::Missing, None));
    let mut pages = Pages::new(&silent.client(), &done(67.0), None, None);
    assert!(pages.next().await.unwrap().is_some() && pages.next().await.unwrap().is_none());
    assert_eq!(pages.announced(), None);

    let same = page_of(&[("Sforce-Locator", "A")]).await;
    let locator = Locator::new("A").unwrap();
    let error = super::page(&same.client(), &done(67.0), Some(&locator), None).await.unwrap_err();
    assert_eq!(error.code(), "api.bulk_circle");

    let circle = org(vec![], |asked| {
        let next = if asked.parameter("locator").as_deref() == Some("A") { "B" } else { "A" };
        Some(csv("\"1\"\n", &[("Sforce-Locator", next)])).filter(|_| asked.path().ends_with("/results"))
    })
    .await;
    let mut pages = Pages::new(&circle.client(), &done(67.0), None, None);
    let mut opened = 0;
    let error = loop {
        match pages.next().await {
            Ok(page) => opened += u32::from(page.is_some()),
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), opened), ("api.bulk_circle", 2));
}

#[tokio::test]
async fn results_of_another_version_or_of_a_job_that_runs_are_named() {
    for (status, code) in [(409, "CONFLICT"), (400, "INVALIDJOBSTATE")] {
        let org = TestOrg::start(move |asked| {
            asked.path().starts_with(JOB).then(|| Reply::refused(status, code, "not so"))
        })
        .await;
        let error = page(&org.client(), &done(67.0), None, None).await.unwrap_err();
        assert_eq!((error.code(), error.salesforce().unwrap().error.as_str()), ("api.bulk_state", code));
        assert_eq!(result_pages(&org.client(), &done(67.0)).await.unwrap_err().code(), "api.bulk_state");
    }
}

// Protocol reference, trap 22.
#[tokio::test]
async fn pages_ahead_are_read_in_both_spellings_and_never_twice() {
    for spelling in ["nextRecordsUrl", "nextRecordUrl"] {
        let org = org(vec![], move |asked| {
            if !asked.path().ends_with("/resultPages") {
                return None;
            }
            let url = |locator: &str| json!({"resultUrl": format!("{JOB}/results?{locator}maxRecords=2")});
            Some(Reply::json(
                match asked.parameter("page").as_deref() {
                    None => json!({"resultPages": [url(""), url("locator=Mg%3D%3D&")], "done": false,
                    spelling: format!("{JOB}/resultPages?page=2")}),
                    Some(_) => json!({"resultPages": [url("locator=NA&")], "done": true}),
                }
                .to_string(),
            ))
        })
        .await;
        let mut ahead = result_pages(&org.client(), &done(67.0)).await.unwrap().unwrap();
        let mut all = Vec::new();
        while let Some(pages) = ahead.next().await.unwrap() {
            all.extend(pages);
        }
        let locators: Vec<_> = all.iter().map(|page| page.locator.as_ref().map(Locator::as_str)).collect();
        assert_eq!(locators, [None, Some("Mg=="), Some("NA")]);
        assert!(all.iter().all(|page| page.max_records == Some(2)));
    }
    let circle = org(vec![], |asked| {
        let page = json!({"resultUrl": format!("{JOB}/results?locator=A")});
        let answer = json!({"resultPages": [page], "done": false, "nextRecordsUrl": format!("{JOB}/resultPages?page=2")});
        asked.path().ends_with("/resultPages").then(|| Reply::json(answer.to_string()))
    })
    .await;
    let mut ahead = result_pages(&circle.client(), &done(67.0)).await.unwrap().unwrap();
    assert!(ahead.next().await.unwrap().is_some());
    assert_eq!(ahead.next().await.unwrap_err().code(), "api.bulk_circle");
    let old = org(vec![], |_| None).await;
    assert!(result_pages(&old.client(), &done(50.0)).await.unwrap().is_none());
}

#[tokio::test]
async fn abandoned_jobs_are_found_aborted_and_deleted() {
    let org = TestOrg::start(|asked| match (asked.path(), asked.parameter("page")) {
        (JOBS, None) => Some(Reply::json(json!({"done": false, "nextRecordsUrl": format!("{JOBS}?page=2"),
            "records": [job("InProgress", json!({})), job("InProgress", json!({"createdById": "0058d000000002AAAQ"}))],
        }).to_string())),
        (JOBS, Some(_)) => Some(Reply::json(json!({"done": true, "nextRecordsUrl": null,
            "records": [job("JobComplete", json!({"createdById": "0058d000000001A"}))]}).to_string())),
        (JOB, _) if asked.body.contains("Aborted") => Some(Reply::json(job("Aborted", json!({})).to_string())),
        (JOB, _) => Some(Reply::raw("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")),
        _ => None,
    })
    .await;
    let client = org.client();
    let own = list_own(&client).await.unwrap();
    assert_eq!(
        own.iter().map(|job| job.state).collect::<Vec<_>>(),
        [JobState::InProgress, JobState::JobComplete]
    );
    assert_eq!(org.calls()[0].parameter("jobType").as_deref(), Some("V2Query"));
    abort(&client, &own[0]).await.unwrap();
    delete(&client, &own[0]).await.unwrap();

    let strict = TestOrg::start(|asked| {
        asked.path().starts_with(JOBS).then(|| Reply::refused(400, "INVALIDJOBSTATE", "it has ended"))
    })
    .await;
    abort(&strict.client(), &own[0]).await.unwrap();
    assert_eq!(delete(&strict.client(), &own[0]).await.unwrap_err().code(), "api.bulk_state");
    let gone = TestOrg::start(|_| None).await;
    delete(&gone.client(), &own[0]).await.unwrap();
    assert_eq!(abort(&gone.client(), &own[0]).await.unwrap_err().code(), "api.bulk_job_gone");
}

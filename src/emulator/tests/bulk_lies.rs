use serde_json::json;

use super::bulk::{JOBS, header, job, pages, rows};
use super::harness::{World, world};
use crate::emulator::{Lie, LieKind};

const SOQL: &str = "SELECT Id, Name FROM Account";

/// A job of 1,000 rows about which one thing is not so.
async fn lied(kind: LieKind) -> (World, String, String) {
    let world = world().await;
    let token = world.mint().await;
    world.org.admin().lie(Lie::next(kind));
    let path = job(&world, &token, "query", SOQL).await;
    (world, token, path)
}

#[tokio::test]
async fn counts_can_be_wrong_while_the_rows_are_right() {
    let (world, token, path) = lied(LieKind::HeaderCount { page: 2, by: -1 }).await;
    let (all, counts) = pages(&world, &token, &path, 400).await;
    assert_eq!((all.len(), counts), (1000, vec![400, 399, 200]));

    let (world, token, path) = lied(LieKind::JobCount { by: 1 }).await;
    assert_eq!(world.get(&token, &path).await.json()["numberRecordsProcessed"], 1001);
    assert_eq!(pages(&world, &token, &path, 400).await.0.len(), 1000);
    let honest = job(&world, &token, "query", SOQL).await;
    assert_eq!(world.get(&token, &honest).await.json()["numberRecordsProcessed"], 1000, "told once");
}

#[tokio::test]
async fn a_row_can_be_missing_under_right_headers() {
    let (world, token, path) = lied(LieKind::DroppedRow { row: 500 }).await;
    let (all, counts) = pages(&world, &token, &path, 400).await;
    assert_eq!((all.len(), counts), (999, vec![400, 400, 200]));
    let honest = pages(&world, &token, &job(&world, &token, "query", SOQL).await, 400).await.0;
    assert_eq!((&all[498], &all[499]), (&honest[498], &honest[500]));
}

#[tokio::test]
async fn locators_can_be_missing_the_same_again_or_go_round() {
    let (world, token, path) = lied(LieKind::NoLocator { page: 2 }).await;
    let first = world.get(&token, &format!("{path}/results?maxRecords=400")).await;
    let next = header(&first, "sforce-locator").unwrap().to_string();
    let second = world.get(&token, &format!("{path}/results?maxRecords=400&locator={next}")).await;
    assert_eq!((header(&second, "sforce-locator"), rows(&second.text).len()), (None, 401));

    let (world, token, path) = lied(LieKind::SameLocator { page: 2 }).await;
    let first = world.get(&token, &format!("{path}/results?maxRecords=400")).await;
    let next = header(&first, "sforce-locator").unwrap().to_string();
    let second = world.get(&token, &format!("{path}/results?maxRecords=400&locator={next}")).await;
    assert_eq!(header(&second, "sforce-locator"), Some(next.as_str()));

    let (world, token, path) = lied(LieKind::LocatorLoop { page: 3 }).await;
    let mut seen = vec![];
    let mut next = String::new();
    for _ in 0..4 {
        let page = world.get(&token, &format!("{path}/results?maxRecords=300{next}")).await;
        seen.push(rows(&page.text)[1][0].clone());
        next = format!("&locator={}", header(&page, "sforce-locator").unwrap());
    }
    assert_eq!(seen[1], seen[3], "page 3 leads back to page 2");
}

#[tokio::test]
async fn pages_can_be_repeated_empty_or_in_another_order() {
    let (world, token, path) = lied(LieKind::RepeatedPage { page: 2 }).await;
    let (all, counts) = pages(&world, &token, &path, 400).await;
    assert_eq!(counts, [400, 400, 200]);
    assert_eq!(all[..400], all[400..800]);

    let (world, token, path) = lied(LieKind::EmptyPage { page: 2 }).await;
    let (all, counts) = pages(&world, &token, &path, 400).await;
    assert_eq!((all.len(), counts), (600, vec![400, 0, 200]));

    let (world, token, path) = lied(LieKind::ColumnOrder { page: 2 }).await;
    let first = world.get(&token, &format!("{path}/results?maxRecords=900")).await;
    let next = header(&first, "sforce-locator").unwrap().to_string();
    let second = world.get(&token, &format!("{path}/results?locator={next}")).await;
    assert_eq!(rows(&first.text)[0], ["Id", "Name"]);
    assert_eq!(rows(&second.text)[0], ["Name", "Id"]);
    assert!(rows(&second.text)[1][0].starts_with("Account "), "the values go with their names");
}

#[tokio::test]
async fn a_job_can_fail_or_be_aborted_by_somebody_while_it_is_read() {
    let (world, token, path) = lied(LieKind::Fails { message: "QUERY_TIMEOUT".into() }).await;
    let failed = world.get(&token, &path).await.json();
    assert_eq!((&failed["state"], &failed["errorMessage"]), (&"Failed".into(), &"QUERY_TIMEOUT".into()));
    assert_eq!(world.get(&token, &format!("{path}/results")).await.status, 400);

    let (world, token, path) = lied(LieKind::AbortedAfter { page: 1 }).await;
    let first = world.get(&token, &format!("{path}/results?maxRecords=400")).await;
    let next = header(&first, "sforce-locator").unwrap().to_string();
    assert_eq!(world.get(&token, &format!("{path}/results?locator={next}")).await.status, 400);
    assert_eq!(world.get(&token, &path).await.json()["state"], "Aborted");

    let path = job(&world, &token, "query", SOQL).await;
    world.org.admin().abort_job(path.rsplit('/').next().unwrap()).unwrap();
    assert_eq!(world.get(&token, &path).await.json()["state"], "Aborted");
    assert!(world.org.admin().abort_job("750").is_err());
}

#[tokio::test]
async fn lies_and_jobs_are_told_over_http_too() {
    let world = world().await;
    let token = world.mint().await;
    let lie = json!({ "object": "Account", "next": 1, "kind": { "kind": "job_count", "by": -1 } });
    assert_eq!(world.admin("bulk/lies", lie).await.status, 200);
    assert_eq!(
        world.admin("bulk/lies", json!({ "kind": { "kind": "job_cuont", "by": 1 } })).await.status,
        400
    );
    let path = job(&world, &token, "query", SOQL).await;
    assert_eq!(world.get(&token, &path).await.json()["numberRecordsProcessed"], 999);
    let id = path.trim_start_matches(JOBS).trim_start_matches('/');
    let failing = json!({ "id": id, "state": "Failed", "message": "because" });
    assert_eq!(world.admin("bulk/jobs", failing).await.status, 200);
    let shown = world.send(world.http.get(world.at("/_emulator/bulk/jobs"))).await.json();
    assert_eq!((&shown[0]["state"], &shown[0]["rows"]), (&"Failed".into(), &1000.into()));
    assert_eq!(world.admin("bulk/jobs", json!({ "id": id, "state": "Open" })).await.status, 400);
}

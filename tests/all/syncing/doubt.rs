use std::time::Duration;

use serde_json::json;
use sfmint::Explain;
use sfmint::base::job::{Deletes, Source, Transport};
use sfmint::emulator::{Lie, LieKind};
use sfmint::store::{RunOutcome, Store};
use sfmint::sync::Wish;

use super::bench::Bench;

/// A job whose pages hold 1,000 rows each.
async fn paged(rows: u64) -> Bench {
    let mut bench = Bench::new(rows).await;
    bench.job.transport = Transport::Bulk;
    bench.job.overlap = Duration::from_secs(800 * 86_400);
    bench.admin().change_rules(|rules| rules.bulk.page_rows = 1_000);
    bench
}

// airbyte#69843, and every other way in which a run has been called a success.
#[tokio::test]
async fn a_lie_about_the_rows_is_never_a_success() {
    for (kind, code) in [
        (LieKind::HeaderCount { page: 2, by: 1 }, "sync.page_torn"),
        (LieKind::HeaderCount { page: 2, by: -1 }, "sync.page_torn"),
        (LieKind::JobCount { by: 1 }, "sync.in_doubt"),
        (LieKind::JobCount { by: -1 }, "sync.in_doubt"),
        (LieKind::DroppedRow { row: 1_500 }, "sync.page_torn"),
        (LieKind::NoLocator { page: 2 }, "sync.locator_missing"),
        (LieKind::SameLocator { page: 2 }, "api.bulk_circle"),
        (LieKind::RepeatedPage { page: 3 }, "sync.page_repeated"),
        (LieKind::EmptyPage { page: 2 }, "sync.page_empty"),
        (LieKind::ColumnOrder { page: 2 }, "page.columns"),
        (LieKind::LocatorLoop { page: 3 }, "sync.locator_circle"),
    ] {
        let bench = paged(4_000).await;
        bench.complete().await;
        let watermark = bench.world.store.checkpoint(&bench.job.name).await.unwrap().unwrap().text;
        bench.world.minutes(60);
        bench.admin().lie(Lie::next(kind.clone()));
        let report = bench.run().await;
        let error = report.error.as_ref().unwrap_or_else(|| panic!("{kind:?} was believed"));
        assert_eq!((error.code(), report.outcome()), (code, RunOutcome::Partial), "{kind:?}: {error}");
        assert_eq!(error.fault(), sfmint::Fault::Data, "{kind:?}");
        assert_eq!(report.row.watermark, None, "{kind:?}");
        let kept = bench.world.store.checkpoint(&bench.job.name).await.unwrap().unwrap().text;
        assert_eq!(watermark, kept, "{kind:?}");
        // The truth again: the same window is read again, and it is complete.
        bench.admin().truth();
        bench.complete().await;
    }
}

#[tokio::test]
async fn a_first_run_in_doubt_shows_readers_nothing() {
    let bench = paged(3_000).await;
    bench.admin().lie(Lie::next(LieKind::DroppedRow { row: 2_500 }));
    let report = bench.run().await;
    assert_eq!(report.outcome(), RunOutcome::Partial);
    let db = rusqlite::Connection::open(bench.database()).unwrap();
    let tables: i64 = db
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'Account'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(tables, 0);
    bench.complete().await;
}

#[tokio::test]
async fn a_missing_locator_ends_a_result_whose_rows_are_all_there() {
    let bench = paged(2_500).await;
    bench.admin().lie(Lie::next(LieKind::NoLocator { page: 3 }));
    bench.complete().await;
}

#[tokio::test]
async fn a_job_that_failed_or_was_aborted_is_named() {
    let bench = paged(2_500).await;
    bench.admin().lie(Lie::next(LieKind::Fails { message: "InternalServerError : boom".into() }));
    let failed = bench.run().await;
    let error = failed.error.unwrap();
    assert_eq!((error.code(), failed.row.outcome), ("api.bulk_failed", RunOutcome::Failed), "{error}");
    assert!(error.to_string().contains("boom") || format!("{error:?}").contains("boom"), "{error}");
    bench.complete().await;
    bench.world.minutes(60);
    bench.admin().lie(Lie::next(LieKind::AbortedAfter { page: 1 }));
    let aborted = bench.run().await;
    assert_ne!(aborted.outcome(), RunOutcome::Complete);
    bench.complete().await;
}

#[tokio::test]
async fn verify_names_what_differs() {
    let bench = Bench::new(2_000).await;
    bench.complete().await;
    let sound = bench.verify().await;
    assert_eq!(sound.outcome(), RunOutcome::Complete, "{:?}", sound.error);
    let verified = sound.verified.unwrap();
    assert_eq!((verified.differing, verified.org, verified.held), (0, 2_000, 2_000));

    let ids: Vec<String> = bench.rows().into_keys().collect();
    bench.execute(&format!(
        "DELETE FROM Account WHERE Id = '{}'; UPDATE Account SET SystemModstamp = '2001-01-01T00:00:00.000Z' WHERE Id = '{}';",
        ids[10], ids[20]
    ));
    bench.admin().purge_record("Account", &ids[30]).unwrap();
    // Changed since: the next run brings it.
    bench.world.minutes(20);
    bench.admin().update("Account", &ids[40], json!({ "Name": "later" })).unwrap();
    let report = bench.verify().await;
    let error = report.error.unwrap();
    assert_eq!((error.code(), report.row.outcome), ("sync.differs", RunOutcome::Partial));
    let verified = report.verified.unwrap();
    let named: Vec<(&str, &str)> = verified.named.iter().map(|row| (row.id.as_str(), row.what)).collect();
    assert_eq!(
        named,
        [(ids[10].as_str(), "missing"), (ids[20].as_str(), "stale"), (ids[30].as_str(), "surplus")]
    );
    assert_eq!(verified.set_aside, 1);
}

#[tokio::test]
async fn a_run_may_end_in_verify_and_remembers_that_it_did() {
    let bench = Bench::new(300).await;
    let wish = || Wish { verify: true, ..Wish::default() };
    for _ in 0..2 {
        let report = bench.wish(wish()).await;
        assert_eq!(report.outcome(), RunOutcome::Complete, "{:?}", report.error);
        assert_eq!(report.verified.unwrap().differing, 0);
    }
    let verified =
        bench.count("(SELECT checkpoint FROM _sfmint_checkpoint) NOT LIKE '%\"verified_at\":null%'");
    assert_eq!(verified, bench.rows().len() as i64);
    bench.execute("DELETE FROM Account WHERE Id = (SELECT Id FROM Account WHERE NOT IsDeleted LIMIT 1)");
    let report = bench.wish(wish()).await;
    assert_eq!((report.error.unwrap().code(), report.row.outcome), ("sync.differs", RunOutcome::Partial));
    bench.complete_again().await;
}

#[tokio::test]
async fn another_org_behind_the_same_connection_is_refused() {
    let bench = Bench::new(50).await;
    bench.complete().await;
    bench.execute(
        "UPDATE _sfmint_checkpoint SET checkpoint = replace(checkpoint, '\"org_id\":\"00D', '\"org_id\":\"00E')",
    );
    let refused = bench.run().await;
    assert_eq!(refused.error.unwrap().code(), "sync.org_changed");
}

#[tokio::test]
async fn calls_that_are_used_up_stop_a_run_before_it_begins() {
    let mut bench = Bench::new(50).await;
    bench.complete().await;
    bench.job.api_budget_percent = 0;
    let stopped = bench.run().await;
    assert_eq!((stopped.outcome(), stopped.error.unwrap().code()), (RunOutcome::QuotaStopped, "sync.budget"));
}

#[tokio::test]
async fn what_bulk_refuses_comes_by_rest() {
    let mut bench = Bench::new(3_000).await;
    bench.admin().change_rules(|rules| rules.bulk.unsupported_objects = vec!["Account".into()]);
    let report = bench.complete().await;
    assert_eq!(report.row.transport, Some(sfmint::store::RunTransport::Rest));
    bench.job.transport = Transport::Bulk;
    let refused = bench.wish(Wish { full: true, ..Wish::default() }).await;
    assert_eq!(refused.outcome(), RunOutcome::Denied, "{:?}", refused.error);
}

#[tokio::test]
async fn rows_that_stop_matching_the_filter_go() {
    let mut bench = Bench::new(400).await;
    bench.job.source = Source::Object {
        object: "Account".parse().unwrap(),
        fields: None,
        exclude: vec![],
        filter: Some("Industry = 'Retail' OR Industry = 'Energy'".into()),
    };
    bench.job.deletes = Deletes::Remove;
    bench.job.max_delete_percent = 50;
    let first = bench.run().await;
    assert_eq!(first.outcome(), RunOutcome::Complete, "{:?}", first.error);
    let ids: Vec<String> = bench.rows().into_keys().collect();
    bench.world.minutes(60);
    bench.admin().update("Account", &ids[3], json!({ "Industry": "Banking" })).unwrap();
    bench.admin().update("Account", &ids[4], json!({ "Name": "still" })).unwrap();
    let second = bench.run().await;
    assert_eq!(second.outcome(), RunOutcome::Complete, "{:?}", second.error);
    assert_eq!((second.row.rows.written, second.row.rows.deleted), (1, 1));
    let now: Vec<String> = bench.rows().into_keys().collect();
    assert_eq!(now.len(), ids.len() - 1);
    assert!(!now.contains(&ids[3]) && now.contains(&ids[4]));
}

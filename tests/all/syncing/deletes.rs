use serde_json::json;
use sfmint::Explain;
use sfmint::base::job::Deletes;
use sfmint::emulator::{DEMO_USERNAME, OrgConfig, RecordsConfig};
use sfmint::store::RunOutcome;
use sfmint::sync::Wish;

use super::bench::Bench;

fn reconciling() -> Wish {
    Wish { reconcile: true, ..Wish::default() }
}

// airbyte#44845: hard deletes are never seen. Fourteen days and more: the recycle bin does not know them any more either.
#[tokio::test]
async fn hard_deletes_are_found_by_comparing_ids() {
    let bench = Bench::new(1_000).await;
    bench.complete().await;
    let ids: Vec<String> = bench.rows().into_keys().collect();
    for id in &ids[5..8] {
        bench.admin().purge_record("Account", id).unwrap();
    }
    bench.world.minutes(20 * 24 * 60);
    let plain = bench.run().await;
    assert_eq!((plain.outcome(), plain.row.rows.deleted), (RunOutcome::Complete, 0));
    let report = bench.wish(reconciling()).await;
    assert_eq!((report.outcome(), report.row.rows.deleted), (RunOutcome::Complete, 3), "{:?}", report.error);
    assert_eq!(bench.count("_sfmint_deleted_at IS NOT NULL"), 3);
    let again = bench.wish(reconciling()).await;
    assert_eq!((again.outcome(), again.row.rows.deleted), (RunOutcome::Complete, 0), "{:?}", again.error);
}

#[tokio::test]
async fn rows_are_removed_where_the_job_says_so() {
    let mut bench = Bench::new(1_000).await;
    bench.job.deletes = Deletes::Remove;
    let first = bench.run().await;
    assert_eq!(
        (first.outcome(), first.row.rows.received),
        (RunOutcome::Complete, 1_000),
        "{:?}",
        first.error
    );
    let ids: Vec<String> = bench.rows().into_keys().collect();
    bench.world.minutes(60);
    bench.admin().delete_record("Account", &ids[1]).unwrap();
    bench.admin().purge_record("Account", &ids[2]).unwrap();
    let second = bench.wish(reconciling()).await;
    assert_eq!((second.outcome(), second.row.rows.deleted), (RunOutcome::Complete, 2), "{:?}", second.error);
    assert_eq!(bench.rows().len(), 998);
}

#[tokio::test]
async fn deleted_rows_stay_as_they_were_where_the_job_says_so() {
    let mut bench = Bench::new(100).await;
    bench.job.deletes = Deletes::Ignore;
    let first = bench.run().await;
    assert_eq!((first.outcome(), first.row.rows.received), (RunOutcome::Complete, 100), "{:?}", first.error);
    let id = bench.rows().into_keys().next().unwrap();
    bench.world.minutes(60);
    bench.admin().delete_record("Account", &id).unwrap();
    let second = bench.run().await;
    assert_eq!((second.outcome(), second.row.rows.received), (RunOutcome::Complete, 0));
    assert_eq!(bench.rows().len(), 100);
}

// Rows vanish when they are deleted, and when the user loses the right to see them.
#[tokio::test]
async fn a_user_who_sees_less_than_before_deletes_nothing() {
    let records = RecordsConfig { accounts: 1_000, owners: 2, ..RecordsConfig::default() };
    let bench = Bench::of(OrgConfig { records, ..OrgConfig::default() }).await;
    bench.admin().set_view_all(DEMO_USERNAME, true).unwrap();
    bench.complete().await;
    let held = bench.count("NOT IsDeleted");
    bench.admin().set_view_all(DEMO_USERNAME, false).unwrap();
    bench.world.minutes(60);
    let report = bench.wish(reconciling()).await;
    let error = report.error.as_ref().unwrap();
    assert_eq!((error.code(), report.outcome()), ("sync.mass_delete", RunOutcome::Partial), "{error}");
    assert!(error.hints()[0].as_str().contains("the user may see less than before"));
    assert!(report.notes.iter().any(|note| note.contains("View All Data withdrawn")), "{:?}", report.notes);
    assert_eq!(bench.count("NOT IsDeleted AND _sfmint_deleted_at IS NULL"), held);

    let full = bench.wish(Wish { full: true, ..Wish::default() }).await;
    assert_eq!(full.error.as_ref().unwrap().code(), "sync.mass_delete", "{:?}", full.error);
    assert_eq!(bench.count("NOT IsDeleted"), held);

    // With the right back, nothing was lost; rows that came into sight meanwhile are fetched by Id.
    bench.admin().set_view_all(DEMO_USERNAME, true).unwrap();
    let back = bench.wish(reconciling()).await;
    assert_eq!(back.outcome(), RunOutcome::Complete, "{:?}", back.error);
    bench.same();
}

#[tokio::test]
async fn rows_that_come_into_sight_are_fetched_although_nothing_changed_them() {
    let records = RecordsConfig { accounts: 1_000, owners: 2, ..RecordsConfig::default() };
    let bench = Bench::of(OrgConfig { records, ..OrgConfig::default() }).await;
    bench.admin().set_view_all(DEMO_USERNAME, false).unwrap();
    let first = bench.run().await;
    assert_eq!(first.outcome(), RunOutcome::Complete, "{:?}", first.error);
    assert!(bench.rows().len() < 600);
    bench.admin().set_view_all(DEMO_USERNAME, true).unwrap();
    bench.world.minutes(60);
    let report = bench.wish(reconciling()).await;
    assert_eq!(report.outcome(), RunOutcome::Complete, "{:?}", report.error);
    assert_eq!(bench.count("NOT IsDeleted"), 1_000);
}

#[tokio::test]
async fn so_many_deletes_are_believed_when_a_person_says_so() {
    let bench = Bench::new(200).await;
    bench.complete().await;
    let ids: Vec<String> = bench.rows().into_keys().collect();
    for id in &ids[..60] {
        bench.admin().purge_record("Account", id).unwrap();
    }
    bench.world.minutes(60);
    let doubted = bench.wish(reconciling()).await;
    assert_eq!(doubted.error.unwrap().code(), "sync.mass_delete");
    let believed = bench.wish(Wish { max_delete_percent: Some(100), ..reconciling() }).await;
    assert_eq!(believed.outcome(), RunOutcome::Complete, "{:?}", believed.error);
    assert!(bench.count("_sfmint_deleted_at IS NOT NULL") >= 58);
    let _ = json!(null);
}

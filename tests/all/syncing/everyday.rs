use serde_json::json;
use sfmint::base::job::{Mode, SchemaPolicy, Source, Transport};
use sfmint::emulator::Stamp;
use sfmint::store::{RunKind, RunOutcome, RunQuery, RunTransport, Store};
use sfmint::sync::Wish;

use super::bench::Bench;

#[tokio::test]
async fn a_first_run_brings_everything_and_the_next_ones_what_changed() {
    let bench = Bench::new(5_000).await;
    let first = bench.complete().await;
    assert_eq!(first.row.kind, RunKind::Full);
    assert_eq!(first.row.transport, Some(RunTransport::Bulk));
    assert_eq!(first.row.rows.received, 5_102, "deleted rows too");

    bench.world.minutes(60);
    let admin = bench.admin();
    let ids: Vec<String> = bench.rows().keys().cloned().collect();
    admin
        .update("Account", &ids[7], json!({ "Name": "Änderung, \"neu\"\n", "AnnualRevenue": null }))
        .unwrap();
    admin.delete_record("Account", &ids[8]).unwrap();
    admin.insert("Account", json!({ "Name": "new" })).unwrap();
    let second = bench.complete().await;
    assert_eq!(second.row.kind, RunKind::Incremental);
    assert_eq!(second.row.rows.written, 3, "{:?}", second.row.rows);
    assert_eq!(second.row.transport, Some(RunTransport::Rest), "three rows are no Bulk job");
    assert_eq!(second.row.rows.deleted, 1);

    bench.world.minutes(5);
    admin.undelete_record("Account", &ids[8]).unwrap();
    let third = bench.complete().await;
    assert_eq!(
        (third.row.rows.written, third.row.rows.unchanged),
        (1, 2),
        "the overlap brings the rest again"
    );

    bench.world.minutes(60);
    let again = bench.complete().await;
    assert_eq!((again.row.rows.received, again.row.rows.unchanged), (3, 3), "within the overlap once more");
    bench.world.minutes(60);
    let quiet = bench.complete().await;
    assert_eq!(quiet.row.rows.received, 0);
    assert!(quiet.row.watermark > third.row.watermark);
    let runs = bench.world.store.runs(RunQuery::default(), bench.world.clock_now()).await.unwrap();
    assert_eq!(runs.len(), 5);
    assert!(runs.iter().all(|run| run.outcome == RunOutcome::Complete && run.api_calls > 0), "{runs:?}");
}

#[tokio::test]
async fn a_row_lands_identically_by_either_transport() {
    let mut bench = Bench::new(3_000).await;
    bench.job.transport = Transport::Bulk;
    bench.complete().await;
    let by_bulk = bench.rows();
    bench.job.transport = Transport::Rest;
    let report = bench.wish(Wish { full: true, ..Wish::default() }).await;
    assert_eq!(report.outcome(), RunOutcome::Complete, "{:?}", report.error);
    assert_eq!(report.row.transport, Some(RunTransport::Rest));
    let mut by_rest = bench.rows();
    let strip = |rows: &mut std::collections::BTreeMap<String, std::collections::BTreeMap<String, _>>| {
        rows.values_mut().for_each(|row| row.retain(|name, _| !name.starts_with("_sfmint_")));
    };
    let mut by_bulk = by_bulk;
    strip(&mut by_bulk);
    strip(&mut by_rest);
    assert_eq!(by_bulk.len(), by_rest.len());
    assert!(by_bulk == by_rest, "the rows differ");
}

// airbyte#17148, supaglue#532: more rows share one stamp than a page holds, on the edge of a window.
#[tokio::test]
async fn ten_thousand_rows_of_one_second_at_the_edge_of_a_window_all_come() {
    let mut bench = Bench::new(12_000).await;
    bench.job.overlap = std::time::Duration::ZERO;
    bench.complete().await;
    // In the very second in which the next run asks, and again just after it.
    bench.world.minutes(30);
    bench.admin().touch("Account", 10_000, Stamp::Now).unwrap();
    let report = bench.complete().await;
    assert_eq!(report.row.rows.received, 10_000);
    bench.admin().touch("Account", 5_000, Stamp::Now).unwrap();
    bench.world.seconds(10);
    let report = bench.complete().await;
    assert_eq!(report.row.rows.received, 10_000, "the second of the watermark is read again");
}

// airbyte#27146: a transaction that commits late.
#[tokio::test]
async fn a_row_with_a_stamp_from_before_the_watermark_is_found_by_the_overlap() {
    let bench = Bench::new(100).await;
    bench.complete().await;
    bench.world.minutes(10);
    let id = bench.rows().keys().next().unwrap().clone();
    let before_the_watermark = bench.world.clock_now().moved(-11 * 60);
    bench.admin().update_at("Account", &id, json!({ "Name": "late" }), before_the_watermark).unwrap();
    let report = bench.complete().await;
    assert_eq!(report.row.rows.written, 1, "{:?}", report.row.rows);
}

#[tokio::test]
async fn fields_that_come_and_go_are_told_and_followed() {
    let mut bench = Bench::new(50).await;
    bench.complete().await;
    let field = |name: &str| sfmint::emulator::FieldConfig {
        name: name.into(),
        kind: "string".into(),
        value: json!("fresh"),
    };
    bench.admin().add_field("Account", &field("Extra__c")).unwrap();
    bench.world.minutes(60);

    bench.job.on_schema_change = SchemaPolicy::Fail;
    let refused = bench.run().await;
    assert_eq!(refused.error.unwrap().to_string(), "the fields of `Account` changed: gained Extra__c");
    assert_eq!(refused.row.rows.received, 0);

    bench.job.on_schema_change = SchemaPolicy::Warn;
    let warned = bench.run().await;
    assert_eq!(warned.outcome(), RunOutcome::Complete);
    assert_eq!(warned.row.schema.unwrap().gained, ["Extra__c"]);
    assert!(!bench.rows().values().next().unwrap().contains_key("Extra__c"));

    bench.job.on_schema_change = SchemaPolicy::Evolve;
    let evolved = bench.wish(Wish { full: true, ..Wish::default() }).await;
    assert_eq!(evolved.outcome(), RunOutcome::Complete, "{:?}", evolved.error);
    bench.same();
    bench.admin().remove_field("Account", "Extra__c").unwrap();
    bench.world.minutes(60);
    let lost = bench.run().await;
    assert_eq!(lost.outcome(), RunOutcome::Complete, "{:?}", lost.error);
    assert_eq!(lost.row.schema.unwrap().lost, ["Extra__c"]);
    assert_eq!(bench.count("Extra__c = 'fresh'"), 51, "nothing is ever dropped");
}

#[tokio::test]
async fn a_query_of_the_jobs_own_is_followed() {
    let mut bench = Bench::new(300).await;
    let soql =
        "SELECT Id, Name, SystemModstamp FROM Account WHERE Industry = 'Retail' OR Industry = 'Energy'";
    bench.job.source = Source::Soql(sfmint::base::job::Soql::parse(soql).unwrap());
    let first = bench.run().await;
    assert_eq!(first.outcome(), RunOutcome::Complete, "{:?}", first.error);
    let held = bench.rows().len() as u64;
    assert_eq!(first.row.rows.received, held);
    let id = bench.rows().keys().next().unwrap().clone();
    bench.world.minutes(60);
    bench.admin().update("Account", &id, json!({ "Name": "seen" })).unwrap();
    let second = bench.run().await;
    assert_eq!(second.row.rows.written, 1, "{:?}", second.error);
    assert_eq!(bench.count("Name = 'seen'"), 1);

    let grouped = "SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry";
    bench.job.source = Source::Soql(sfmint::base::job::Soql::parse(grouped).unwrap());
    let refused = bench.run().await.error.unwrap();
    assert!(refused.to_string().contains("GROUP BY"), "{refused}");
}

#[tokio::test]
async fn a_full_job_replaces_everything_each_time() {
    let mut bench = Bench::new(500).await;
    bench.job.mode = Mode::Full;
    bench.complete().await;
    let id = bench.rows().keys().next().unwrap().clone();
    // A formula field: its value changes, its row's stamp does not.
    bench.admin().update_silently("Account", &id, json!({ "Name": "computed" })).unwrap();
    bench.world.minutes(1);
    bench.complete().await;
    assert_eq!(bench.count("Name = 'computed'"), 1);
}

#[tokio::test]
async fn a_window_that_was_named_leaves_the_watermark() {
    let bench = Bench::new(1_000).await;
    let first = bench.complete().await;
    let wish =
        Wish { window: Some((Some("2025-01-01T00:00:00Z".parse().unwrap()), None)), ..Wish::default() };
    let backfill = bench.wish(wish).await;
    assert_eq!(backfill.outcome(), RunOutcome::Complete, "{:?}", backfill.error);
    assert_eq!(backfill.row.rows.unchanged, backfill.row.rows.received);
    assert!(backfill.row.rows.received > 0);
    assert_eq!(backfill.row.watermark, first.row.watermark);
}

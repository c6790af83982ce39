use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use sfmint::Explain;
use sfmint::base::job::Transport;
use sfmint::emulator::{DEMO_USERNAME, Effect, Injection};
use sfmint::store::{Acquired, Holder, LeaseRequest, RunOutcome, Store};

use super::bench::Bench;

/// A job whose pages hold 1,000 rows each, 5,102 in all.
async fn paged() -> Bench {
    let mut bench = Bench::new(5_000).await;
    bench.job.transport = Transport::Bulk;
    bench.admin().change_rules(|rules| rules.bulk.page_rows = 1_000);
    bench
}

fn status(status: u16, headers: &[(&str, &str)], body: &str) -> Effect {
    let headers =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect::<BTreeMap<_, _>>();
    Effect::Status { status, headers, body: body.into() }
}

// faults A4, A6, A7, A9: each passes by itself, costs a page again at most, and no row.
#[tokio::test]
async fn what_breaks_in_the_middle_costs_a_page_and_no_row() {
    let html = "<!DOCTYPE html><html><title>502</title></html>";
    for effect in [
        status(500, &[], "[{\"errorCode\":\"UNKNOWN_EXCEPTION\",\"message\":\"oops\"}]"),
        status(502, &[("Content-Type", "text/html")], html),
        status(503, &[("Retry-After", "1")], ""),
        status(429, &[("Retry-After", "1")], ""),
        Effect::ResetAfter { after_bytes: 30_000 },
        Effect::Truncate { after_bytes: 30_000 },
        Effect::SessionEnds { after_bytes: Some(30_000) },
        Effect::SessionEnds { after_bytes: None },
    ] {
        let bench = paged().await;
        let says = format!("{effect:?}");
        bench.admin().inject(Injection::next("/services/data", 1, effect).containing("/results").skipping(2));
        let report = bench.complete().await;
        assert_eq!(report.row.rows.received, 5_102, "{says}");
        let mints = bench.admin().counters().minted();
        assert_eq!(mints, if says.contains("SessionEnds") { 2 } else { 1 }, "{says}");
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_goes_on_with_the_same_bulk_job() {
    let bench = paged().await;
    bench.stop_after.store(2, Ordering::SeqCst);
    let stopped = bench.run().await;
    assert_eq!(stopped.error.unwrap().code(), "sync.interrupted");
    assert_eq!(stopped.row.rows.received, 2_000);
    bench.stop_after.store(u64::MAX, Ordering::SeqCst);
    bench.world.minutes(3);
    let jobs_before = bench.admin().jobs().len();
    let report = bench.complete().await;
    assert_eq!(report.row.rows.received, 5_102);
    assert_eq!(jobs_before, 1);
    assert_eq!(bench.admin().jobs().len(), 0, "it was read on, and taken away in the end");
    let log = bench.admin().log();
    let pages = log.iter().filter(|entry| entry.path.contains("/results")).count();
    // Six pages, and the one or two that were under way when the first run stopped.
    assert!((6..=8).contains(&pages), "{pages} pages were asked for");
}

#[tokio::test]
async fn a_result_that_is_too_old_is_asked_for_anew() {
    let bench = paged().await;
    bench.stop_after.store(1, Ordering::SeqCst);
    bench.run().await;
    bench.stop_after.store(u64::MAX, Ordering::SeqCst);
    bench.world.minutes(8 * 24 * 60);
    let report = bench.complete().await;
    assert_eq!(report.row.rows.received, 5_102);
}

#[tokio::test]
async fn a_user_who_is_frozen_in_the_middle_is_named_and_the_rest_comes_later() {
    let bench = paged().await;
    bench.admin().inject(
        Injection::next("/services/data", 1, Effect::SessionEnds { after_bytes: None })
            .containing("/results")
            .skipping(2),
    );
    bench.admin().change_user(DEMO_USERNAME, |user| user.frozen = false).unwrap();
    let admin = bench.admin();
    let freeze = async {
        // Once two pages are written the user is frozen: the session that ends then cannot be made anew.
        crate::org::until("two pages", || admin.counters().api_requests > 6).await;
        admin.change_user(DEMO_USERNAME, |user| user.frozen = true).unwrap();
    };
    let (report, ()) = tokio::join!(bench.run(), freeze);
    if report.outcome() != RunOutcome::Complete {
        assert_eq!(report.outcome(), RunOutcome::Denied, "{:?}", report.error);
        assert_eq!(report.error.unwrap().fault(), sfmint::Fault::Denied);
    }
    bench.admin().change_user(DEMO_USERNAME, |user| user.frozen = false).unwrap();
    bench.world.minutes(10);
    bench.complete().await;
}

// faults B8: the second run of a job ends at once, and says who is at it.
#[tokio::test]
async fn a_job_that_is_under_way_is_not_run_twice() {
    let bench = Bench::new(10).await;
    let request = LeaseRequest {
        name: "job/accounts".into(),
        holder: Holder { id: "other".into(), host: "there".into(), pid: 42 },
        ttl: Duration::from_secs(60),
        now: bench.world.clock_now(),
    };
    let Acquired::Granted(lease) = bench.world.store.acquire_lease(request).await.unwrap() else { panic!() };
    let report = bench.run().await;
    let error = report.error.unwrap();
    assert_eq!((error.code(), error.fault()), ("sync.running", sfmint::Fault::Transient));
    assert!(error.to_string().contains("process 42 on there"), "{error}");
    bench.world.store.release_lease(&lease).await.unwrap();
    bench.complete().await;
}

// faults B9: a holder that slept past its lease writes nothing more.
#[tokio::test]
async fn a_run_whose_lease_went_to_another_changes_nothing() {
    let bench = Bench::new(100).await;
    bench.complete().await;
    bench.execute("UPDATE _sfmint_checkpoint SET epoch = epoch + 1000000000");
    bench.world.minutes(60);
    let id = bench.rows().into_keys().next().unwrap();
    bench.admin().update("Account", &id, json!({ "Name": "from the past" })).unwrap();
    let report = bench.run().await;
    assert_eq!(report.error.unwrap().code(), "destination.fenced");
    assert_eq!(bench.count("Name = 'from the past'"), 0);
}

#[tokio::test]
async fn rows_that_change_while_a_run_reads_are_there_after_the_next() {
    let bench = paged().await;
    let ids: Vec<String> = bench
        .admin()
        .records("Account")
        .unwrap()
        .iter()
        .map(|row| row["Id"].as_str().unwrap().to_string())
        .collect();
    let admin = bench.admin();
    let change = async {
        for (round, id) in ids.iter().step_by(97).enumerate() {
            match round % 3 {
                0 => drop(admin.update("Account", id, json!({ "Name": format!("changed {round}") }))),
                1 => drop(admin.delete_record("Account", id)),
                _ => drop(admin.insert("Account", json!({ "Name": format!("new {round}") }))),
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let (report, ()) = tokio::join!(bench.run(), change);
    assert_eq!(report.outcome(), RunOutcome::Complete, "{:?}", report.error);
    bench.world.minutes(1);
    bench.complete().await;
}

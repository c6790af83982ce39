//! What every kind of store must do, told once and run against each.

use std::time::Duration;

use super::*;
use crate::base::{Explain, Fault, KeyId, OAuthError, TokenId, UnixSeconds};

pub(super) fn row(at: i64) -> MintRow {
    MintRow {
        at: UnixSeconds::new(at),
        connection: "prod".parse().unwrap(),
        credential: "main".into(),
        username: "integration@acme.example".parse().unwrap(),
        client_id: "3MVG9abc.DEF_ghi".parse().unwrap(),
        login_url: "https://acme.my.salesforce.com".into(),
        outcome: MintOutcome::Minted,
        code: None,
        salesforce: None,
        duration_ms: 183,
        attempts: 1,
        key_id: Some(KeyId::of_spki(b"a public key")),
        token_id: Some(TokenId::of("a token")),
        org_id: Some("00D8d00000abCdE".parse().unwrap()),
        skew_seconds: Some(-2),
        reason: MintReason::Cold,
        pid: 4242,
        version: "0.1.0".into(),
    }
}

pub(super) fn refusal(at: i64) -> MintRow {
    MintRow {
        connection: "sandbox".parse().unwrap(),
        credential: "b".into(),
        outcome: MintOutcome::Refused,
        code: Some("mint.refused".into()),
        salesforce: Some(OAuthError::new("invalid_grant", Some("user hasn't approved this consumer"))),
        attempts: 3,
        duration_ms: u64::from(u32::MAX) + 7,
        key_id: None,
        token_id: None,
        org_id: None,
        skew_seconds: None,
        reason: MintReason::DeadSession,
        ..row(at)
    }
}

pub(super) fn request(name: &str, id: &str, now: i64) -> LeaseRequest {
    LeaseRequest {
        name: name.into(),
        holder: Holder { id: id.into(), host: "worker-1".into(), pid: 77 },
        ttl: Duration::from_secs(60),
        now: UnixSeconds::new(now),
    }
}

pub(super) async fn granted(store: &dyn Store, request: LeaseRequest) -> Lease {
    match store.acquire_lease(request).await.unwrap() {
        Acquired::Granted(lease) => lease,
        Acquired::Held(held) => panic!("held by {held:?}"),
    }
}

pub(super) fn is_lost(error: &StoreError) -> bool {
    matches!(error, StoreError::LeaseLost { .. })
        && error.fault() == Fault::Transient
        && error.code() == "store.lease_lost"
}

/// All of it, each part on a store of its own.
pub(super) async fn suite<S: Store>(new: impl Fn() -> S) {
    what_is_written_is_read_back(&new()).await;
    history_is_newest_first_and_narrows(&new()).await;
    pruning_forgets_what_is_older(&new()).await;
    one_holder_at_a_time(&new()).await;
    a_holder_that_slept_is_fenced(&new()).await;
    epochs_grow_past_a_release(&new()).await;
    fenced_writes_are_all_or_none(&new()).await;
    what_looks_like_a_secret_never_arrives(&new()).await;
    info_counts(&new()).await;
    super::conformance_runs::suite(&new).await;
}

async fn what_is_written_is_read_back(store: &dyn Store) {
    for row in [row(100), refusal(101)] {
        store.record_mint(row.clone()).await.unwrap();
        let found = store.mints(MintQuery { limit: 1, ..MintQuery::default() }).await.unwrap();
        assert_eq!(found, [row]);
    }
    for reason in
        [MintReason::Cold, MintReason::Due, MintReason::Expired, MintReason::Fresh, MintReason::Proof]
    {
        for outcome in [MintOutcome::Minted, MintOutcome::Refused, MintOutcome::Failed] {
            let row = MintRow { reason, outcome, ..row(200) };
            store.record_mint(row.clone()).await.unwrap();
            let found = store.mints(MintQuery { limit: 1, ..MintQuery::default() }).await.unwrap();
            assert_eq!(found, [row]);
        }
    }
    // Foreign words, as nasty as they come, once they are printable.
    for text in ["\0 null", "'; DROP TABLE mint; --", "\u{202e}rtl", "😀 \r\n", &"ü".repeat(5000)] {
        let row = MintRow { salesforce: Some(OAuthError::new(text, Some(text))), ..refusal(300) };
        store.record_mint(row.clone()).await.unwrap();
        let found = store.mints(MintQuery { limit: 1, ..MintQuery::default() }).await.unwrap();
        assert_eq!(found, [row]);
    }
}

async fn history_is_newest_first_and_narrows(store: &dyn Store) {
    for at in [10, 30, 20, 30, -5] {
        store.record_mint(MintRow { pid: u32::try_from(at + 100).unwrap(), ..row(at) }).await.unwrap();
    }
    store.record_mint(refusal(25)).await.unwrap();
    let times = async |query: MintQuery| -> Vec<i64> {
        store.mints(query).await.unwrap().iter().map(|row| row.at.get()).collect()
    };
    let all = MintQuery::default;
    assert_eq!(times(all()).await, [30, 30, 25, 20, 10, -5]);
    assert_eq!(times(MintQuery { limit: 2, ..all() }).await, [30, 30]);
    assert_eq!(times(MintQuery { limit: 0, ..all() }).await, [0; 0]);
    assert_eq!(times(MintQuery { since: Some(UnixSeconds::new(20)), ..all() }).await, [30, 30, 25, 20]);
    let prod = || Some("prod".parse().unwrap());
    assert_eq!(times(MintQuery { connection: prod(), ..all() }).await, [30, 30, 20, 10, -5]);
    let late = MintQuery { connection: prod(), since: Some(UnixSeconds::new(20)), limit: 2 };
    assert_eq!(times(late).await, [30, 30]);
    let absent = MintQuery { connection: Some("absent".parse().unwrap()), ..all() };
    assert_eq!(times(absent).await, [0; 0]);
}

async fn pruning_forgets_what_is_older(store: &dyn Store) {
    let lease = granted(store, request("job/accounts", "run-1", 0)).await;
    for at in 0..10 {
        store.record_mint(row(at)).await.unwrap();
    }
    assert_eq!(store.prune(UnixSeconds::new(7)).await.unwrap(), Pruned { mints: 7, runs: 0 });
    assert_eq!(store.prune(UnixSeconds::new(7)).await.unwrap(), Pruned::default());
    let info = store.info().await.unwrap();
    assert_eq!((info.oldest, info.newest), (Some(UnixSeconds::new(7)), Some(UnixSeconds::new(9))));
    store.release_lease(&lease).await.unwrap();
    store.prune(UnixSeconds::new(i64::MAX)).await.unwrap();
    assert!(granted(store, request("job/accounts", "run-2", 0)).await.epoch > lease.epoch);
}

// faults B8
async fn one_holder_at_a_time(store: &dyn Store) {
    let first = granted(store, request("job/accounts", "run-1", 1000)).await;
    assert_eq!(first.until, UnixSeconds::new(1060));
    for id in ["run-2", "run-1"] {
        let answer = store.acquire_lease(request("job/accounts", id, 1059)).await.unwrap();
        let Acquired::Held(held) = answer else { panic!("{answer:?}") };
        assert_eq!(held.by, first.holder, "who");
        assert_eq!((held.since, held.until), (first.since, first.until), "since and until when");
        assert_eq!(held.epoch, first.epoch, "under which epoch");
    }
    let other = granted(store, request("job/contacts", "run-2", 1059)).await;
    assert_eq!(other.name, "job/contacts", "another name is another lease");
    let kept = store.renew_lease(&first, Duration::from_secs(60), UnixSeconds::new(1040)).await.unwrap();
    assert_eq!((kept.epoch, kept.since, kept.until), (first.epoch, first.since, UnixSeconds::new(1100)));
    let answer = store.acquire_lease(request("job/accounts", "run-2", 1099)).await.unwrap();
    assert!(matches!(answer, Acquired::Held(_)), "the renewal counts: {answer:?}");
    let late = store.renew_lease(&kept, Duration::from_secs(60), UnixSeconds::new(5000)).await.unwrap();
    assert_eq!(late.until, UnixSeconds::new(5060), "ran out, and nobody had taken it");
}

// faults B9
async fn a_holder_that_slept_is_fenced(store: &dyn Store) {
    let slept = granted(store, request("job/accounts", "run-1", 1000)).await;
    let woke = granted(store, request("job/accounts", "run-2", 1060)).await;
    assert!(woke.epoch > slept.epoch);
    let now = UnixSeconds::new(1061);
    assert!(is_lost(&store.renew_lease(&slept, Duration::from_secs(60), now).await.unwrap_err()));
    assert!(is_lost(&store.release_lease(&slept).await.unwrap_err()));
    assert!(is_lost(&store.write_under(&slept, vec![Fact::Mint(row(1061))]).await.unwrap_err()));
    assert_eq!(store.mints(MintQuery::default()).await.unwrap(), [], "its write affects no rows");
    store.write_under(&woke, vec![Fact::Mint(row(1062))]).await.unwrap();
    assert_eq!(store.mints(MintQuery::default()).await.unwrap().len(), 1);
    let forged = Lease { holder: slept.holder.clone(), ..woke.clone() };
    assert!(is_lost(&store.write_under(&forged, vec![]).await.unwrap_err()), "the epoch alone is not enough");
    let unknown = Lease { name: "job/unknown".into(), ..woke };
    assert!(is_lost(&store.write_under(&unknown, vec![]).await.unwrap_err()));
}

async fn epochs_grow_past_a_release(store: &dyn Store) {
    let mut last = 0;
    for turn in 0..5 {
        let lease = granted(store, request("job/accounts", &format!("run-{turn}"), 1000)).await;
        assert!(lease.epoch > last, "{} after {last}", lease.epoch);
        last = lease.epoch;
        store.release_lease(&lease).await.unwrap();
        assert!(is_lost(&store.release_lease(&lease).await.unwrap_err()), "given back once");
        assert!(is_lost(&store.write_under(&lease, vec![]).await.unwrap_err()), "and then it is over");
    }
}

async fn fenced_writes_are_all_or_none(store: &dyn Store) {
    let lease = granted(store, request("job/accounts", "run-1", 1000)).await;
    store.write_under(&lease, vec![Fact::Mint(row(1)), Fact::Mint(row(2))]).await.unwrap();
    assert_eq!(store.mints(MintQuery::default()).await.unwrap(), [row(2), row(1)]);
}

// faults D: a gateway that repeats the request in its error text
async fn what_looks_like_a_secret_never_arrives(store: &dyn Store) {
    let token = "00D8d00000abCdE!AQEAQPl4kZ0123456789abcdefghijklmnop.qrstuvwxyz_ABC";
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIzTVZHOSJ9.c2lnbmF0dXJl";
    let text = format!("bad request: assertion={jwt} token {token}");
    let row = MintRow {
        salesforce: Some(OAuthError::new(&text, Some(&text))),
        code: Some(text.clone()),
        credential: text.clone(),
        login_url: format!("https://acme.my.salesforce.com/?assertion={jwt}"),
        version: text.clone(),
        ..refusal(1)
    };
    let lease = granted(store, request("job/accounts", "run-1", 1)).await;
    store.record_mint(row.clone()).await.unwrap();
    store.write_under(&lease, vec![Fact::Mint(row)]).await.unwrap();
    let found = format!("{:?}", store.mints(MintQuery::default()).await.unwrap());
    assert!(found.contains("bad request: assertion"), "{found}");
    for secret in [token, jwt, "c2lnbmF0dXJl", "AQEAQPl4"] {
        assert!(!found.contains(secret), "{found}");
    }
}

async fn info_counts(store: &dyn Store) {
    let empty = store.info().await.unwrap();
    assert_eq!((empty.oldest, empty.newest), (None, None));
    assert_eq!(empty.integrity, Integrity::Sound);
    store.record_mint(row(5)).await.unwrap();
    store.record_mint(row(3)).await.unwrap();
    granted(store, request("job/accounts", "run-1", 1)).await;
    let info = store.info().await.unwrap();
    assert_eq!((info.oldest, info.newest), (Some(UnixSeconds::new(3)), Some(UnixSeconds::new(5))));
    let rows = |name| info.tables.iter().find(|table| table.name == name).map(|table| table.rows);
    assert_eq!((rows("mint"), rows("lease")), (Some(2), Some(1)));
    serde_json::to_string(&info).unwrap();
}

use std::time::Duration;

use serde_json::{Value, json};

use super::bulk::{header, job, pages, rows};
use super::harness::{World, world, world_of};
use crate::base::UnixSeconds;
use crate::emulator::{Deed, FieldConfig, Mutation, OrgConfig, Stamp, Which};

const NOW: &str = "2026-11-22T21:00:00.000+0000";

async fn all(world: &World, token: &str, kind: &str, soql: &str) -> Value {
    let encoded: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
    let answer = world.get(token, &format!("/services/data/v67.0/{kind}?q={encoded}")).await;
    assert_eq!(answer.status, 200, "{soql}: {}", answer.text);
    answer.json()
}

async fn count(world: &World, token: &str, kind: &str, condition: &str) -> u64 {
    all(world, token, kind, &format!("SELECT COUNT() FROM Account {condition}")).await["totalSize"]
        .as_u64()
        .unwrap()
}

async fn first_id(world: &World, token: &str) -> String {
    let first = all(world, token, "query", "SELECT Id FROM Account ORDER BY Id LIMIT 1").await;
    first["records"][0]["Id"].as_str().unwrap().to_string()
}

#[tokio::test]
async fn a_change_is_seen_by_every_way_of_reading() {
    let world = world().await;
    let token = world.mint().await;
    let admin = world.org.admin();
    let id = first_id(&world, &token).await;
    admin.update("Account", &id, json!({ "Name": "Changed, \"Inc\"", "Industry": null })).unwrap();
    let record = world.get(&token, &format!("/services/data/v67.0/sobjects/Account/{id}")).await.json();
    assert_eq!((&record["Name"], &record["SystemModstamp"]), (&"Changed, \"Inc\"".into(), &NOW.into()));
    assert_eq!(
        (&record["LastModifiedDate"], &record["CreatedDate"]),
        (&NOW.into(), &"2025-01-01T00:00:00.000+0000".into())
    );
    assert!(record["Industry"].is_null());
    let window = "WHERE SystemModstamp >= 2026-11-22T20:59:00Z";
    assert_eq!(count(&world, &token, "query", window).await, 1);
    assert_eq!(count(&world, &token, "query", "WHERE SystemModstamp < 2026-11-22T20:59:00Z").await, 999);
    assert_eq!(count(&world, &token, "query", "").await, 1000);
    let path = job(&world, &token, "query", &format!("SELECT Id, Name FROM Account {window}")).await;
    let page = world.get(&token, &format!("{path}/results")).await;
    assert_eq!(rows(&page.text)[1], [id.as_str(), "Changed, \"Inc\""]);

    let new =
        admin.insert("Contact", json!({ "LastName": "New", "AccountId": id, "Score__c": 1.5 })).unwrap();
    let soql =
        format!("SELECT Id, Account.Name, Name, Score__c, CreatedDate FROM Contact WHERE Id = '{new}'");
    let added = all(&world, &token, "query", &soql).await["records"][0].clone();
    assert_eq!((&added["Account"]["Name"], &added["Score__c"]), (&"Changed, \"Inc\"".into(), &1.5.into()));
    assert_eq!(added["CreatedDate"], NOW);
    let ordered =
        all(&world, &token, "query", "SELECT Id FROM Contact ORDER BY SystemModstamp DESC LIMIT 1").await;
    assert_eq!(ordered["records"][0]["Id"], *new);
    let last = all(&world, &token, "query", "SELECT Id FROM Contact ORDER BY Id DESC LIMIT 1").await;
    assert_eq!(last["records"][0]["Id"], *new);
    assert_eq!(admin.records("Contact").unwrap().len(), 511, "500 live, 10 deleted, 1 new");
}

#[tokio::test]
async fn deleted_records_go_to_the_bin_come_back_or_are_gone_after_fifteen_days() {
    let world = world().await;
    let token = world.mint().await;
    let admin = world.org.admin();
    let id = first_id(&world, &token).await;
    let seen = async |kind: &str| count(&world, &token, kind, &format!("WHERE Id = '{id}'")).await;
    admin.delete_record("Account", &id).unwrap();
    assert_eq!((seen("query").await, seen("queryAll").await), (0, 1));
    assert_eq!(count(&world, &token, "query", "").await, 999);
    assert_eq!(count(&world, &token, "queryAll", "").await, 1020);
    assert_eq!(count(&world, &token, "queryAll", "WHERE IsDeleted = true").await, 21);
    assert!(admin.delete_record("Account", &id).is_err(), "once only");
    let record = world.get(&token, &format!("/services/data/v67.0/sobjects/Account/{id}")).await;
    assert_eq!(record.status, 404);
    admin.undelete_record("Account", &id).unwrap();
    assert_eq!((seen("query").await, count(&world, &token, "query", "").await), (1, 1000));

    admin.delete_record("Account", &id).unwrap();
    world.clock.advance(Duration::from_secs(15 * 86_400 - 1));
    let token = world.mint().await;
    assert_eq!(count(&world, &token, "queryAll", &format!("WHERE Id = '{id}'")).await, 1);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(count(&world, &token, "queryAll", "").await, 999, "the bin is empty, also of the first rows");
    assert_eq!(all(&world, &token, "queryAll", "SELECT Id FROM Account").await["totalSize"], 999);
    assert_eq!(admin.records("Account").unwrap().len(), 999);
}

#[tokio::test]
async fn purged_records_are_nowhere_but_in_the_list_of_the_deleted() {
    let world = world().await;
    let token = world.mint().await;
    let admin = world.org.admin();
    let id = first_id(&world, &token).await;
    admin.purge_record("Account", &id).unwrap();
    assert_eq!(
        (count(&world, &token, "query", "").await, count(&world, &token, "queryAll", "").await),
        (999, 1019)
    );
    assert_eq!(admin.purge_deleted("Account").unwrap(), 20);
    assert_eq!(count(&world, &token, "queryAll", "").await, 999);

    let other = first_id(&world, &token).await;
    admin.update("Account", &other, json!({})).unwrap();
    world.clock.advance(Duration::from_secs(60));
    let window = "start=2026-11-22T20:59:00Z&end=2026-11-22T21:01:00Z";
    let updated =
        world.get(&token, &format!("/services/data/v67.0/sobjects/Account/updated/?{window}")).await.json();
    assert_eq!(updated, json!({ "ids": [other], "latestDateCovered": "2026-11-22T21:01:00.000+0000" }));
    let deleted =
        world.get(&token, &format!("/services/data/v67.0/sobjects/Account/deleted?{window}")).await.json();
    let records = deleted["deletedRecords"].as_array().unwrap();
    assert_eq!((records.len(), &records[0]), (21, &json!({ "id": id, "deletedDate": NOW })));
    assert_eq!(deleted["earliestDateAvailable"], "2026-11-07T21:01:00.000+0000");
    for wrong in [
        "start=2026-11-22T21:00:00Z&end=2026-11-22T21:00:30Z",
        "start=2026-01-01T00:00:00Z&end=2026-11-22T21:00:00Z",
        "start=yesterday&end=2026-11-22T21:00:00Z",
        "",
    ] {
        let answer =
            world.get(&token, &format!("/services/data/v67.0/sobjects/Account/deleted?{wrong}")).await;
        assert_eq!(answer.rest_error().1, "INVALID_REPLICATION_DATE", "{wrong}");
    }
}

#[tokio::test]
async fn a_job_keeps_the_rows_it_saw_when_it_was_made() {
    let world = world().await;
    let token = world.mint().await;
    let admin = world.org.admin();
    let path = job(&world, &token, "queryAll", "SELECT Id, Name, IsDeleted FROM Account").await;
    let before = pages(&world, &token, &path, 300).await;
    let id = before.0[0][0].clone();
    admin.update("Account", &id, json!({ "Name": "later" })).unwrap();
    admin.purge_record("Account", &before.0[1][0]).unwrap();
    admin.insert("Account", json!({ "Name": "new" })).unwrap();
    assert_eq!(pages(&world, &token, &path, 300).await, before);
    let path = job(&world, &token, "queryAll", "SELECT Id, Name, IsDeleted FROM Account").await;
    let after = pages(&world, &token, &path, 300).await.0;
    assert_eq!((after.len(), after[0][1].as_str(), after[1019][1].as_str()), (1020, "later", "new"));
}

#[tokio::test]
async fn many_rows_change_at_once_and_stamps_are_what_was_asked_for() {
    let mut config = OrgConfig::default();
    config.records.accounts = 200_000;
    let world = world_of(config).await;
    let token = world.mint().await;
    let admin = world.org.admin();
    assert_eq!(admin.touch("Account", 10_000, Stamp::Now).unwrap(), 10_000);
    assert_eq!(count(&world, &token, "query", "WHERE SystemModstamp = 2026-11-22T21:00:00Z").await, 10_000);
    assert_eq!(count(&world, &token, "query", "").await, 200_000);
    assert_eq!(admin.delete_rows("Account", 0..100).unwrap(), 98);
    assert_eq!(count(&world, &token, "query", "").await, 199_902);

    let late: UnixSeconds = "2026-11-22T20:00:00Z".parse().unwrap();
    let ids = admin.insert_many("Account", 3, json!({ "Name": "alike" })).unwrap();
    admin.update_at("Account", &ids[0], json!({ "Name": "late" }), late).unwrap();
    assert_eq!(count(&world, &token, "query", "WHERE SystemModstamp = 2026-11-22T20:00:00Z").await, 1);
    admin.update_silently("Account", &ids[1], json!({ "AnnualRevenue": 5 })).unwrap();
    assert_eq!(count(&world, &token, "query", "WHERE AnnualRevenue = 5").await, 1);
    let retail = Mutation::new("Account", Deed::Update, Which::Where("Name = 'alike'".into()));
    assert_eq!(admin.change_records(&retail.with(json!({ "Industry": "Retail" }))).unwrap().count, 2);
    for (mutation, says) in [
        (
            Mutation::new("Nothing", Deed::Update, Which::First(1)),
            "there is no object with records `Nothing`",
        ),
        (Mutation::new("Account", Deed::Update, Which::Ids(vec![])), "is missing"),
        (
            Mutation::new("Account", Deed::Update, Which::Where("Nmae = 'x'".into())),
            "the condition is refused",
        ),
        (
            Mutation::new("Account", Deed::Update, Which::First(1)).with(json!({ "Nmae": 1 })),
            "no field `Account.Nmae`",
        ),
        (
            Mutation::new("Account", Deed::Update, Which::First(1)).with(json!({ "Active__c": "so" })),
            "does not fit",
        ),
    ] {
        let mistake = admin.change_records(&mutation).unwrap_err().to_string();
        assert!(mistake.contains(says), "{mistake}");
    }
}

#[tokio::test]
async fn ranges_of_ids_are_counted_and_read_by_seeking() {
    let mut config = OrgConfig::default();
    config.records.accounts = 10_000_000;
    let world = world_of(config).await;
    let token = world.mint().await;
    let admin = world.org.admin();
    let id = |row: u64| crate::emulator::ids::record_id("001", row + 1);
    admin.delete_record("Account", &id(5_000_000)).unwrap();
    let range = format!("WHERE Id >= '{}' AND Id < '{}'", id(4_999_990), id(5_000_090));
    assert_eq!(count(&world, &token, "query", &range).await, 97, "two were deleted at first, and one now");
    assert_eq!(count(&world, &token, "queryAll", &range).await, 100);
    let soql = format!("SELECT Id FROM Account WHERE Id > '{}' ORDER BY Id LIMIT 2000", id(9_000_000));
    let next = all(&world, &token, "query", &soql).await;
    assert_eq!((&next["totalSize"], &next["records"][0]["Id"]), (&2000.into(), &id(9_000_001).into()));
    let some = format!("WHERE Id IN ('{}', '{}', '{}') AND Name != null", id(3), id(9_999_998), id(3));
    assert_eq!(count(&world, &token, "query", &some).await, 2);
    assert_eq!(count(&world, &token, "query", "WHERE Id < '001000000000000'").await, 0);
}

#[tokio::test]
async fn everything_can_be_changed_over_http_too() {
    let world = world().await;
    let token = world.mint().await;
    let added = world
        .admin(
            "records",
            json!({ "object": "Account", "deed": "insert", "count": 2, "values": { "Name": "x" } }),
        )
        .await;
    assert_eq!(added.json()["count"], 2);
    let late = json!({ "object": "Account", "first": 5, "stamp": "2026-11-01T00:00:00Z" });
    assert_eq!(world.admin("records", late).await.json()["count"], 5);
    assert_eq!(count(&world, &token, "query", "WHERE SystemModstamp = 2026-11-01T00:00:00Z").await, 5);
    for wrong in [
        json!({ "object": "Account", "frist": 5 }),
        json!({ "object": "Account", "first": 5, "stamp": "soon" }),
    ] {
        assert_eq!(world.admin("records", wrong).await.status, 400);
    }
    let shown = world.send(world.http.get(world.at("/_emulator/records/Account"))).await;
    assert_eq!(shown.json().as_array().unwrap().len(), 1022);
    assert_eq!(header(&shown, "content-type"), Some("application/json;charset=UTF-8"));
}

#[tokio::test]
async fn fields_come_go_and_change_their_type() {
    let world = world().await;
    let token = world.mint().await;
    let admin = world.org.admin();
    let describe = "/services/data/v67.0/sobjects/Account/describe";
    let before = world.get(&token, describe).await;
    let kind = async |name: &str| {
        let shown = world.get(&token, describe).await.json();
        let fields = shown["fields"].as_array().unwrap().clone();
        fields
            .iter()
            .find(|field| field["name"] == name)
            .map(|field| field["type"].as_str().unwrap().to_string())
    };
    let field = FieldConfig { name: "New__c".into(), kind: "int".into(), value: json!(7) };
    admin.add_field("Account", &field).unwrap();
    let since = before.headers["last-modified"].clone();
    let again = world.http.get(world.at(describe)).bearer_auth(&token).header("if-modified-since", since);
    assert_eq!(world.send(again).await.status, 200, "the shape has changed");
    assert_eq!(kind("New__c").await.as_deref(), Some("int"));
    assert_eq!(count(&world, &token, "query", "WHERE New__c = 7").await, 1000);
    let id = first_id(&world, &token).await;
    admin.update("Account", &id, json!({ "New__c": 8 })).unwrap();
    assert_eq!(count(&world, &token, "query", "WHERE New__c = 7").await, 999);

    admin.retype_field("Account", "NumberOfEmployees", "string").unwrap();
    assert_eq!(kind("NumberOfEmployees").await.as_deref(), Some("string"));
    let soql = "SELECT NumberOfEmployees FROM Account LIMIT 1";
    assert!(all(&world, &token, "query", soql).await["records"][0]["NumberOfEmployees"].is_string());
    admin.remove_field("Account", "Industry").unwrap();
    assert_eq!(kind("Industry").await, None);
    let refused = world.query(&token, "SELECT Industry FROM Account").await;
    assert_eq!(refused.rest_error().1, "INVALID_FIELD");
    let over_http = json!({ "object": "Account", "name": "Other__c", "type": "string", "value": "x" });
    assert_eq!(world.admin("fields", over_http).await.status, 200);
    assert_eq!(count(&world, &token, "query", "WHERE Other__c = 'x'").await, 1000);
    assert_eq!(
        world.admin("fields", json!({ "object": "Account", "name": "O__c", "type": "odd" })).await.status,
        400
    );
}

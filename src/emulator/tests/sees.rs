use serde_json::json;

use super::bulk::{JOBS, job, pages, post};
use super::harness::{World, world_of};
use crate::emulator::{DEMO_USERNAME, Grants, OrgConfig};

/// An org whose records belong to the integration user and to the administrator in turn.
async fn shared() -> (World, String) {
    let mut config = OrgConfig::default();
    config.records.owners = 2;
    let world = world_of(config).await;
    let token = world.mint().await;
    (world, token)
}

async fn counted(world: &World, token: &str, object: &str) -> u64 {
    let answer = world.query(token, &format!("SELECT COUNT() FROM {object}")).await.json();
    answer["totalSize"].as_u64().unwrap()
}

#[tokio::test]
async fn without_view_all_a_user_sees_what_it_owns_by_every_way_of_reading() {
    let (world, token) = shared().await;
    let admin = world.org.admin();
    assert_eq!(counted(&world, &token, "Account").await, 1000);
    let running = job(&world, &token, "query", "SELECT Id, OwnerId FROM Account").await;
    admin.set_view_all(DEMO_USERNAME, false).unwrap();
    assert_eq!(counted(&world, &token, "Account").await, 510, "deleted ones all belong to the other");
    let path = job(&world, &token, "queryAll", "SELECT Id, OwnerId FROM Account").await;
    let own = pages(&world, &token, &path, 1000).await.0;
    assert!(own.len() == 510 && own.iter().all(|row| row[1] == own[0][1]));
    assert_eq!(pages(&world, &token, &running, 1000).await.0.len(), 1000, "a job keeps what it saw");
    let other =
        pages(&world, &token, &running, 1000).await.0.into_iter().find(|row| row[1] != own[0][1]).unwrap();
    let record = |id: &str| format!("/services/data/v67.0/sobjects/Account/{id}");
    assert_eq!(world.get(&token, &record(&other[0])).await.status, 404);
    assert_eq!(world.get(&token, &record(&own[0][0])).await.status, 200);

    admin.change_user(DEMO_USERNAME, |user| user.view_all_records = vec!["Account".into()]).unwrap();
    assert_eq!(
        (counted(&world, &token, "Account").await, counted(&world, &token, "Contact").await),
        (1000, 255)
    );
    let soql = "SELECT SobjectType FROM ObjectPermissions WHERE PermissionsViewAllRecords = true";
    let granted = world.query(&token, soql).await.json();
    assert_eq!(
        (&granted["totalSize"], &granted["records"][0]["SobjectType"]),
        (&1.into(), &"Account".into())
    );
    admin.change_user(DEMO_USERNAME, |user| user.view_all_records.clear()).unwrap();
    admin.put_permission_set(Grants {
        name: "sfmint_integration".into(),
        view_all_records: vec!["Contact".into()],
        ..Grants::default()
    });
    assert_eq!(
        (counted(&world, &token, "Account").await, counted(&world, &token, "Contact").await),
        (510, 500)
    );
    let granted = json!({ "username": DEMO_USERNAME, "view_all": true });
    assert_eq!(world.admin("users/view-all", granted).await.status, 200);
    assert_eq!(counted(&world, &token, "Account").await, 1000);
    let held = world.query(&token, "SELECT PermissionSet.PermissionsViewAllData FROM PermissionSetAssignment WHERE PermissionSet.PermissionsViewAllData = true").await.json();
    assert_eq!(held["totalSize"], 1, "the user can see that it holds View All");
}

#[tokio::test]
async fn a_field_that_is_hidden_does_not_exist_for_its_user() {
    let (world, token) = shared().await;
    world
        .org
        .admin()
        .change_user(DEMO_USERNAME, |user| user.hidden_fields = vec!["Account.Industry".into()])
        .unwrap();
    let described = world.get(&token, "/services/data/v67.0/sobjects/Account/describe").await.json();
    let fields = described["fields"].as_array().unwrap();
    assert!(fields.iter().all(|field| field["name"] != "Industry") && fields.len() > 15);
    for soql in ["SELECT Industry FROM Account", "SELECT Id FROM Account WHERE Industry = 'Retail'"] {
        let (status, code, says) = world.query(&token, soql).await.rest_error();
        assert_eq!((status, code.as_str()), (400, "INVALID_FIELD"));
        assert!(says.contains("No such column 'Industry' on entity 'Account'"));
        let refused = post(&world, &token, JOBS, &json!({ "operation": "query", "query": soql })).await;
        assert_eq!(refused.rest_error().1, "INVALID_FIELD");
    }
    let whole = world.query(&token, "SELECT FIELDS(ALL) FROM Account LIMIT 1").await.json();
    assert!(whole["records"][0].get("Industry").is_none() && whole["records"][0].get("Name").is_some());
}

#[tokio::test]
async fn both_limits_can_be_hit_and_each_says_which_it_is() {
    let (world, token) = shared().await;
    let admin = world.org.admin();
    admin.change_rules(|rules| rules.per_app_api_limit = Some(250));
    let answer = world.get(&token, "/services/data/v67.0").await;
    assert_eq!(
        answer.headers["sforce-limit-info"],
        "api-usage=1/15000; per-app-api-usage=1/250(appName=sfmint)"
    );
    admin.change_rules(|rules| rules.concurrent_limit_hit = true);
    let (status, code, says) = world.get(&token, "/services/data/v67.0").await.rest_error();
    assert_eq!((status, code.as_str()), (403, "REQUEST_LIMIT_EXCEEDED"));
    assert!(says.starts_with("ConcurrentRequests"));
    admin.change_rules(|rules| rules.concurrent_limit_hit = false);
    assert_eq!(world.admin("limits/spend", json!({ "calls": 14_997 })).await.status, 200);
    let last = world.get(&token, "/services/data/v67.0").await;
    assert!(last.headers["sforce-limit-info"].to_str().unwrap().starts_with("api-usage=15000/15000"));
    let (_, code, says) = world.get(&token, "/services/data/v67.0").await.rest_error();
    assert_eq!((code.as_str(), says.as_str()), ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
}

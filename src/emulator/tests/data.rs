use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::harness::{World, world, world_of};
use crate::emulator::{DEMO_USERNAME, OrgConfig};

/// Reads a query to its end; the rows and how many pages they came on.
async fn all_pages(world: &World, token: &str, path: &str, size: &str) -> (Vec<Value>, u64, usize) {
    let (mut rows, mut pages, mut next) = (vec![], 0, path.to_string());
    loop {
        let request = world.http.get(world.at(&next)).bearer_auth(token);
        let answer = world.send(request.header("Sforce-Query-Options", format!("batchSize={size}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.headers["sforce-limit-info"].to_str().unwrap().starts_with("api-usage="));
        let body = answer.json();
        rows.extend(body["records"].as_array().unwrap().iter().cloned());
        let total = body["totalSize"].as_u64().unwrap();
        pages += 1;
        match body["nextRecordsUrl"].as_str() {
            Some(url) => next = url.to_string(),
            None => {
                assert_eq!(body["done"], true);
                return (rows, total, pages);
            }
        }
        assert_eq!(body["done"], false);
    }
}

fn q(soql: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
    format!("/services/data/v67.0/query?q={encoded}")
}

#[tokio::test]
async fn a_query_comes_page_by_page_and_its_counts_agree() {
    let world = world().await;
    let token = world.mint().await;
    let (rows, total, pages) = all_pages(&world, &token, &q("SELECT Id, Name FROM Account"), "200").await;
    assert_eq!((rows.len(), total, pages), (1000, 1000, 5));
    let ids: BTreeSet<&str> = rows.iter().map(|row| row["Id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1000);
    let (_, _, pages) = all_pages(&world, &token, &q("SELECT Id FROM Account"), "1").await;
    assert_eq!(pages, 5, "less than 200 is 200");
    let (_, _, pages) = all_pages(&world, &token, &q("SELECT Id FROM Account"), "9999").await;
    assert_eq!(pages, 1);
    let sorted =
        q("SELECT Id, Name FROM Account WHERE Industry != null ORDER BY AnnualRevenue DESC NULLS LAST, Id");
    let (rows, total, _) = all_pages(&world, &token, &sorted, "250").await;
    assert_eq!(rows.len() as u64, total);
}

#[tokio::test]
async fn attributes_come_first_and_columns_in_the_order_asked_for() {
    let world = world().await;
    let token = world.mint().await;
    let answer = world.query(&token, "SELECT SystemModstamp, Name, Id FROM Account LIMIT 1").await;
    let at = |part: &str| answer.text.find(part).unwrap_or_else(|| panic!("{part} in {}", answer.text));
    assert!(
        at("attributes") < at("SystemModstamp")
            && at("SystemModstamp") < at("\"Name\"")
            && at("\"Name\"") < at("\"Id\"")
    );
    assert!(answer.text.contains(r#""SystemModstamp":"2025-01-01T00:00:00.000+0000""#));
    assert!(answer.text.contains(r#""url":"/services/data/v67.0/sobjects/Account/0018d"#));
}

#[tokio::test]
async fn a_page_can_be_read_again_and_locators_end() {
    let world = world().await;
    let token = world.mint().await;
    let first = world
        .send(
            world
                .http
                .get(world.at(&q("SELECT Id FROM Account")))
                .bearer_auth(&token)
                .header("Sforce-Query-Options", "batchSize=200"),
        )
        .await
        .json();
    let url = first["nextRecordsUrl"].as_str().unwrap();
    assert!(url.starts_with("/services/data/v67.0/query/01g8d") && url.ends_with("-200"), "{url}");
    let once = world.get(&token, url).await;
    assert_eq!(once.text, world.get(&token, url).await.text);
    world.clock.advance(Duration::from_secs(900));
    let gone = world.get(&token, url).await.rest_error();
    assert_eq!((gone.0, gone.1.as_str()), (400, "INVALID_QUERY_LOCATOR"));

    world.org.admin().change_rules(|rules| rules.facts.open_locators_per_user = 2);
    let mut urls = vec![];
    for _ in 0..3 {
        let page = world
            .send(
                world
                    .http
                    .get(world.at(&q("SELECT Id FROM Account")))
                    .bearer_auth(&token)
                    .header("Sforce-Query-Options", "batchSize=200"),
            )
            .await
            .json();
        urls.push(page["nextRecordsUrl"].as_str().unwrap().to_string());
    }
    assert_eq!(world.get(&token, &urls[0]).await.status, 400, "the oldest was closed");
    assert_eq!(world.get(&token, &urls[2]).await.status, 200);
}

#[tokio::test]
async fn query_all_also_sees_the_recycle_bin() {
    let world = world().await;
    let token = world.mint().await;
    let live = world.query(&token, "SELECT COUNT() FROM Account").await.json();
    assert_eq!(live["totalSize"], 1000);
    let soql = "SELECT%20COUNT()%20FROM%20Account%20WHERE%20IsDeleted%20%3D%20true";
    let deleted = world.get(&token, &format!("/services/data/v67.0/queryAll?q={soql}")).await.json();
    assert_eq!(deleted["totalSize"], 20);
    let unseen = world.get(&token, &format!("/services/data/v67.0/query?q={soql}")).await.json();
    assert_eq!(unseen["totalSize"], 0);
}

#[tokio::test]
async fn filters_mean_what_soql_says() {
    let world = world().await;
    let token = world.mint().await;
    let count = async |filter: &str| {
        let answer = world.query(&token, &format!("SELECT COUNT() FROM Account WHERE {filter}")).await;
        answer.json()["totalSize"].as_u64().unwrap_or_else(|| panic!("{filter}: {}", answer.text))
    };
    assert_eq!(count("Name = 'account 0000000'").await, 1, "texts have no case");
    assert_eq!(count("Name LIKE 'Account%Holding%'").await, 102);
    assert_eq!(count("Industry = null").await + count("Industry != null").await, 1000);
    assert_eq!(count("Active__c = true").await + count("NOT Active__c = true").await, 1000);
    assert_eq!(
        count("Industry IN ('Banking', 'Energy')").await,
        count("(Industry = 'Banking' OR Industry = 'Energy')").await
    );
    assert_eq!(count("Industry NOT IN ('Banking')").await, count("Industry != 'Banking'").await);
    let at = "2025-06-01T00:00:00.000Z";
    assert_eq!(
        count(&format!("SystemModstamp >= {at}")).await + count(&format!("SystemModstamp < {at}")).await,
        1000
    );
    assert_eq!(count("SystemModstamp >= 2025-01-01T00:00:00+00:00").await, 1000);
    assert_eq!(count("NumberOfEmployees > 10000").await + count("NumberOfEmployees <= 10000").await, 1000);
    assert_eq!(count("SystemModstamp = TODAY").await, 0);
    assert_eq!(count("SystemModstamp = LAST_N_DAYS:9999").await, 1000);
    assert_eq!(
        count("OwnerId IN (SELECT Id FROM User WHERE Username = 'integration@acme.example')").await,
        1000
    );
    assert_eq!(count("OwnerId NOT IN (SELECT Id FROM User)").await, 0);
    let ties = count("SystemModstamp = 2025-01-01T00:00:00Z").await;
    assert!(ties > 200, "more rows share a stamp than the smallest page holds: {ties}");
    let row =
        world.query(&token, "SELECT FIELDS(ALL) FROM Contact WHERE AccountId != null LIMIT 1").await.json();
    assert!(row["records"][0]["Description"].is_string() || row["records"][0]["Description"].is_null());
    let parent = world
        .query(&token, "SELECT Id, Account.Name, Account.Id FROM Contact WHERE AccountId != null LIMIT 1")
        .await
        .json();
    assert_eq!(parent["records"][0]["Account"]["attributes"]["type"], "Account");
    let count_of = world.query(&token, "SELECT COUNT(Industry) FROM Account").await.json();
    assert_eq!(count_of["records"][0]["expr0"], count("Industry != null").await);
}

#[tokio::test]
async fn wrong_queries_are_refused_in_salesforces_words() {
    let world = world().await;
    let token = world.mint().await;
    for (soql, code, says) in [
        ("SELEC Id FROM Account", "MALFORMED_QUERY", "unexpected token: 'SELEC'"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Acount", "INVALID_TYPE", "sObject type 'Acount' is not supported."),
        ("SELECT Id, Nmae FROM Account", "INVALID_FIELD", "No such column 'Nmae' on entity 'Account'."),
        (
            "SELECT Id FROM Account WHERE SystemModstamp > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        (
            "SELECT Id FROM Account WHERE Description = 'x'",
            "INVALID_FIELD",
            "can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Account WHERE NumberOfEmployees LIKE 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on int field",
        ),
        ("SELECT Id FROM Account WHERE Id = 'xyz'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: xyz"),
        ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "can not be sorted in a query call"),
        ("SELECT Id, Id FROM Account", "MALFORMED_QUERY", "duplicate field selected: Id"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT of at most 200"),
        (
            "SELECT Id FROM Account OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Maximum SOQL offset allowed is 2000",
        ),
        (
            "SELECT Id FROM LoginHistory WHERE Status = 'Success'",
            "INVALID_FIELD",
            "field 'Status' can not be filtered",
        ),
        (
            "SELECT Id FROM SetupAuditTrail",
            "INVALID_TYPE",
            "sObject type 'SetupAuditTrail' is not supported.",
        ),
        ("", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ] {
        let (status, found, message) = world.query(&token, soql).await.rest_error();
        assert_eq!((status, found.as_str()), (400, code), "{soql}: {message}");
        assert!(message.contains(says), "{soql}: {message}");
    }
    let unencoded =
        "/services/data/v67.0/query?q=SELECT+Id+FROM+Account+WHERE+SystemModstamp>2026-01-01T00:00:00+00:00";
    assert_eq!(world.get(&token, unencoded).await.rest_error().1, "MALFORMED_QUERY", "a bare + is a space");
}

#[tokio::test]
async fn nasty_texts_arrive_whole() {
    let world = world().await;
    let token = world.mint().await;
    let (rows, total, _) =
        all_pages(&world, &token, &q("SELECT Id, Title, MailingCity, Description FROM Contact"), "200").await;
    assert_eq!(total, 500);
    let texts: Vec<&str> =
        rows.iter().flat_map(|row| [row["Title"].as_str(), row["Description"].as_str()]).flatten().collect();
    for part in ["\0", "\r\n", "\"", ",", "👩", "\u{202e}", "\u{feff}"] {
        assert!(texts.iter().any(|text| text.contains(part)), "{part:?}");
    }
    assert!(texts.iter().any(|text| text.chars().count() == 32_000));
    assert!(rows.iter().any(|row| row["Title"].is_null()));
    let again =
        all_pages(&world, &token, &q("SELECT Id, Title, MailingCity, Description FROM Contact"), "2000")
            .await
            .0;
    assert_eq!(rows, again, "the same rows every time");
}

#[tokio::test]
async fn ten_million_rows_cost_nothing_until_they_are_asked_for() {
    let mut config = OrgConfig::default();
    config.records.accounts = 10_000_000;
    let world = world_of(config).await;
    let token = world.mint().await;
    let window = "SELECT Id FROM Account WHERE SystemModstamp >= 2025-07-01T00:00:00Z AND SystemModstamp < 2025-07-01T00:10:00Z";
    let page = world.query(&token, window).await.json();
    let rows = page["totalSize"].as_u64().unwrap();
    assert!((50..1000).contains(&rows), "{rows}");
    let looked_at = world.query(&token, &format!("{window} AND Name != null")).await.json();
    assert_eq!(looked_at["totalSize"], rows, "counted and reckoned agree");
    assert_eq!(world.query(&token, "SELECT COUNT() FROM Account").await.json()["totalSize"], 10_000_000);
    let last =
        "SELECT Id FROM Account WHERE SystemModstamp >= 2025-01-01T00:00:00Z ORDER BY SystemModstamp, Id";
    assert_eq!(world.query(&token, last).await.json()["totalSize"], 10_000_000);
}

#[tokio::test]
async fn versions_describe_and_records_answer_as_documented() {
    let world = world().await;
    let versions = world.send(world.http.get(world.at("/services/data"))).await.json();
    let list = versions.as_array().unwrap();
    assert_eq!(list[0]["version"], "31.0");
    assert_eq!(list.last().unwrap()["label"], "Summer '26");
    let token = world.mint().await;
    assert_eq!(world.get(&token, "/services/data/v30.0/sobjects").await.status, 410);
    for missing in ["v68.0/sobjects", "v67.0/nothing", "67.0/sobjects", "v67.0/sobjects/Nothing/describe"] {
        let answer = world.get(&token, &format!("/services/data/{missing}")).await;
        assert_eq!((answer.rest_error().0, answer.rest_error().1.as_str()), (404, "NOT_FOUND"), "{missing}");
    }
    let path = "/services/data/v67.0/sobjects/Account/describe";
    let described = world.get(&token, path).await;
    assert!(
        described.json()["fields"].as_array().unwrap().iter().any(|field| field["name"] == "SystemModstamp")
    );
    let last = described.headers["last-modified"].clone();
    let request = world.http.get(world.at(path)).bearer_auth(&token);
    assert_eq!(world.send(request.header("if-modified-since", last)).await.status, 304);
    let listed = world.get(&token, "/services/data/v67.0/sobjects").await.json();
    assert!(listed["sobjects"].as_array().unwrap().iter().any(|object| object["name"] == "Contact"));
    let id = world.query(&token, "SELECT Id FROM Account LIMIT 1").await.json()["records"][0]["Id"].clone();
    let id = id.as_str().unwrap();
    for id in [id, &id[..15]] {
        let record = world
            .get(&token, &format!("/services/data/v67.0/sobjects/Account/{id}?fields=Name,Phone"))
            .await
            .json();
        assert_eq!(record["Name"], "Account 0000000");
        assert!(record.get("Industry").is_none());
    }
    let head = world.send(world.http.head(world.at(path)).bearer_auth(&token)).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let post = world.send(world.http.post(world.at("/services/data/v67.0/query")).bearer_auth(&token)).await;
    assert_eq!(post.rest_error().1, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn the_daily_limit_is_counted_shown_and_enforced() {
    let mut config = OrgConfig::default();
    config.rules.daily_api_limit = 3;
    let world = world_of(config).await;
    world.org.admin().change_user(DEMO_USERNAME, |user| user.permissions = vec!["ViewSetup".into()]).unwrap();
    let token = world.mint().await;
    let limits = world.get(&token, "/services/data/v67.0/limits").await;
    assert_eq!(limits.headers["sforce-limit-info"], "api-usage=1/3");
    assert_eq!(limits.json()["DailyApiRequests"]["Remaining"], 2);
    assert!(world.opens(&token).await && world.opens(&token).await);
    let spent = world.get(&token, "/services/data/v67.0").await;
    assert_eq!(
        spent.rest_error(),
        (403, "REQUEST_LIMIT_EXCEEDED".into(), "TotalRequests Limit exceeded.".into())
    );
    world.clock.advance(Duration::from_secs(24 * 3600));
    let token = world.mint().await;
    assert!(world.opens(&token).await);
    world.org.admin().change_user(DEMO_USERNAME, |user| user.permissions.clear()).unwrap();
    assert_eq!(world.get(&token, "/services/data/v67.0/limits").await.status, 403, "needs View Setup");
}

/// The Salesforce CLI asks every query a second time, for its columns.
#[tokio::test]
async fn a_query_tells_its_columns_without_rows() {
    let world = world().await;
    let token = world.mint().await;
    let ask = async |soql: &str| world.get(&token, &format!("{}&columns=true", q(soql))).await;
    let names = |columns: &Value| -> Vec<String> {
        let columns = columns.as_array().unwrap();
        columns.iter().map(|column| column["columnName"].as_str().unwrap().to_string()).collect()
    };

    let answer = ask("SELECT Name, Id, Account.Name, AccountId, Account.Id FROM Contact WHERE Name != null")
        .await
        .json();
    assert!(answer.get("records").is_none());
    assert_eq!(names(&answer["columnMetadata"]), ["Name", "Id", "Account", "AccountId"]);
    let account = &answer["columnMetadata"][2];
    assert_eq!(names(&account["joinColumns"]), ["Name", "Id"]);
    assert_eq!((&account["foreignKeyName"], &account["aggregate"]), (&"AccountId".into(), &false.into()));
    assert_eq!(answer["columnMetadata"][0]["apexType"], "String");
    assert_eq!(answer["columnMetadata"][0]["joinColumns"], Value::Array(vec![]));
    assert_eq!(answer["entityName"], "Contact");
    assert_eq!((&answer["idSelected"], &answer["keyPrefix"]), (&true.into(), &"003".into()));

    let counted = ask("SELECT COUNT(Id) FROM Contact").await.json();
    assert_eq!(names(&counted["columnMetadata"]), ["expr0"]);
    assert_eq!(counted["columnMetadata"][0]["aggregate"], true);
    assert_eq!(ask("SELECT Nothing FROM Contact").await.rest_error().1, "INVALID_FIELD");
}

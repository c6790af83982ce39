use std::time::Duration;

use serde_json::{Value, json};

use super::bulk::{delete, patch, post, rows};
use super::harness::{Answer, World, world, world_of};
use crate::emulator::{DEMO_USERNAME, OrgConfig};

const JOBS: &str = "/services/data/v67.0/jobs/ingest";

async fn made(world: &World, token: &str, body: &Value) -> String {
    let made = post(world, token, JOBS, body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    format!("{JOBS}/{}", made.json()["id"].as_str().unwrap())
}

async fn put(world: &World, token: &str, path: &str, csv: &str) -> Answer {
    let request = world.http.put(world.at(&format!("{path}/batches"))).bearer_auth(token);
    world.send(request.header("content-type", "text/csv; charset=UTF-8").body(csv.to_string())).await
}

/// Loads a CSV to its end; the job's path and how GET shows it then.
async fn load(world: &World, token: &str, body: &Value, csv: &str) -> (String, Value) {
    let path = made(world, token, body).await;
    assert_eq!(put(world, token, &path, csv).await.status, 201);
    assert_eq!(patch(world, token, &path, &json!({ "state": "UploadComplete" })).await.status, 200);
    world.get(token, &path).await;
    let done = world.get(token, &path).await.json();
    (path, done)
}

async fn result(world: &World, token: &str, path: &str, which: &str) -> Vec<Vec<String>> {
    let answer = world.get(token, &format!("{path}/{which}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    rows(&answer.text)
}

fn asked(object: &str, operation: &str) -> Value {
    json!({ "object": object, "operation": operation, "contentType": "CSV", "lineEnding": "LF" })
}

#[tokio::test]
async fn a_job_takes_its_data_once_and_goes_from_state_to_state() {
    let world = world().await;
    let token = world.mint().await;
    let answer = post(&world, &token, JOBS, &asked("Contact", "insert")).await.json();
    let id = answer["id"].as_str().unwrap();
    assert_eq!(answer["contentUrl"], format!("services/data/v67.0/jobs/ingest/{id}/batches"));
    assert_eq!((&answer["state"], &answer["apiVersion"]), (&"Open".into(), &67.0.into()));
    let path = format!("{JOBS}/{id}");
    for _ in 0..5 {
        assert_eq!(world.get(&token, &path).await.json()["state"], "Open", "asking does not close a job");
    }
    let close = json!({ "state": "UploadComplete" });
    assert_eq!(patch(&world, &token, &path, &close).await.status, 400, "nothing was uploaded");
    let first = put(&world, &token, &path, "LastName\nOne\n").await;
    assert_eq!((first.status, first.text.as_str()), (201, ""));
    let again = put(&world, &token, &path, "LastName\nTwo\n").await;
    assert!(again.status == 400 && again.text.contains("only do 'PUT' once"), "{}", again.text);
    assert_eq!(patch(&world, &token, &path, &close).await.json()["state"], "UploadComplete");
    assert_eq!(world.get(&token, &format!("{path}/successfulResults")).await.status, 400);
    assert_eq!(world.get(&token, &path).await.json()["state"], "InProgress");
    let done = world.get(&token, &path).await.json();
    assert_eq!((&done["state"], &done["jobType"]), (&"JobComplete".into(), &"V2Ingest".into()));
    assert_eq!((&done["numberRecordsProcessed"], &done["numberRecordsFailed"]), (&1.into(), &0.into()));
    for number in ["apexProcessingTime", "apiActiveProcessingTime", "totalProcessingTime", "retries"] {
        assert!(done[number].is_u64(), "{number}");
    }
    let listed = world.get(&token, JOBS).await.json();
    assert_eq!(listed["records"][0]["jobType"], "V2Ingest");
    assert_eq!(delete(&world, &token, &path).await.status, 204);
    assert_eq!(world.get(&token, &path).await.status, 404);

    let path = made(&world, &token, &asked("Contact", "insert")).await;
    world.clock.advance(Duration::from_secs(7 * 86_400));
    let token = world.mint().await;
    assert_eq!(world.get(&token, &path).await.status, 404);
}

#[tokio::test]
async fn each_row_has_an_outcome_of_its_own() {
    let world = world().await;
    let token = world.mint().await;
    let csv = "LastName,Score__c,HasOptedOutOfEmail,Description,Account.External_Id__c\n\
               Good,1.5,true,\"two\nlines, \"\"quoted\"\"\",\n\
               ,1,true,,\n\
               Bad number,abc,false,,\n\
               Bad flag,1,perhaps,,\n\
               Nobody,1,true,,EXT-none\n";
    let (path, done) = load(&world, &token, &asked("Contact", "insert"), csv).await;
    assert_eq!(
        (&done["state"], &done["numberRecordsProcessed"], &done["numberRecordsFailed"]),
        (&"JobComplete".into(), &5.into(), &4.into())
    );
    let good = result(&world, &token, &path, "successfulResults").await;
    assert_eq!(good[0][..3], ["sf__Id", "sf__Created", "LastName"]);
    assert_eq!((good.len(), good[1][1].as_str(), good[1][5].as_str()), (2, "true", "two\nlines, \"quoted\""));
    let bad = result(&world, &token, &path, "failedResults").await;
    assert_eq!(bad[0][..3], ["sf__Id", "sf__Error", "LastName"]);
    let error = |name: &str| bad.iter().find(|row| row[2] == name).unwrap()[1].clone();
    assert_eq!(error(""), "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --");
    assert!(error("Bad number").contains("'abc' is not a valid value for the type xsd:double"));
    assert!(error("Bad flag").contains("xsd:boolean") && error("Nobody").contains("Foreign key external ID"));
    assert_ne!(bad[1][2], "", "not in the order of the rows");
    assert_eq!(result(&world, &token, &path, "unprocessedRecords").await.len(), 1);
    assert_eq!(result(&world, &token, &path, "unprocessedrecords").await.len(), 1, "a header line alone");
    assert_eq!(world.get(&token, &format!("{path}/otherResults")).await.status, 404);
    let soql =
        format!("SELECT LastName, Score__c, Description, OwnerId FROM Contact WHERE Id = '{}'", good[1][0]);
    let record = world.query(&token, &soql).await.json()["records"][0].clone();
    assert_eq!((&record["LastName"], &record["Score__c"]), (&"Good".into(), &1.5.into()));
}

#[tokio::test]
async fn update_upsert_and_delete_find_their_records_or_say_why_not() {
    let world = world().await;
    let token = world.mint().await;
    let admin = world.org.admin();
    let known = admin.records("Account").unwrap();
    let live: Vec<&Value> = known.iter().filter(|row| row["IsDeleted"] == false).collect();
    let gone = known.iter().find(|row| row["IsDeleted"] == true).unwrap()["Id"].as_str().unwrap();
    let id = |at: usize| live[at]["Id"].as_str().unwrap();
    let csv = format!(
        "Id,Name,Industry,Phone\n{},Renamed,,#N/A\n{gone},x,,\n0018d0000000000AAA,x,,\nhello,x,,\n{},#N/A,,\n",
        id(0),
        id(1)
    );
    let (path, done) = load(&world, &token, &asked("Account", "update"), &csv).await;
    assert_eq!((&done["numberRecordsProcessed"], &done["numberRecordsFailed"]), (&5.into(), &4.into()));
    let codes: Vec<String> = result(&world, &token, &path, "failedResults").await[1..]
        .iter()
        .map(|row| row[1].split(':').next().unwrap().to_string())
        .collect();
    for code in ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID", "REQUIRED_FIELD_MISSING"]
    {
        assert!(codes.contains(&code.to_string()), "{code} in {codes:?}");
    }
    let now = admin.records("Account").unwrap();
    let row = now.iter().find(|row| row["Id"] == id(0)).unwrap();
    assert_eq!(
        (&row["Name"], &row["Phone"], &row["Industry"]),
        (&"Renamed".into(), &Value::Null, &live[0]["Industry"])
    );

    let key = live[2]["External_Id__c"].as_str().unwrap();
    let csv = format!("External_Id__c,Name\n{key},Upserted\nNEW-1,Made\nNEW-1,Twice\n,Nameless\n");
    let mut upsert = asked("Account", "upsert");
    assert_eq!(post(&world, &token, JOBS, &upsert).await.status, 400, "by what?");
    upsert["externalIdFieldName"] = "Phone".into();
    assert_eq!(post(&world, &token, JOBS, &upsert).await.status, 400, "not an external id");
    upsert["externalIdFieldName"] = "External_Id__c".into();
    let (path, done) = load(&world, &token, &upsert, &csv).await;
    assert_eq!(
        (&done["numberRecordsFailed"], &done["externalIdFieldName"]),
        (&2.into(), &"External_Id__c".into())
    );
    let good = result(&world, &token, &path, "successfulResults").await;
    let created = |name: &str| good.iter().find(|row| row[3] == name).unwrap()[1].clone();
    assert_eq!((created("Upserted"), created("Made")), ("false".into(), "true".into()));
    let (path, _) =
        load(&world, &token, &asked("Account", "insert"), &format!("Name,External_Id__c\nx,{key}\n")).await;
    assert!(
        result(&world, &token, &path, "failedResults").await[1][1]
            .starts_with("DUPLICATE_VALUE:duplicate value found")
    );

    let csv = format!("Id\n{}\n{}\n{}\n", id(3), id(3), id(4));
    let (_, done) = load(&world, &token, &asked("Account", "delete"), &csv).await;
    assert_eq!((&done["numberRecordsProcessed"], &done["numberRecordsFailed"]), (&3.into(), &1.into()));
    let hard = asked("Account", "hardDelete");
    assert_eq!(post(&world, &token, JOBS, &hard).await.rest_error().1, "FEATURENOTENABLED");
    admin.change_user(DEMO_USERNAME, |user| user.permissions = vec!["BulkApiHardDelete".into()]).unwrap();
    load(&world, &token, &hard, &format!("Id\n{}\n", id(5))).await;
    let left = admin.records("Account").unwrap();
    assert!(left.iter().any(|row| row["Id"] == id(4) && row["IsDeleted"] == true));
    assert!(left.iter().all(|row| row["Id"] != id(5)));
}

#[tokio::test]
async fn data_that_is_not_what_the_job_says_fails_as_a_whole() {
    let world = world().await;
    let token = world.mint().await;
    let before = world.org.admin().records("Contact").unwrap().len();
    let line = "LineEnding is invalid on user data. Current LineEnding setting is LF";
    for (csv, says) in [
        ("LastName\r\nOne\r\n", line),
        ("LastName\nOne\nTwo\r\n", line),
        ("LastName,Nothing\nOne,x\n", "InvalidBatch : Field name not found : Nothing"),
        ("\u{feff}LastName\nOne\n", "Field name not found : \u{feff}LastName"),
        ("LastName\n\"One\n", "A quote"),
        ("", "no header line"),
    ] {
        let (_, done) = load(&world, &token, &asked("Contact", "insert"), csv).await;
        assert_eq!(done["state"], "Failed", "{csv:?}");
        let message = done["errorMessage"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    }
    assert_eq!(world.org.admin().records("Contact").unwrap().len(), before, "and nothing is written");
    let crlf =
        json!({ "object": "Contact", "operation": "insert", "lineEnding": "CRLF", "columnDelimiter": "TAB" });
    let (_, done) = load(&world, &token, &crlf, "LastName\tTitle\r\nOne\ta,b\r\n").await;
    assert_eq!((&done["state"], &done["numberRecordsProcessed"]), (&"JobComplete".into(), &1.into()));
    for body in [asked("Organization", "insert"), json!({ "object": "Account", "operation": "merge" })] {
        assert_eq!(post(&world, &token, JOBS, &body).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn limits_aborts_and_failures_leave_rows_unprocessed() {
    let mut config = OrgConfig::default();
    config.rules.bulk.ingest_limit_bytes = 100;
    let world = world_of(config).await;
    let token = world.mint().await;
    let admin = world.org.admin();
    let path = made(&world, &token, &asked("Contact", "insert")).await;
    assert_eq!(put(&world, &token, &path, &format!("LastName\n{}\n", "x".repeat(100))).await.status, 413);
    let request = world.http.put(world.at(&format!("{path}/batches"))).bearer_auth(&token).json(&json!({}));
    assert_eq!(world.send(request).await.status, 415);
    assert_eq!(put(&world, &token, &path, "LastName\nOne\nTwo\n").await.status, 201);
    assert_eq!(patch(&world, &token, &path, &json!({ "state": "Aborted" })).await.json()["state"], "Aborted");
    let left = result(&world, &token, &path, "unprocessedrecords").await;
    assert_eq!(left, [["LastName"], ["One"], ["Two"]]);
    assert_eq!(patch(&world, &token, &path, &json!({ "state": "Aborted" })).await.status, 400);

    let path = made(&world, &token, &asked("Contact", "insert")).await;
    put(&world, &token, &path, "LastName\nOne\nTwo\nThree\nFour\n").await;
    patch(&world, &token, &path, &json!({ "state": "UploadComplete" })).await;
    admin.fail_job(path.rsplit('/').next().unwrap(), "InternalServerError").unwrap();
    let failed = world.get(&token, &path).await.json();
    assert_eq!(
        (&failed["state"], &failed["errorMessage"]),
        (&"Failed".into(), &"InternalServerError".into())
    );
    assert_eq!(result(&world, &token, &path, "successfulResults").await.len(), 3);
    assert_eq!(result(&world, &token, &path, "unprocessedrecords").await.len(), 3);
}

#[tokio::test]
async fn collections_write_up_to_two_hundred_records() {
    let world = world().await;
    let token = world.mint().await;
    let at = "/services/data/v67.0/composite/sobjects";
    let record = |name: Value| json!({ "attributes": { "type": "Account" }, "Name": name });
    let body = json!({ "allOrNone": false, "records": [record("A".into()), record(Value::Null)] });
    let made = post(&world, &token, at, &body).await.json();
    assert_eq!((&made[0]["success"], &made[1]["success"]), (&true.into(), &false.into()));
    assert_eq!(made[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
    let count = world.org.admin().records("Account").unwrap().len();
    let all = json!({ "allOrNone": true, "records": [record("B".into()), record(Value::Null)] });
    let rolled = post(&world, &token, at, &all).await.json();
    assert_eq!(rolled[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(world.org.admin().records("Account").unwrap().len(), count);
    let id = made[0]["id"].as_str().unwrap();
    let change =
        json!({ "records": [{ "attributes": { "type": "Account" }, "id": id, "Industry": "Retail" }] });
    assert_eq!(patch(&world, &token, at, &change).await.json()[0]["success"], true);
    let upsert =
        json!({ "records": [{ "attributes": { "type": "Account" }, "External_Id__c": "N-1", "Name": "C" }] });
    let by = format!("{at}/Account/External_Id__c");
    assert_eq!(patch(&world, &token, &by, &upsert).await.json()[0]["created"], true);
    assert_eq!(patch(&world, &token, &by, &upsert).await.json()[0]["created"], false);
    assert_eq!(delete(&world, &token, &format!("{at}?ids={id}")).await.json()[0]["success"], true);
    let many = json!({ "records": vec![record("x".into()); 201] });
    assert_eq!(post(&world, &token, at, &many).await.status, 400);

    let batch = json!({ "batchRequests": [
        { "method": "GET", "url": "v67.0/sobjects/Account/describe" },
        { "method": "GET", "url": "v67.0/sobjects/Nothing/describe" },
    ] });
    let answer = post(&world, &token, "/services/data/v67.0/composite/batch", &batch).await.json();
    assert_eq!((&answer["hasErrors"], &answer["results"][0]["statusCode"]), (&true.into(), &200.into()));
    assert_eq!(answer["results"][0]["result"]["name"], "Account");
    assert_eq!(answer["results"][1]["statusCode"], 404);
}

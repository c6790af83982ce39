use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Answer, World, world, world_of};
use crate::emulator::{DEMO_ADMIN_USERNAME, DEMO_CONSUMER_KEY, DEMO_USERNAME, Effect, Injection, OrgConfig};

pub const JOBS: &str = "/services/data/v67.0/jobs/query";

pub async fn post(world: &World, token: &str, path: &str, body: &Value) -> Answer {
    world.send(world.http.post(world.at(path)).bearer_auth(token).json(body)).await
}

pub async fn patch(world: &World, token: &str, path: &str, body: &Value) -> Answer {
    world.send(world.http.patch(world.at(path)).bearer_auth(token).json(body)).await
}

pub async fn delete(world: &World, token: &str, path: &str) -> Answer {
    world.send(world.http.delete(world.at(path)).bearer_auth(token)).await
}

/// Makes a job and polls it to its end; its path.
pub async fn job(world: &World, token: &str, operation: &str, soql: &str) -> String {
    let made = post(world, token, JOBS, &json!({ "operation": operation, "query": soql })).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let path = format!("{JOBS}/{}", made.json()["id"].as_str().unwrap());
    for _ in 0..5 {
        let state = world.get(token, &path).await.json()["state"].clone();
        if ["JobComplete", "Failed", "Aborted"].contains(&state.as_str().unwrap()) {
            break;
        }
    }
    path
}

/// Reads CSV as any reader of RFC 4180 does, by the `csv` crate.
pub fn rows(text: &str) -> Vec<Vec<String>> {
    rows_by(text, b',')
}

fn rows_by(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .from_reader(text.as_bytes())
        .records()
        .map(|row| row.unwrap().iter().map(str::to_string).collect())
        .collect()
}

pub fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

/// Reads every page; the rows without header lines, and how many each page had by its own header.
pub async fn pages(world: &World, token: &str, path: &str, size: u64) -> (Vec<Vec<String>>, Vec<u64>) {
    let (mut all, mut counts, mut locator) = (vec![], vec![], String::new());
    loop {
        let next = if locator.is_empty() { String::new() } else { format!("&locator={locator}") };
        let page = world.get(token, &format!("{path}/results?maxRecords={size}{next}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let mut read = rows(&page.text);
        read.remove(0);
        all.append(&mut read);
        counts.push(header(&page, "sforce-numberofrecords").unwrap().parse().unwrap());
        match header(&page, "sforce-locator").unwrap() {
            "null" => return (all, counts),
            text => locator = text.to_string(),
        }
    }
}

#[tokio::test]
async fn a_job_goes_from_state_to_state_and_shows_what_the_guide_shows() {
    let world = world().await;
    let token = world.mint().await;
    let asked = json!({ "operation": "queryAll", "query": "SELECT Id, Name FROM Account", "contentType": "CSV",
        "columnDelimiter": "COMMA", "lineEnding": "LF" });
    let made = post(&world, &token, JOBS, &asked).await;
    assert!(header(&made, "sforce-limit-info").unwrap().starts_with("api-usage="));
    let made = made.json();
    assert_eq!((&made["state"], &made["object"]), (&"UploadComplete".into(), &"Account".into()));
    assert_eq!(made["apiVersion"], 67.0);
    assert!(made["apiVersion"].is_f64() && made["id"].as_str().unwrap().starts_with("7508d"));
    assert_eq!(made["createdDate"], "2026-11-22T21:00:00.000+0000");
    assert!(made.get("numberRecordsProcessed").is_none());
    let path = format!("{JOBS}/{}", made["id"].as_str().unwrap());
    let early = world.get(&token, &format!("{path}/results")).await;
    assert_eq!((early.status, early.rest_error().1.as_str()), (400, "INVALIDJOBSTATE"));
    assert_eq!(delete(&world, &token, &path).await.status, 400, "only what has ended can be deleted");
    assert_eq!(world.get(&token, &path).await.json()["state"], "InProgress");
    let done = world.get(&token, &path).await.json();
    assert_eq!((&done["state"], &done["jobType"]), (&"JobComplete".into(), &"V2Query".into()));
    assert_eq!((&done["numberRecordsProcessed"], &done["retries"]), (&1020.into(), &0.into()));
    assert!(done["totalProcessingTime"].is_u64() && done["isPkChunkingSupported"] == true);
    assert!(done.get("errorMessage").is_none());
    let listed = world.get(&token, JOBS).await.json();
    assert_eq!((&listed["done"], &listed["records"][0]["id"]), (&true.into(), &made["id"]));
    let late = patch(&world, &token, &path, &json!({ "state": "Aborted" })).await;
    assert_eq!(late.status, 400, "it has ended");
    let gone = delete(&world, &token, &path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(world.get(&token, &path).await.status, 404);
}

#[tokio::test]
async fn time_alone_completes_a_job_and_states_may_go_back() {
    let world = world().await;
    let token = world.mint().await;
    let asked = json!({ "operation": "query", "query": "SELECT Id FROM Account" });
    let made = post(&world, &token, JOBS, &asked).await.json();
    let path = format!("{JOBS}/{}", made["id"].as_str().unwrap());
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.get(&token, &format!("{path}/results")).await.status, 200);

    world.org.admin().change_rules(|rules| rules.bulk.states_out_of_order = true);
    let made = post(&world, &token, JOBS, &asked).await.json();
    let path = format!("{JOBS}/{}", made["id"].as_str().unwrap());
    let mut states = vec![];
    for _ in 0..4 {
        states.push(world.get(&token, &path).await.json()["state"].as_str().unwrap().to_string());
    }
    assert_eq!(states, ["InProgress", "UploadComplete", "InProgress", "JobComplete"]);
}

#[tokio::test]
async fn pages_hold_each_row_once_under_a_header_line_of_their_own() {
    let world = world().await;
    let token = world.mint().await;
    let path = job(&world, &token, "query", "SELECT Id, Name, SystemModstamp FROM Account").await;
    let first = world.get(&token, &format!("{path}/results?maxRecords=300")).await;
    assert_eq!(header(&first, "content-type"), Some("text/csv"));
    assert!(first.text.starts_with("\"Id\",\"Name\",\"SystemModstamp\"\n\"0018d"));
    let locator = header(&first, "sforce-locator").unwrap().to_string();
    let second = format!("{path}/results?locator={locator}");
    let once = world.get(&token, &second).await;
    assert!(once.text.starts_with("\"Id\",\"Name\",\"SystemModstamp\"\n"));
    assert_eq!(rows(&once.text).len(), 301, "the size goes with the locator");
    assert_eq!(once.text, world.get(&token, &second).await.text, "a locator can be read again");

    let (all, counts) = pages(&world, &token, &path, 300).await;
    assert_eq!(counts, [300, 300, 300, 100]);
    let ids: BTreeSet<&String> = all.iter().map(|row| &row[0]).collect();
    assert_eq!((all.len(), ids.len()), (1000, 1000));
    assert_eq!(all[0][2], "2025-01-01T00:00:00.000Z");
    assert_eq!(pages(&world, &token, &path, 1000).await.1, [1000], "no empty page follows a full one");

    let empty = job(&world, &token, "query", "SELECT Id FROM Account WHERE Name = 'nobody'").await;
    let page = world.get(&token, &format!("{empty}/results")).await;
    assert_eq!((page.text.as_str(), header(&page, "sforce-locator")), ("\"Id\"\n", Some("null")));
    world.org.admin().change_rules(|rules| rules.bulk.lone_page_without_locator = true);
    assert_eq!(header(&world.get(&token, &format!("{empty}/results")).await, "sforce-locator"), None);
    assert!(
        header(&world.get(&token, &format!("{path}/results?maxRecords=10")).await, "sforce-locator")
            .is_some()
    );
    for wrong in ["locator=MTAwMDA", "locator=null", "maxRecords=0", "maxRecords=x"] {
        assert_eq!(world.get(&token, &format!("{path}/results?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn bulk_and_rest_tell_the_same_of_every_cell() {
    let world = world().await;
    let token = world.mint().await;
    let fields = [
        "Id",
        "Title",
        "MailingCity",
        "Description",
        "Birthdate",
        "Score__c",
        "HasOptedOutOfEmail",
        "Account.Name",
    ];
    let soql = format!("SELECT {} FROM Contact", fields.join(", "));
    let path = job(&world, &token, "query", &soql).await;
    let bulk = pages(&world, &token, &path, 170).await.0;
    let rest = world.query(&token, &soql).await.json();
    let rest = rest["records"].as_array().unwrap();
    assert_eq!((bulk.len(), rest.len()), (500, 500));
    for (bulk, rest) in bulk.iter().zip(rest) {
        for (text, field) in bulk.iter().zip(fields) {
            let value = match field.split_once('.') {
                Some((relation, field)) => &rest[relation][field],
                None => &rest[field],
            };
            if let Some(number) = value.as_f64() {
                assert!((text.parse::<f64>().unwrap() - number).abs() < 1e-9, "{text} {number}");
                continue;
            }
            let plain = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(*text, plain, "{field}");
        }
    }
    assert!(bulk.iter().any(|row| row[1].contains('\0')) && bulk.iter().any(|row| row[1].contains("\r\n")));
}

#[tokio::test]
async fn delimiter_and_line_ending_are_those_asked_for() {
    let world = world().await;
    let token = world.mint().await;
    let soql = "SELECT Id, Title FROM Contact ORDER BY Id LIMIT 40";
    let plain =
        rows(&world.get(&token, &format!("{}/results", job(&world, &token, "query", soql).await)).await.text);
    for (name, byte) in
        [("TAB", b'\t'), ("PIPE", b'|'), ("SEMICOLON", b';'), ("CARET", b'^'), ("BACKQUOTE", b'`')]
    {
        let asked =
            json!({ "operation": "query", "query": soql, "columnDelimiter": name, "lineEnding": "CRLF" });
        let made = post(&world, &token, JOBS, &asked).await.json();
        let id = made["id"].as_str().unwrap();
        world.org.admin().finish_job(id).unwrap();
        let text = world.get(&token, &format!("{JOBS}/{id}/results")).await.text;
        assert!(text.starts_with(&format!("\"Id\"{}\"Title\"\r\n", char::from(byte))));
        assert_eq!(rows_by(&text, byte), plain, "{name}");
    }
}

#[tokio::test]
async fn what_bulk_refuses_is_refused_when_the_job_is_made() {
    let world = world().await;
    let token = world.mint().await;
    for (soql, code, says) in [
        ("SELECT COUNT() FROM Account", "API_ERROR", "not supported in Bulk Query"),
        ("SELECT Industry FROM Account GROUP BY Industry", "API_ERROR", "GROUP BY is not supported"),
        ("SELECT Id FROM Account OFFSET 5", "API_ERROR", "OFFSET is not supported"),
        (
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "API_ERROR",
            "Aggregate Relationships not supported",
        ),
        (
            "SELECT Id, BillingAddress FROM Account",
            "API_ERROR",
            "Selecting compound data not supported in Bulk Query",
        ),
        ("SELECT Id, Body FROM Attachment", "API_ERROR", "Binary fields"),
        ("SELECT Id FROM OauthToken", "INVALIDENTITY", "entity OauthToken does not support query"),
        ("SELECT Id, Nothing FROM Account", "INVALID_FIELD", "No such column 'Nothing' on entity 'Account'"),
        ("SELECT Id FROM Acount", "INVALID_TYPE", "sObject type 'Acount' is not supported."),
        ("SELEC Id", "MALFORMED_QUERY", "unexpected token"),
    ] {
        let answer = post(&world, &token, JOBS, &json!({ "operation": "query", "query": soql })).await;
        let (status, found, message) = answer.rest_error();
        assert_eq!((status, found.as_str()), (400, code), "{soql}: {message}");
        assert!(message.contains(says), "{soql}: {message}");
    }
    for body in [
        json!({ "operation": "query" }),
        json!({ "operation": "select", "query": "SELECT Id FROM Account" }),
        json!({ "operation": "query", "query": "SELECT Id FROM Account", "contentType": "JSON" }),
        json!({ "operation": "query", "query": "SELECT Id FROM Account", "lineEnding": "CR" }),
        json!({ "operation": "query", "query": "SELECT Id FROM Account", "object": "Account" }),
    ] {
        assert_eq!(post(&world, &token, JOBS, &body).await.rest_error().1, "JSON_PARSER_ERROR", "{body}");
    }
    assert!(world.org.admin().jobs().is_empty());
    assert_eq!(world.query(&token, "SELECT Id, BillingAddress FROM Account LIMIT 1").await.status, 200);
}

#[tokio::test]
async fn jobs_are_counted_against_the_day() {
    let mut config = OrgConfig::default();
    config.rules.bulk.daily_query_jobs = 2;
    let world = world_of(config).await;
    world.org.admin().change_user(DEMO_USERNAME, |user| user.permissions = vec!["ViewSetup".into()]).unwrap();
    let token = world.mint().await;
    let asked = json!({ "operation": "query", "query": "SELECT Id FROM Account" });
    assert_eq!(post(&world, &token, JOBS, &asked).await.status, 200);
    let limits = world.get(&token, "/services/data/v67.0/limits").await.json();
    assert_eq!(limits["DailyBulkV2QueryJobs"], json!({ "Max": 2, "Remaining": 1 }));
    assert_eq!(post(&world, &token, JOBS, &asked).await.status, 200);
    let (status, code, says) = post(&world, &token, JOBS, &asked).await.rest_error();
    assert_eq!((status, code.as_str()), (400, "LIMIT_EXCEEDED"));
    assert_eq!(says, "Max bulk v2 query jobs (2) per 24 hrs has been reached");
    world.clock.advance(Duration::from_secs(86_400));
    let token = world.mint().await;
    assert_eq!(post(&world, &token, JOBS, &asked).await.status, 200);
}

#[tokio::test]
async fn result_pages_come_five_at_a_time_and_lead_to_every_row() {
    let mut config = OrgConfig::default();
    config.rules.bulk.page_rows = 130;
    let world = world_of(config).await;
    let token = world.mint().await;
    let path = job(&world, &token, "query", "SELECT Id FROM Account").await;
    let first = world.get(&token, &format!("{path}/resultPages")).await.json();
    assert_eq!((first["resultPages"].as_array().unwrap().len(), &first["done"]), (5, &false.into()));
    let next = first["nextRecordsUrl"].as_str().unwrap();
    let last = world.get(&token, next).await.json();
    assert_eq!((last["resultPages"].as_array().unwrap().len(), &last["done"]), (3, &true.into()));
    assert!(last.get("nextRecordsUrl").is_none());
    let mut ids = BTreeSet::new();
    let urls = [&first, &last].map(|page| page["resultPages"].as_array().unwrap().clone()).concat();
    for (at, url) in urls.iter().enumerate().rev() {
        let page = world.get(&token, url["resultUrl"].as_str().unwrap()).await;
        let read = rows(&page.text);
        assert_eq!(header(&page, "sforce-numberofrecords").unwrap(), (read.len() - 1).to_string());
        assert_eq!(header(&page, "sforce-locator") == Some("null"), at == 7);
        ids.extend(read.into_iter().skip(1).map(|row| row[0].clone()));
    }
    assert_eq!(ids.len(), 1000);

    world.org.admin().change_rules(|rules| rules.bulk.next_record_url = true);
    let spelt = world.get(&token, &format!("{path}/resultPages")).await.json();
    assert!(spelt["nextRecordUrl"].is_string() && spelt.get("nextRecordsUrl").is_none());
    for below in ["results", "resultPages"] {
        let other = path.replace("v67.0", "v66.0");
        assert_eq!(world.get(&token, &format!("{other}/{below}")).await.status, 409, "{below}");
    }
    assert_eq!(
        world.get(&token, &path.replace("v67.0", "v66.0")).await.status,
        200,
        "the job itself is there"
    );
    assert_eq!(
        world.get(&token, &format!("{}/resultPages", path.replace("v67.0", "v57.0"))).await.status,
        404
    );
}

#[tokio::test]
async fn jobs_live_for_seven_days_and_belong_to_their_user() {
    let world = world().await;
    world.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.profiles = vec!["Sales".into()]).unwrap();
    let other = crate::emulator::UserConfig {
        username: "other@acme.example".into(),
        profile: "Sales".into(),
        ..Default::default()
    };
    world.org.admin().put_user(other).unwrap();
    let token = world.mint().await;
    let path = job(&world, &token, "query", "SELECT Id FROM Account").await;
    let stranger = world.mint_for("other@acme.example").await;
    assert_eq!(world.get(&stranger, &path).await.status, 404);
    let admin = world.org.admin().open_session(DEMO_ADMIN_USERNAME, DEMO_CONSUMER_KEY).unwrap();
    assert_eq!(world.get(&admin, &path).await.status, 200);
    world.org.admin().expire_all_sessions();
    assert_eq!(world.get(&token, &format!("{path}/results")).await.status, 401);
    let token = world.mint().await;
    assert_eq!(world.get(&token, &format!("{path}/results")).await.status, 200, "a new token reads on");

    world.clock.advance(Duration::from_secs(7 * 86_400 - 1));
    let token = world.mint().await;
    assert_eq!(world.get(&token, &format!("{path}/results")).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    for path in [path.clone(), format!("{path}/results")] {
        assert_eq!(world.get(&token, &path).await.rest_error().0, 404);
    }
}

#[tokio::test]
async fn results_are_packed_where_that_is_asked_for() {
    let world = world().await;
    let token = world.mint().await;
    let path = job(&world, &token, "query", "SELECT Id, Name FROM Account").await;
    let url = world.at(&format!("{path}/results"));
    let plain =
        world.send(world.http.get(&url).bearer_auth(&token).header("accept-encoding", "identity")).await;
    assert_eq!(header(&plain, "content-encoding"), None);
    let bare = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let raw = bare.get(&url).bearer_auth(&token).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(raw.headers()["content-encoding"], "gzip");
    let bytes = raw.bytes().await.unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    assert!(text == plain.text && bytes.len() * 2 < text.len());

    world.org.admin().change_rules(|rules| (rules.bulk.prerender, rules.bulk.gzip) = (true, false));
    for _ in 0..2 {
        let kept = world.send(world.http.get(&url).bearer_auth(&token)).await;
        assert_eq!(kept.text, plain.text);
        assert_eq!(header(&kept, "content-length"), Some(plain.text.len().to_string().as_str()));
    }
}

// faults A4, A5: every way in which a page can break.
#[tokio::test]
async fn a_page_can_be_cut_anywhere_and_the_session_with_it() {
    let world = world().await;
    let token = world.mint().await;
    let path = job(&world, &token, "query", "SELECT Id, Name FROM Account").await;
    let whole = world.get(&token, &format!("{path}/results")).await.text;
    let admin = world.org.admin();
    let read = async |token: &str| {
        let request = world.http.get(world.at(&format!("{path}/results"))).bearer_auth(token);
        request.send().await.unwrap().bytes().await
    };
    for effect in [Effect::Truncate { after_bytes: 5000 }, Effect::ResetAfter { after_bytes: 5000 }] {
        admin.inject(Injection::next(JOBS, 1, effect).containing("/results").skipping(1));
        assert_eq!(read(&token).await.unwrap().len(), whole.len());
        assert!(read(&token).await.is_err());
        assert_eq!(read(&token).await.unwrap().len(), whole.len());
    }
    let slow = Effect::Slow { chunk_bytes: 20_000, delay_ms: 1 };
    admin.inject(Injection::next(JOBS, 1, slow).containing("/results").method("GET"));
    assert_eq!(read(&token).await.unwrap(), whole.as_bytes());

    let ends = Effect::SessionEnds { after_bytes: Some(100) };
    admin.inject(Injection::next(JOBS, 1, ends).containing("/results"));
    assert!(read(&token).await.is_err());
    assert_eq!(world.get(&token, &format!("{path}/results")).await.rest_error().1, "INVALID_SESSION_ID");
    let token = world.mint().await;
    let ends = Effect::SessionEnds { after_bytes: None };
    admin.inject(Injection::next(JOBS, 1, ends).containing("/results"));
    assert_eq!(world.get(&token, &format!("{path}/results")).await.status, 401);
    let token = world.mint().await;

    admin.inject(Injection::next(JOBS, 1, Effect::Stall { after_bytes: 40 }).containing("/results"));
    let request = world.http.get(world.at(&format!("{path}/results"))).bearer_auth(&token);
    let mut answer = request.header("accept-encoding", "identity").send().await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap().len(), 40);
    let more = tokio::time::timeout(Duration::from_millis(50), answer.chunk()).await;
    assert!(more.is_err(), "nothing more comes, and no end");
}

#[tokio::test]
async fn ten_million_rows_are_answered_without_being_held() {
    let mut config = OrgConfig::default();
    config.records.accounts = 10_000_000;
    let world = world_of(config).await;
    let token = world.mint().await;
    let path = job(&world, &token, "query", "SELECT Id FROM Account").await;
    assert_eq!(world.get(&token, &path).await.json()["numberRecordsProcessed"], 10_000_000);
    let request =
        world.http.get(world.at(&format!("{path}/results?maxRecords=10000000"))).bearer_auth(&token);
    let mut answer = request.header("accept-encoding", "identity").send().await.unwrap();
    assert_eq!(answer.headers()["sforce-numberofrecords"], "10000000");
    let first = answer.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"\"Id\"\n\"0018d") && first.len() < 1 << 20);
}

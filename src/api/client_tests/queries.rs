use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::LIMITS;
use crate::api::Client;
use crate::api::rest::{query, versions};
use crate::api::test_org::{Reply, TestOrg};
use crate::base::Explain;

// faults A15 for the API: an address in an answer never takes the token elsewhere.
#[tokio::test]
async fn a_hostile_next_page_is_not_asked() {
    let hostile = [
        "https://evil.example/services/data/v67.0/query/01g-2000",
        "//evil.example/services",
        "/\\\\evil.example",
        "http://127.0.0.1:1/services",
        "https://acme.my.salesforce.com@evil.example/",
        "/services/../../evil",
        "/services/%2e%2e/evil",
        "/services/data%2f..%2fevil",
        "services/data",
        "javascript:alert(1)",
        "",
        "/services/data\r\nx-evil: 1",
        "file:///etc/passwd",
        "https://127.0.0.1/services",
        "http://localhost/services",
    ];
    for next in hostile {
        let body = serde_json::json!({ "totalSize": 2, "done": false, "nextRecordsUrl": next, "records": [{"Id": "1"}] });
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ => Some(Reply::json(body.to_string())),
        })
        .await;
        let client = org.client();
        let mut pages = query(&client, "SELECT Id FROM Account", false);
        pages.next().await.unwrap();
        assert_eq!(pages.next().await.unwrap_err().code(), "api.address", "{next}");
        assert_eq!(org.calls().len(), 1, "{next}");
        assert!(pages.next().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_query_gives_pages_in_the_order_of_the_select() {
    let org = TestOrg::start(|asked| match (asked.path(), asked.parameter("q")) {
        ("/services/oauth2/token", _) => None,
        ("/services/data/v67.0/queryAll", Some(soql)) if soql == "SELECT Name, Id FROM Account WHERE Name = 'a+b&c'" => {
            Some(Reply::json(
                r#"{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01g-2","records":[
                    {"attributes":{"type":"Account"},"Name":"z","Id":"1"},{"attributes":{},"Name":"y","Id":"2"}]}"#,
            ))
        }
        ("/services/data/v67.0/query/01g-2", _) => {
            Some(Reply::json(r#"{"totalSize":3,"done":true,"records":[{"attributes":{},"Name":"x","Id":"3"}]}"#))
        }
        _ => None,
    })
    .await;
    let client = org.client();
    let records =
        query(&client, "SELECT Name, Id FROM Account WHERE Name = 'a+b&c'", true).all().await.unwrap();
    let text = serde_json::to_string(&records).unwrap();
    assert_eq!(text, r#"[{"Name":"z","Id":"1"},{"Name":"y","Id":"2"},{"Name":"x","Id":"3"}]"#);
}

// Peers T7: partial is never success.
#[tokio::test]
async fn a_result_that_ends_with_another_count_is_an_error() {
    let cases = [
        r#"{"totalSize":3,"done":true,"records":[{"Id":"1"}]}"#,
        r#"{"totalSize":0,"done":true,"records":[{"Id":"1"}]}"#,
        r#"{"totalSize":1,"done":false,"records":[{"Id":"1"}]}"#,
    ];
    for body in cases {
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            _ => Some(Reply::json(body)),
        })
        .await;
        let error = query(&org.client(), "SELECT Id FROM Account", false).all().await.unwrap_err();
        assert_eq!((error.code(), error.fault()), ("api.rows_differ", crate::base::Fault::Data), "{body}");
    }
}

#[tokio::test]
async fn a_count_has_no_rows_and_is_no_error() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::json(r#"{"totalSize":4123,"done":true,"records":[]}"#)),
    })
    .await;
    let page = query(&org.client(), "SELECT COUNT() FROM Account", false).next().await.unwrap().unwrap();
    assert_eq!((page.total, page.records.len()), (Some(4123), 0));
}

// faults A26 for REST: the lost cursor is named.
#[tokio::test]
async fn a_lost_cursor_is_named() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        "/services/data/v67.0/query" => Some(Reply::json(
            r#"{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01g-1","records":[{"Id":"1"}]}"#,
        )),
        _ => Some(Reply::refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")),
    })
    .await;
    let error = query(&org.client(), "SELECT Id FROM Account", false).all().await.unwrap_err();
    assert_eq!((error.code(), error.fault()), ("api.cursor_gone", crate::base::Fault::Transient));
}

#[tokio::test]
async fn child_rows_beyond_the_page_are_fetched_too() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        "/services/data/v67.0/query/01c-1" => Some(Reply::json(
            r#"{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01c-2","records":[{"attributes":{},"Id":"c2"}]}"#,
        )),
        "/services/data/v67.0/query/01c-2" => {
            Some(Reply::json(r#"{"totalSize":3,"done":true,"records":[{"attributes":{},"Id":"c3"}]}"#))
        }
        _ => Some(Reply::json(
            r#"{"totalSize":1,"done":true,"records":[{"Id":"1","Contacts":{"totalSize":3,"done":false,
                "nextRecordsUrl":"/services/data/v67.0/query/01c-1","records":[{"attributes":{},"Id":"c1"}]}}]}"#,
        )),
    })
    .await;
    let rows =
        query(&org.client(), "SELECT Id, (SELECT Id FROM Contacts) FROM Account", false).all().await.unwrap();
    let contacts = serde_json::to_string(rows[0].get("Contacts").unwrap()).unwrap();
    assert_eq!(contacts, r#"{"totalSize":3,"done":true,"records":[{"Id":"c1"},{"Id":"c2"},{"Id":"c3"}]}"#);
}

#[tokio::test]
async fn child_rows_that_are_missing_are_an_error() {
    let lists = [
        r#"{"totalSize":2,"done":false,"records":[{"Id":"c1"}]}"#,
        r#"{"totalSize":1,"done":false,"nextRecordsUrl":null,"records":[{"Id":"c1"}]}"#,
        r#"{"totalSize":3,"done":true,"records":[{"Id":"c1"}]}"#,
        r#"{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01c-1","records":[{"Id":"c1"}]}"#,
    ];
    for list in lists {
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            "/services/data/v67.0/query/01c-1" => {
                Some(Reply::json(r#"{"totalSize":2,"done":false,"records":[{"Id":"c2"}]}"#))
            }
            _ => Some(Reply::json(format!(
                r#"{{"totalSize":1,"done":true,"records":[{{"Id":"1","Contacts":{list}}}]}}"#
            ))),
        })
        .await;
        let soql = "SELECT Id, (SELECT Id FROM Contacts) FROM Account";
        let error = query(&org.client(), soql, false).all().await.unwrap_err();
        assert_eq!(error.code(), "api.rows_differ", "{list}");
    }
}

#[tokio::test]
async fn the_version_is_asked_for_once_and_proves_no_session() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        "/services/data" => Some(Reply::json(
            r#"[{"version":"9.0"},{"version":"66.0","label":"Spring '26"},{"version":"68.0"},{"version":"67.0"},{"version":"x"}]"#,
        )),
        _ => Some(Reply::dead_session()),
    })
    .await;
    let mut connection = org.connection();
    connection.api_version = None;
    let tokens = crate::api::test_org::tokens(connection, Arc::new(crate::token::SystemClock::new()), None);
    let client = Client::new(tokens);
    assert_eq!(client.api_version().await.unwrap().major(), 67);
    assert_eq!(client.api_version().await.unwrap().major(), 67);
    assert_eq!(org.calls().len(), 1);
    // Anybody is told the versions: the session has not worked yet, and is not minted anew.
    assert_eq!(client.get(LIMITS).await.unwrap_err().code(), "session.refused");
    assert_eq!(org.mints(), 1);
}

#[tokio::test]
async fn a_host_that_lists_no_versions_is_no_api() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/oauth2/token" => None,
        _ => Some(Reply::json(r#"{"error":"what?"}"#)),
    })
    .await;
    assert_eq!(versions(&org.client()).await.unwrap_err().code(), "api.not_json");
}

#[tokio::test]
async fn describe_and_limits_ask_where_the_version_is() {
    let org = TestOrg::start(|asked| match asked.target.as_str() {
        "/services/data/v67.0/sobjects/My+Object%3F/describe" => Some(Reply::json(r#"{"name":"x"}"#)),
        LIMITS => Some(Reply::json(r#"{"DailyApiRequests":{"Max":1,"Remaining":1}}"#)),
        _ => None,
    })
    .await;
    let client = org.client();
    assert_eq!(crate::api::rest::describe_raw(&client, "My Object?").await.unwrap()["name"], "x");
    assert_eq!(crate::api::rest::limits_raw(&client).await.unwrap()["DailyApiRequests"]["Max"], 1);
    let gone = crate::api::rest::describe(&client, "Gone").await.unwrap_err();
    assert_eq!((gone.code(), gone.fault()), ("api.not_found", crate::base::Fault::Data));
}

#[tokio::test]
async fn pages_are_as_long_as_asked_and_a_count_is_a_number() {
    let org = TestOrg::start(|asked| match asked.path() {
        "/services/data/v67.0/query" => Some(Reply::json(r#"{"totalSize":4123,"done":true,"records":[]}"#)),
        _ => None,
    })
    .await;
    let client = org.client();
    assert_eq!(crate::api::rest::count(&client, "SELECT COUNT() FROM Account").await.unwrap(), 4123);
    let error = query(&client, "SELECT Id FROM Account", false).page_size(1).next().await.unwrap_err();
    assert_eq!(error.code(), "api.rows_differ");
    let sizes: Vec<_> =
        org.calls().iter().map(|asked| asked.header("sforce-query-options").map(String::from)).collect();
    assert_eq!(sizes, [None, Some("batchSize=200".into())]);
}

// faults A24: the org moves between two pages; its old host is dead, or does not know it any more.
#[tokio::test(start_paused = true)]
async fn a_cursor_on_a_host_that_the_org_has_left_is_gone_and_no_hang() {
    let page = r#"{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01g-1","records":[{"Id":"1"}]}"#;
    let dead = [
        Reply::new(503, &[], "<html>Destination URL not reset</html>"),
        Reply::raw(""),
        Reply::new(301, &[("Location", "https://new.my.salesforce.com/")], ""),
    ];
    for reply in dead {
        let there = TestOrg::start(|_| None).await;
        let (url, mints) = (there.url.clone(), AtomicU32::new(0));
        let here = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" if mints.fetch_add(1, Ordering::SeqCst) > 0 => {
                Some(crate::api::test_org::mint(&url, "T2"))
            }
            "/services/oauth2/token" => None,
            "/services/data/v67.0/query" => Some(Reply::json(page)),
            _ => Some(reply.clone()),
        })
        .await;
        let mut pages = query(&here.client(), "SELECT Id FROM Account", false);
        assert_eq!(pages.next().await.unwrap().unwrap().records.len(), 1);
        let error = pages.next().await.unwrap_err();
        assert_eq!((error.code(), error.fault()), ("api.cursor_gone", crate::base::Fault::Transient));
        assert!(pages.next().await.unwrap().is_none());
    }
    // An org that stayed where it was is only not available.
    let busy = TestOrg::start(move |asked| match asked.path() {
        "/services/oauth2/token" => None,
        "/services/data/v67.0/query" => Some(Reply::json(page)),
        _ => Some(Reply::raw("")),
    })
    .await;
    let mut pages = query(&busy.client(), "SELECT Id FROM Account", false);
    pages.next().await.unwrap();
    assert_eq!(pages.next().await.unwrap_err().code(), "api.no_answer");
}

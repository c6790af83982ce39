use super::harness::world;
use crate::emulator::{DEMO_CONSUMER_KEY, DEMO_USERNAME};

#[tokio::test]
async fn userinfo_and_the_identity_url_name_user_and_org() {
    let world = world().await;
    let minted = world.post_claims(&world.claims()).await.json();
    let token = minted["access_token"].as_str().unwrap();
    let info = world.get(token, "/services/oauth2/userinfo").await.json();
    assert_eq!(info["preferred_username"], DEMO_USERNAME);
    assert_eq!(info["organization_id"], "00D8d0000000001EAA");
    let id = minted["id"].as_str().unwrap();
    let identity = world.send(world.http.get(format!("{id}?format=json")).bearer_auth(token)).await.json();
    assert_eq!(identity["username"], DEMO_USERNAME);
    assert_eq!(identity["user_id"], info["user_id"]);
    assert!(identity["urls"]["rest"].as_str().unwrap().contains("{version}"));
}

/// jsforce finds the identity URL of a token it was given in the list of resources.
#[tokio::test]
async fn the_resources_of_a_version_name_the_callers_identity() {
    let world = world().await;
    let minted = world.post_claims(&world.claims()).await.json();
    let token = minted["access_token"].as_str().unwrap();
    let resources = world.get(token, "/services/data/v67.0").await.json();
    assert_eq!(resources["identity"], minted["id"]);
    assert_eq!(resources["query"], "/services/data/v67.0/query");
}

#[tokio::test]
async fn the_identity_service_refuses_in_plain_text() {
    let world = world().await;
    let token = world.mint().await;
    for (path, token, says) in [
        ("/services/oauth2/userinfo", "00Dwrong!token", "Bad_OAuth_Token"),
        ("/id/00D8d0000000002EAA/0058d0000000001AAA", &token, "Wrong_Org"),
    ] {
        let answer = world.get(token, path).await;
        assert_eq!((answer.status, answer.text.as_str()), (403, says));
    }
    world.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.scopes = vec!["api".into()]).unwrap();
    let narrow = world.mint().await;
    assert_eq!(world.get(&narrow, "/services/oauth2/userinfo").await.status, 403, "no scope for it");
    let user =
        world.query(&narrow, "SELECT Id FROM User WHERE Username = 'integration@acme.example'").await.json();
    let path = format!("/services/data/v67.0/sobjects/User/{}", user["records"][0]["Id"].as_str().unwrap());
    assert_eq!(world.get(&narrow, &path).await.json()["Username"], DEMO_USERNAME, "the User row says it too");
}

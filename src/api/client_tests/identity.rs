use crate::api::test_org::{Reply, TestOrg};
use crate::base::Explain;

#[tokio::test]
async fn userinfo_tells_who_the_token_is_for_and_the_user_row_where_it_will_not() {
    use crate::api::identity::{ToldBy, whoami};
    use crate::api::test_org::{ORG, USER, USERNAME};
    let userinfo = serde_json::json!({
        "user_id": USER, "organization_id": ORG, "preferred_username": USERNAME, "sub": "x", "email": "y",
    });
    let row = format!(r#"{{"attributes":{{}},"Id":"{USER}","Username":"{USERNAME}"}}"#);
    for (answer, told_by) in [
        (Reply::json(userinfo.to_string()), ToldBy::UserInfo),
        (Reply::new(403, &[], "Bad_OAuth_Token"), ToldBy::UserRow),
        (Reply::new(404, &[], ""), ToldBy::UserRow),
        (Reply::new(200, &[], "<html>"), ToldBy::UserRow),
    ] {
        let row = row.clone();
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/userinfo" => Some(answer.clone()),
            path if path.starts_with("/services/data/v67.0/sobjects/User/005") => Some(Reply::json(&row)),
            _ => None,
        })
        .await;
        let told = whoami(&org.client(), &USER.parse().unwrap()).await.unwrap();
        assert_eq!((told.told_by, told.username.as_str(), told.user_id.as_str()), (told_by, USERNAME, USER));
        assert_eq!(org.mints(), 1);
    }
}

// Protocol reference §1.6, trap 14.
#[tokio::test]
async fn the_identity_url_is_followed_within_its_host_only() {
    use crate::api::identity::identity_url;
    use crate::api::test_org::{ORG, USER, USERNAME};
    let ask = async |to: String| {
        let told =
            serde_json::json!({ "user_id": USER, "organization_id": ORG, "username": USERNAME }).to_string();
        let org = TestOrg::start(move |asked| match asked.path() {
            "/services/oauth2/token" => None,
            "/there" => Some(Reply::json(&told)),
            _ => Some(Reply::new(302, &[("location", &to)], "")),
        })
        .await;
        let told = identity_url(&org.client(), &ORG.parse().unwrap(), &USER.parse().unwrap()).await;
        (told, org.calls().len())
    };
    let (told, calls) = ask("/there".into()).await;
    assert_eq!((told.unwrap().username.as_str(), calls), (USERNAME, 2));
    let (told, calls) = ask("https://evil.example/there".into()).await;
    let error = told.unwrap_err();
    assert_eq!((error.code(), calls), ("api.redirected", 1));
    assert!(error.to_string().contains("https://evil.example"), "{error}");
    let (told, calls) = ask("/elsewhere".into()).await;
    assert_eq!((told.unwrap_err().code(), calls), ("api.redirected", 2));
}

use serde_json::Value;

use super::harness::{World, world};
use crate::emulator::{DEMO_ADMIN_USERNAME, DEMO_CONSUMER_KEY, DEMO_USERNAME};

async fn rows(world: &World, token: &str, soql: &str) -> Vec<Value> {
    let answer = world.query(token, soql).await;
    assert_eq!(answer.status, 200, "{soql}: {}", answer.text);
    answer.json()["records"].as_array().unwrap().clone()
}

async fn admin_world() -> (World, String) {
    let world = world().await;
    let profile = vec!["System Administrator".to_string()];
    world.org.admin().change_app(DEMO_CONSUMER_KEY, |app| app.profiles = profile).unwrap();
    let token = world.mint_for(DEMO_ADMIN_USERNAME).await;
    (world, token)
}

#[tokio::test]
async fn an_administrator_reads_the_whole_setup() {
    let (world, token) = admin_world().await;
    world
        .org
        .admin()
        .change_user(DEMO_USERNAME, |user| {
            user.frozen = true;
            user.permissions = vec!["ModifyAllData".into()];
        })
        .unwrap();
    let refused = world.post_claims(&world.claims()).await;
    assert_eq!(refused.status, 400);

    let org = rows(
        &world,
        &token,
        "SELECT Id, Name, IsSandbox, InstanceName, TrialExpirationDate FROM Organization",
    )
    .await;
    assert_eq!((&org[0]["Name"], &org[0]["IsSandbox"]), (&"Acme".into(), &false.into()));
    let user = rows(
        &world,
        &token,
        "SELECT Id, IsActive, Profile.Name FROM User WHERE Username = 'integration@acme.example'",
    )
    .await;
    let id = user[0]["Id"].as_str().unwrap();
    let frozen = rows(&world, &token, &format!("SELECT IsFrozen FROM UserLogin WHERE UserId = '{id}'")).await;
    assert_eq!(frozen[0]["IsFrozen"], true);
    let app = rows(&world, &token, "SELECT Id, DeveloperName FROM ExternalClientApplication").await;
    let app_id = app[0]["Id"].as_str().unwrap();
    let policy = rows(&world, &token, &format!("SELECT PermittedUsersPolicyType, IsEnabled FROM ExtlClntAppOauthPlcyCnfg WHERE ExternalClientApplicationId = '{app_id}'")).await;
    assert_eq!(policy[0]["PermittedUsersPolicyType"], "AdminApprovedPreAuthorized");
    let attached = format!(
        "SELECT Id, Parent.Name FROM SetupEntityAccess WHERE SetupEntityId = '{app_id}' AND ParentId IN \
         (SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '{id}')"
    );
    assert_eq!(rows(&world, &token, &attached).await[0]["Parent"]["Name"], "sfmint_integration");
    let too_much = format!(
        "SELECT PermissionSet.Name FROM PermissionSetAssignment WHERE AssigneeId = '{id}' AND PermissionSet.PermissionsModifyAllData = true"
    );
    assert_eq!(rows(&world, &token, &too_much).await.len(), 1);
    let logins = rows(&world, &token, &format!("SELECT Status, LoginType, LoginTime FROM LoginHistory WHERE UserId = '{id}' ORDER BY LoginTime DESC")).await;
    assert_eq!(logins[0]["Status"], "Failed: user is inactive");
    let changes = rows(&world, &token, "SELECT Action, Display, CreatedBy.Username FROM SetupAuditTrail ORDER BY CreatedDate DESC, Id DESC LIMIT 1").await;
    assert_eq!(changes[0]["Display"], "Changed user integration@acme.example");
    assert_eq!(changes[0]["CreatedBy"]["Username"], DEMO_ADMIN_USERNAME);
    let classic =
        rows(&world, &token, "SELECT Name, OptionsAllowAdminApprovedUsersOnly FROM ConnectedApplication")
            .await;
    assert_eq!(classic[0]["OptionsAllowAdminApprovedUsersOnly"], true);
    let tokens = rows(&world, &token, "SELECT AppName, UseCount, LastUsedDate FROM OauthToken").await;
    assert_eq!((&tokens[0]["AppName"], &tokens[0]["UseCount"]), (&"sfmint".into(), &1.into()));
    assert!(!rows(&world, &token, "SELECT Id, Name FROM Profile").await.is_empty());
    assert!(
        !rows(&world, &token, "SELECT Id, Name FROM PermissionSet WHERE IsOwnedByProfile = false")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_user_without_view_setup_sees_only_what_is_their_own() {
    let (world, _) = admin_world().await;
    let token = world.mint().await;
    for hidden in [
        "SetupAuditTrail",
        "ConnectedApplication",
        "ExternalClientApplication",
        "PermissionSet",
        "SetupEntityAccess",
    ] {
        let answer = world.query(&token, &format!("SELECT Id FROM {hidden}")).await;
        assert_eq!(answer.rest_error().1, "INVALID_TYPE", "{hidden}");
    }
    let me = rows(&world, &token, "SELECT Id FROM User WHERE Username = 'integration@acme.example'").await;
    for (object, field) in [
        ("UserLogin", "UserId"),
        ("PermissionSetAssignment", "AssigneeId"),
        ("LoginHistory", "UserId"),
        ("OauthToken", "UserId"),
    ] {
        let own = rows(&world, &token, &format!("SELECT {field} FROM {object}")).await;
        assert!(!own.is_empty() && own.iter().all(|row| row[field] == me[0]["Id"]), "{object}");
    }
}

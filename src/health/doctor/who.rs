use crate::api::identity::{Identity, ToldBy};
use crate::base::{AccessToken, Connection, Finding, Hint, Level};

/// Judges whether a token is for the user and org that were meant.
///
/// # Shape
///
/// | told                                            | level                                     |
/// |-------------------------------------------------|-------------------------------------------|
/// | another user id or org id than the token's      | fail                                      |
/// | another username than the connection's          | warn: it was renamed, or `userinfo` calls it otherwise |
/// | the same                                        | ok                                        |
pub(super) fn judge(told: &Identity, token: &AccessToken, connection: &Connection) -> Finding {
    let place = match told.told_by {
        ToldBy::UserInfo => "userinfo",
        ToldBy::IdentityUrl => "the identity URL",
        ToldBy::UserRow => "the User row",
    };
    let org = told.org_id.as_ref().unwrap_or(&token.org_id);
    if told.user_id != token.user_id || *org != token.org_id {
        let says = format!(
            "{place} says the token is for user {} of org {org}; the mint said user {} of org {}",
            told.user_id, token.user_id, token.org_id
        );
        return Finding::new("identity.other", Level::Fail, says)
            .hint(Hint::new("a proxy or cache between here and Salesforce mixes answers up: check `proxy`"));
    }
    if told.username.to_lowercase() != connection.username.folded() {
        let says =
            format!("{place} calls the user `{}`, the connection `{}`", told.username, connection.username);
        return Finding::new("identity.username", Level::Warn, says)
            .hint(Hint::new("if the user was renamed, write the new Username into `username`"));
    }
    let says = format!("{place} says: {} ({}) of org {}", told.username, told.user_id, token.org_id);
    Finding::new("identity", Level::Ok, says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::test_org::{ORG, USER, USERNAME};
    use crate::base::{Secret, TokenParts, TokenType, UnixSeconds};
    use crate::health::test_words::connection;

    #[test]
    fn another_user_or_org_fails_and_another_name_warns() {
        let connection = connection("http://127.0.0.1:1");
        let url = crate::base::InstanceUrl::parse(
            "http://127.0.0.1:1",
            &connection.instance_hosts,
            &connection.login_url,
        );
        let token = AccessToken::new(TokenParts {
            value: Secret::new("access token", "00D!x".into()),
            token_type: TokenType::Opaque,
            instance_url: url.unwrap(),
            org_id: ORG.parse().unwrap(),
            user_id: USER.parse().unwrap(),
            username: USERNAME.parse().unwrap(),
            scope: vec![],
            minted_at: UnixSeconds::new(0),
            expires_at: None,
        });
        let cases = [
            (USER, Some(ORG), USERNAME, "identity", Level::Ok),
            (USER, None, USERNAME, "identity", Level::Ok),
            (USER, Some(ORG), "INTEGRATION@acme.example", "identity", Level::Ok),
            (USER, Some(ORG), "other@acme.example", "identity.username", Level::Warn),
            ("005000000000002", Some(ORG), USERNAME, "identity.other", Level::Fail),
            (USER, Some("00D000000000009"), USERNAME, "identity.other", Level::Fail),
        ];
        for (user, org, username, code, level) in cases {
            let told = Identity {
                user_id: user.parse().unwrap(),
                org_id: org.map(|org| org.parse().unwrap()),
                username: username.into(),
                told_by: ToldBy::UserInfo,
            };
            let finding = judge(&told, &token, &connection);
            assert_eq!((finding.code, finding.level), (code, level), "{user} {org:?} {username}");
        }
    }
}

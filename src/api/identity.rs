//! Who a token is for, as the org itself says.
//!
//! Three places tell it, and each may refuse: `userinfo`, the identity URL, and the User row. This module asks;
//! whether the answer is the one that was meant is `health`'s to judge. Start at [`whoami`].

use serde::Deserialize;

use super::{ApiError, Client, Request, Response};
use crate::base::{Explain, OrgId, UserId, printable};

/// Who a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user_id: UserId,
    /// The org; `None` where the User row told, which does not know it.
    pub org_id: Option<OrgId>,
    /// What the user is called. For some kinds of user `userinfo` says something else than `User.Username`.
    pub username: String,
    /// Where it was read.
    pub told_by: ToldBy,
}

/// Where an identity was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// `/services/oauth2/userinfo`.
    UserInfo,
    /// `/id/ORG/USER`.
    IdentityUrl,
    /// `/sobjects/User/ID`.
    UserRow,
}

#[derive(Deserialize)]
struct UserInfo {
    user_id: String,
    organization_id: String,
    preferred_username: String,
}

#[derive(Deserialize)]
struct IdentityAnswer {
    user_id: String,
    organization_id: String,
    username: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserRow {
    id: String,
    username: String,
}

/// Asks `userinfo`.
///
/// # Errors
///
/// [`ApiError::IdentityRefused`] where the app lacks the scope; else those of [`Client::send`].
pub async fn userinfo(client: &Client) -> Result<Identity, ApiError> {
    let response = client.whole(Request::get("/services/oauth2/userinfo")).await?;
    let told: UserInfo = response.read()?;
    identity(
        &response,
        &told.user_id,
        Some(&told.organization_id),
        &told.preferred_username,
        ToldBy::UserInfo,
    )
}

/// Asks the identity URL; a redirect within the same host is followed once.
///
/// # Errors
///
/// As [`userinfo`]; [`ApiError::Redirected`] to anywhere else.
pub async fn identity_url(client: &Client, org: &OrgId, user: &UserId) -> Result<Identity, ApiError> {
    let request = Request::get(format!("/id/{org}/{user}?format=json"));
    let first = client.exchange(&request).await?;
    let response = match (first.status, first.header("location")) {
        (301 | 302 | 303 | 307 | 308, Some(to)) => {
            client.send(Request::get(to)).await.map_err(|error| match error {
                ApiError::Address(_) => {
                    let to = first.header("location").and_then(|to| url::Url::parse(to).ok());
                    let to = to.map_or_else(|| "nowhere".into(), |to| to.origin().ascii_serialization());
                    ApiError::Redirected { from: first.host.clone(), to: printable(&to, 120) }
                }
                other => other,
            })?
        }
        _ => first,
    };
    let response = response.success()?;
    let told: IdentityAnswer = response.read()?;
    identity(&response, &told.user_id, Some(&told.organization_id), &told.username, ToldBy::IdentityUrl)
}

/// Reads the user's own row, which needs no scope but `api`.
///
/// # Errors
///
/// [`ApiError::NotFound`]: this user is not in the org; else those of [`Client::send`].
pub async fn user_row(client: &Client, user: &UserId) -> Result<Identity, ApiError> {
    let path = client.data_path(&format!("sobjects/User/{user}?fields=Id,Username")).await?;
    let response = client.whole(Request::get(path)).await?;
    let told: UserRow = response.read()?;
    identity(&response, &told.id, None, &told.username, ToldBy::UserRow)
}

/// Asks who the token is for: `userinfo`, and where that is refused, the User row.
///
/// # Errors
///
/// Those of [`user_row`], or of [`userinfo`] where it was not a refusal.
pub async fn whoami(client: &Client, user: &UserId) -> Result<Identity, ApiError> {
    match userinfo(client).await {
        Err(error) if error.fault() == crate::base::Fault::Denied && !matches!(error, ApiError::Mint(_)) => {
            user_row(client, user).await
        }
        Err(ApiError::NotFound { .. } | ApiError::NotJson { .. }) => user_row(client, user).await,
        told => told,
    }
}

fn identity(
    response: &Response,
    user: &str,
    org: Option<&str>,
    username: &str,
    told_by: ToldBy,
) -> Result<Identity, ApiError> {
    let not_ids = || ApiError::NotJson {
        host: response.host.clone(),
        status: response.status,
        what: "JSON without the ids of a user and an org".into(),
    };
    Ok(Identity {
        user_id: user.parse().map_err(|_| not_ids())?,
        org_id: org.map(|org| org.parse().map_err(|_| not_ids())).transpose()?,
        username: printable(username, 120),
        told_by,
    })
}

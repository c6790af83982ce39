use serde_json::Value;

use crate::base::{AccessToken, Fault, OAuthError};
use crate::token::{Need, TokenSource, http_client};

use super::super::report::{Complaint, told, told_of};

/// Rows a page; small, so that there are several.
const PAGE: usize = 200;

/// What a query brought.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The rows the org announced.
    pub announced: u64,
    /// The names of all rows that came, in order.
    pub names: Vec<String>,
    /// Pages it took.
    pub pages: usize,
    /// Calls that had to be made again with another token.
    pub replays: usize,
}

/// Reads every account, page after page; a session that died meanwhile is replaced once.
pub async fn fetch(tokens: &TokenSource) -> anyhow::Result<Fetched> {
    let soql: String =
        url::form_urlencoded::byte_serialize(b"SELECT Id, Name, BillingCity FROM Account ORDER BY Id")
            .collect();
    let mut next = Some(format!("/services/data/v67.0/query?q={soql}"));
    let mut fetched = Fetched::default();
    while let Some(path) = next {
        let page = page(tokens, &path, &mut fetched.replays).await?;
        fetched.pages += 1;
        fetched.announced = page["totalSize"].as_u64().unwrap_or_default();
        let rows = page["records"].as_array().map(Vec::as_slice).unwrap_or_default();
        fetched.names.extend(rows.iter().map(|row| row["Name"].as_str().unwrap_or_default().to_string()));
        next = page["nextRecordsUrl"].as_str().map(str::to_string);
    }
    Ok(fetched)
}

async fn page(tokens: &TokenSource, path: &str, replays: &mut usize) -> anyhow::Result<Value> {
    let need = Need { until_refused: true, ..Need::default() };
    let token = tokens.hand(need).await.map_err(told_of(&tokens.connection().name))?.token;
    match get(tokens, &token, path).await? {
        Ok(page) => Ok(page),
        Err(reason) => {
            let name = &tokens.connection().name;
            let token = tokens.replace(&token, reason, false).await.map_err(told_of(name))?;
            *replays += 1;
            get(tokens, &token, path).await?.map_err(|reason| {
                told(Complaint::new(
                    "demo.session",
                    Fault::Bug,
                    format!("a new session was refused: {reason}"),
                ))
            })
        }
    }
}

/// One call; the inner error is a session that Salesforce does not know any more.
async fn get(
    tokens: &TokenSource,
    token: &AccessToken,
    path: &str,
) -> anyhow::Result<Result<Value, OAuthError>> {
    let url = token.instance_url.at(path)?;
    let http = http_client(&tokens.connection().network, &url).map_err(told_of(&tokens.connection().name))?;
    let response = http
        .get(url)
        .header("Authorization", token.authorization().expose())
        .header("Sforce-Query-Options", format!("batchSize={PAGE}"))
        .send()
        .await?;
    let status = response.status();
    let body: Value = response.json().await?;
    if status == 401 {
        let text = |key: &str| body[0][key].as_str().unwrap_or_default().to_string();
        return Ok(Err(OAuthError { error: text("errorCode"), description: Some(text("message")) }));
    }
    if !status.is_success() {
        let says = format!("the built-in org answered {status}");
        return Err(told(Complaint::new("demo.refused", Fault::Bug, says)));
    }
    tokens.accepted(token);
    Ok(Ok(body))
}

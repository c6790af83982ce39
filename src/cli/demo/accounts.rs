use crate::api::{Client, Request};
use crate::base::Fault;

use super::super::report::{Complaint, told, told_of};

/// Rows a page: the least that Salesforce gives, so that there are several.
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
}

/// Reads every account, page after page, as many as were announced.
///
/// A session that died meanwhile is the client's business: it replaces the token and plays the call again.
pub async fn fetch(client: &Client) -> anyhow::Result<Fetched> {
    let name = client.connection().name.clone();
    let soql = "SELECT Id, Name, BillingCity FROM Account ORDER BY Id";
    let soql: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
    let mut next = Some(client.data_path(&format!("query?q={soql}")).await.map_err(told_of(&name))?);
    let mut fetched = Fetched::default();
    while let Some(path) = next {
        let request = Request::get(path).header("Sforce-Query-Options", &format!("batchSize={PAGE}"));
        let request = request.map_err(told_of(&name))?;
        let answer = client.send(request).await.and_then(|answer| answer.success()?.json());
        let page = answer.map_err(told_of(&name))?;
        fetched.pages += 1;
        fetched.announced = page["totalSize"].as_u64().unwrap_or_default();
        let rows = page["records"].as_array().map(Vec::as_slice).unwrap_or_default();
        fetched.names.extend(rows.iter().map(|row| row["Name"].as_str().unwrap_or_default().to_string()));
        next = page["nextRecordsUrl"].as_str().map(str::to_string);
    }
    whole(fetched)
}

/// Partial is never success, in a demo neither.
fn whole(fetched: Fetched) -> anyhow::Result<Fetched> {
    if fetched.names.len() as u64 == fetched.announced {
        return Ok(fetched);
    }
    let says = format!("{} rows came, {} were announced", fetched.names.len(), fetched.announced);
    Err(told(Complaint::new("demo.rows", Fault::Bug, says)))
}

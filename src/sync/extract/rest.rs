use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::{Fetched, Next, PageStream, rest_text, stream};
use crate::api::{ApiError, Client, Request, Response};
use crate::sync::Column;

/// One page as Salesforce sends it, its rows left as they are written: a number keeps its digits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    total_size: i64,
    done: bool,
    next_records_url: Option<String>,
    records: Vec<Box<RawValue>>,
}

/// The pages of a REST query, each 2,000 rows at most; with `all`, deleted rows too. Goes on `from` a page's URL.
pub(in crate::sync) fn pages(
    client: &Client,
    soql: &str,
    all: bool,
    columns: Arc<[Column]>,
    from: Option<String>,
) -> PageStream {
    let soql: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
    let first = format!("query{}?q={soql}", if all { "All" } else { "" });
    stream(client, from, move |client, locator| {
        let (first, columns) = (first.clone(), columns.clone());
        async move {
            let path = match &locator {
                Some(path) => path.clone(),
                None => client.data_path(&first).await?,
            };
            let response = client.send_whole(Request::get(path)).await?.success()?;
            let answer: Answer = response.read()?;
            let mut text = Vec::with_capacity((answer.records.len() + 1) * 64 * columns.len().max(1));
            rest_text::write_header(&columns, &mut text);
            for record in &answer.records {
                rest_text::write(record, &columns, &mut text).map_err(|_| no_record(&response))?;
            }
            let (found, chunks) = mpsc::channel(1);
            // The channel holds one chunk, and this is the only one.
            let _ = found.try_send(Ok(Bytes::from(text)));
            Ok(Fetched {
                announced: Some(answer.records.len() as u64),
                total: u64::try_from(answer.total_size).ok(),
                next: match (answer.done, answer.next_records_url) {
                    (false, Some(next)) => Next::More(next),
                    (true, _) => Next::Last,
                    (false, None) => Next::Missing,
                },
                chunks,
            })
        }
    })
}

fn no_record(response: &Response) -> ApiError {
    let (host, status) = (response.host().to_string(), response.status);
    ApiError::NotJson { host, status, what: "a page with something that is no record".into() }
}

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use reqwest::Method;
use serde_json::Value;

use super::report::{Complaint, told, told_of};
use super::wire::{Wire, block_on, print, read_input};
use super::{Exit, Global};
use crate::api::{Client, Request, Response};
use crate::base::Fault;

/// Make an authenticated call
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  sfmint api limits\n  sfmint api /services/data/v67.0/sobjects/Account/describe\n  sfmint api sobjects/Account -d '{\"Name\": \"Acme\"}'\n  sfmint api --paginate 'query?q=SELECT+Id+FROM+Account'\n\nA path without a slash in front is one below /services/data/vNN.0/."
)]
pub struct Verb {
    /// The path, with its query
    path: String,
    /// The method; GET, or POST where there is data
    #[arg(short = 'X', long, value_name = "METHOD")]
    method: Option<Method>,
    /// The body; JSON unless a Content-Type header says otherwise
    #[arg(short, long, value_name = "DATA", conflicts_with = "input")]
    data: Option<String>,
    /// The file that holds the body; - for stdin
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// One more header; may be given again
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Follow nextRecordsUrl to the end: one JSON document a line
    #[arg(long)]
    paginate: bool,
}

/// Makes the call and prints the answer's body; an answer that says no is printed as well, and fails.
pub fn run(verb: &Verb, global: &Global) -> anyhow::Result<Exit> {
    let wire = Wire::new(global)?;
    let connection = wire.connection()?;
    let name = connection.name.clone();
    let client = wire.client(connection)?;
    block_on(async {
        let request = request(verb, &client).await?;
        let mut response = client.send(request).await.map_err(told_of(&name))?;
        loop {
            write(&response, verb.paginate)?;
            let next = next_page(&response).filter(|_| verb.paginate);
            response.success().map_err(told_of(&name))?;
            let Some(next) = next else { return Ok(Exit::Done) };
            response = client.send(Request::get(next)).await.map_err(told_of(&name))?;
        }
    })
}

async fn request(verb: &Verb, client: &Client) -> anyhow::Result<Request> {
    let body = match (&verb.data, &verb.input) {
        (Some(data), _) => Some(data.clone().into_bytes()),
        (None, Some(path)) => Some(read_input(path)?),
        (None, None) => None,
    };
    let usual = if body.is_some() { Method::POST } else { Method::GET };
    let path = match verb.path.starts_with('/') || verb.path.contains("://") {
        true => verb.path.clone(),
        false => client.data_path(&verb.path).await.map_err(told)?,
    };
    let mut request = Request::new(verb.method.clone().unwrap_or(usual), path);
    for header in &verb.headers {
        let (name, value) = header.split_once(':').ok_or_else(|| {
            told(Complaint::new("api.header", Fault::Misuse, format!("`{header}` is not `Name: value`")))
        })?;
        request = request.header(name.trim(), value.trim()).map_err(told)?;
    }
    if let Some(body) = body {
        if !request.headers.contains_key("content-type") {
            request = request.header("content-type", "application/json").map_err(told)?;
        }
        request.body = body;
    }
    Ok(request)
}

/// Prints a body as it came; on a line of its own where lines are counted or people read.
fn write(response: &Response, lines: bool) -> anyhow::Result<Exit> {
    let open_end = !response.body.is_empty() && !response.body.ends_with(b"\n");
    print(|out| {
        out.write_all(&response.body)?;
        if open_end && (lines || io::stdout().is_terminal()) { out.write_all(b"\n") } else { Ok(()) }
    })
}

/// Where the next page is, in the two spellings that Salesforce has.
fn next_page(response: &Response) -> Option<String> {
    let body = response.json().ok()?;
    let next = body.get("nextRecordsUrl").or_else(|| body.get("nextPageUrl"))?;
    next.as_str().map(String::from).filter(|_| body.get("done") != Some(&Value::Bool(true)))
}

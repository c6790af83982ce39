use std::io::{self, IsTerminal};
use std::path::PathBuf;

use reqwest::Method;
use serde_json::Value;

use super::report::{Complaint, told, told_of, told_with};
use super::wire::{Reader, Wire, block_on, print_part, read_input};
use super::{Exit, Global};
use crate::api::rest::{Trail, is_count};
use crate::api::{ApiError, Client, Request, Response};
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
    /// Follow nextRecordsUrl to the end: one JSON document a line; exit code 65 where rows are missing
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
        let mut pages = Tally::new(&request.path);
        let mut response = client.send_whole(request).await.map_err(told_of(&name))?;
        loop {
            let good = matches!(response.status, 200..=299 | 304);
            if !good || !verb.paginate {
                write(&response, verb.paginate)?;
                return response.success().map(|_| Exit::Done).map_err(told_of(&name));
            }
            // A page that cannot be read may have been all that was left: rows are in doubt.
            let page = response.json().map_err(|error| told_with(Exit::Data, error))?;
            let reader = write(&response, true)?;
            let next = pages.count(&page).map_err(told_of(&name))?;
            let Some(next) = next.filter(|_| reader == Reader::There) else { return Ok(Exit::Done) };
            response = client.send_whole(Request::get(next)).await.map_err(told_of(&name))?;
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
fn write(response: &Response, lines: bool) -> anyhow::Result<Reader> {
    let open_end = !response.body.is_empty() && !response.body.ends_with(b"\n");
    print_part(|out| {
        out.write_all(&response.body)?;
        if open_end && (lines || io::stdout().is_terminal()) { out.write_all(b"\n") } else { Ok(()) }
    })
}

/// The rows of all pages so far.
struct Tally {
    /// Whether the pages are those of a query from its beginning, whose rows are announced.
    announced: bool,
    received: u64,
    trail: Trail,
}

impl Tally {
    fn new(path: &str) -> Self {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let soql = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "q");
        Self {
            announced: soql.is_some_and(|(_, soql)| !is_count(&soql)),
            received: 0,
            trail: Trail::default(),
        }
    }

    /// Counts a page, and says where the next one is, in the two spellings that Salesforce has; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`ApiError::RowsDiffer`]: a page is not the last and names no other, or other rows came than were announced; [`ApiError::PagesRepeat`]: it names one that was read.
    fn count(&mut self, page: &Value) -> Result<Option<String>, ApiError> {
        self.received += page.get("records").and_then(Value::as_array).map_or(0, Vec::len) as u64;
        let done = page.get("done").and_then(Value::as_bool);
        let next = ["nextRecordsUrl", "nextPageUrl"].iter().find_map(|name| page.get(name)?.as_str());
        if let Some(next) = next.filter(|_| done != Some(true)) {
            return self.trail.on(next.to_string()).map(Some);
        }
        let total = page.get("totalSize").and_then(Value::as_u64).filter(|_| self.announced);
        let expected = total.unwrap_or(self.received);
        match done == Some(false) || expected != self.received {
            true => Err(ApiError::RowsDiffer { expected, received: self.received }),
            false => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn end(path: &str, pages: &[&Value]) -> Result<Option<String>, &'static str> {
        let mut tally = Tally::new(path);
        let counted: Result<Vec<_>, _> = pages.iter().map(|page| tally.count(page)).collect();
        counted.map(|mut all| all.pop().flatten()).map_err(|error| crate::base::Explain::code(&error))
    }

    #[test]
    fn pages_end_where_the_rows_are_as_many_as_were_announced() {
        let query = "/services/data/v67.0/query?q=SELECT+Id+FROM+Account";
        let first = json!({"totalSize": 2, "done": false, "nextRecordsUrl": "/next", "records": [{}]});
        let last = json!({"totalSize": 2, "done": true, "records": [{}]});
        assert_eq!(end(query, &[&first]), Ok(Some("/next".into())));
        assert_eq!(end(query, &[&first, &last]), Ok(None));
        assert_eq!(end(query, &[&first, &last, &last]), Err("api.rows_differ"));
        assert_eq!(end(query, &[&last]), Err("api.rows_differ"));
        assert_eq!(end(query, &[&first, &first]), Err("api.pages_repeat"));
        let open = json!({"totalSize": 1, "done": false, "records": [{}]});
        assert_eq!(end(query, &[&open]), Err("api.rows_differ"));
        assert_eq!(end("/services/data/v67.0/x", &[&open]), Err("api.rows_differ"));
        // Begun in the middle, a number without rows, and lists that announce nothing.
        assert_eq!(end("/services/data/v67.0/query/01g-1", &[&last]), Ok(None));
        let count = json!({"totalSize": 4123, "done": true, "records": []});
        assert_eq!(end("query?q=SELECT+COUNT()+FROM+Account", &[&count]), Ok(None));
        assert_eq!(end("limits", &[&json!({"Max": 1})]), Ok(None));
        assert_eq!(end("list", &[&json!({"nextPageUrl": "/more"})]), Ok(Some("/more".into())));
    }
}

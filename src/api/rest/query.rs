use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api::{ApiError, Client, Request};

use super::follow::Home;
use super::trail::Trail;
use super::{Record, children};

/// One page as Salesforce sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    /// The whole result's rows; negative where Salesforce does not count them.
    #[serde(default = "unknown")]
    pub total_size: i64,
    pub done: bool,
    pub next_records_url: Option<String>,
    pub records: Vec<Map<String, Value>>,
}

fn unknown() -> i64 {
    -1
}

/// One page of a result.
#[derive(Debug)]
pub struct Page {
    /// Rows of the whole result; `None` where Salesforce does not say.
    pub total: Option<u64>,
    /// The rows of this page, in the order of the result.
    pub records: Vec<Record>,
}

/// The result of a query, page by page; see [`query()`].
#[derive(Debug)]
#[must_use = "nothing is asked before `next`"]
pub struct Pages {
    client: Client,
    next: Option<Next>,
    is_count: bool,
    total: Option<u64>,
    received: u64,
    page_size: Option<u16>,
    /// Where the result is kept; known once it is.
    home: Option<Home>,
    trail: Trail,
}

#[derive(Debug)]
enum Next {
    Query { soql: String, all: bool },
    More(String),
}

/// Runs a query; the answer is read with [`Pages::next`]. Sends nothing by itself.
///
/// # Shape
///
/// `soql` as it is written; `all` asks for deleted and archived rows too (`queryAll`). Pages hold up to 2,000
/// rows. Child rows that did not fit into a page are fetched with it.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: sfmint::Client) -> Result<(), sfmint::ApiError> {
/// let mut pages = sfmint::api::rest::query(&client, "SELECT Id, Name FROM Account", false);
/// while let Some(page) = pages.next().await? {
///     for record in page.records {
///         println!("{}", record.text("Name").unwrap_or_default());
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn query(client: &Client, soql: &str, all: bool) -> Pages {
    Pages {
        client: client.clone(),
        next: Some(Next::Query { soql: soql.to_string(), all }),
        is_count: is_count(soql),
        total: None,
        received: 0,
        page_size: None,
        home: None,
        trail: Trail::default(),
    }
}

impl Pages {
    /// The same result in pages of about so many rows, 200 to 2,000; Salesforce makes them smaller where rows are long.
    pub fn page_size(self, rows: u16) -> Self {
        Self { page_size: Some(rows.clamp(200, 2_000)), ..self }
    }

    /// The next page; `None` after the last, and only if the rows that came are as many as were announced.
    ///
    /// After an error the result has ended: a page is never left out.
    ///
    /// # Errors
    ///
    /// - [`ApiError::RowsDiffer`]: the counts disagree at the end. *Data*.
    /// - [`ApiError::PagesRepeat`]: a page names one as its next that has been read. *Data*.
    /// - [`ApiError::CursorGone`]: the result was kept too long, or the org moved to another host. *Transient*; the query
    ///   must be run again.
    /// - [`ApiError::Query`], [`ApiError::QueryTimeout`]; else those of [`Client::send`].
    pub async fn next(&mut self) -> Result<Option<Page>, ApiError> {
        let Some(next) = self.next.take() else { return Ok(None) };
        let mut answer: Answer = match next {
            Next::Query { soql, all } => {
                let soql: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
                let path =
                    self.client.data_path(&format!("query{}?q={soql}", if all { "All" } else { "" })).await?;
                self.client.whole(self.sized(path)?).await?.read()?
            }
            Next::More(path) => {
                let request = self.sized(path)?;
                match &self.home {
                    Some(home) => home.follow(&self.client, request).await?.read()?,
                    None => self.client.whole(request).await?.read()?,
                }
            }
        };
        let goes_on = !answer.done || answer.records.iter().any(children::is_open);
        if self.home.is_none() && goes_on {
            self.home = Some(Home::now(&self.client).await?);
        }
        if let Some(home) = &self.home {
            for row in &mut answer.records {
                children::complete(&self.client, home, row).await?;
            }
        }
        for row in &answer.records {
            children::counted(row)?;
        }
        self.received += answer.records.len() as u64;
        self.total = u64::try_from(answer.total_size).ok();
        match (answer.done, answer.next_records_url) {
            (false, Some(next)) => self.next = Some(Next::More(self.trail.on(next)?)),
            // Not done, and nowhere to go on; or done, and the count is what tells.
            (done, _) => {
                let expected = self.total.filter(|_| !self.is_count).unwrap_or(self.received);
                if expected != self.received || !done {
                    return Err(ApiError::RowsDiffer { expected, received: self.received });
                }
            }
        }
        let records = answer.records.into_iter().map(Record::new).collect();
        Ok(Some(Page { total: self.total, records }))
    }

    fn sized(&self, path: String) -> Result<Request, ApiError> {
        match self.page_size {
            Some(rows) => Request::get(path).header("Sforce-Query-Options", &format!("batchSize={rows}")),
            None => Ok(Request::get(path)),
        }
    }

    /// Every row at once, for results that are known to be small.
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next).
    pub async fn all(mut self) -> Result<Vec<Record>, ApiError> {
        let mut records = Vec::new();
        while let Some(page) = self.next().await? {
            records.extend(page.records);
        }
        Ok(records)
    }
}

/// Whether a query is `SELECT COUNT() FROM ...`, whose answer is a total without rows.
pub fn is_count(soql: &str) -> bool {
    let squeezed: String = soql.chars().filter(|c| !c.is_whitespace()).take(20).collect();
    squeezed.to_ascii_lowercase().starts_with("selectcount()from")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_read_is_no_next_page() {
        let mut trail = Trail::default();
        for next in ["/query/01g-2000", "/query/01g-4000"] {
            assert_eq!(trail.on(next.into()).unwrap(), next);
        }
        assert!(matches!(trail.on("/query/01g-2000".into()), Err(ApiError::PagesRepeat)));
    }

    #[test]
    fn a_count_is_told_from_rows() {
        for soql in ["SELECT COUNT() FROM Account", "select  count( )\nfrom Account WHERE Name = 'x'"] {
            assert!(is_count(soql), "{soql}");
        }
        for soql in
            ["SELECT COUNT(Id) FROM Account", "SELECT Id, COUNT() FROM Account", "SELECT Id FROM Account", ""]
        {
            assert!(!is_count(soql), "{soql}");
        }
    }
}

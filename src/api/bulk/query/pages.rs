use std::collections::HashSet;

use crate::api::{ApiError, Client};

use super::{Locator, NextPage, QueryJob, ResultPage, page};

/// The pages of a complete job's result, one after the other, each opened when it is asked for.
///
/// It ends where a page says that none follows, or does not say; [`expected`](Self::expected) and
/// [`announced`](Self::announced) are for whoever counts the rows.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    job: QueryJob,
    max_records: Option<u64>,
    next: Option<Option<Locator>>,
    seen: HashSet<Locator>,
    announced: Option<u64>,
}

impl Pages {
    /// The pages from `from` on; from the first where there is none. Sends nothing by itself.
    pub fn new(client: &Client, job: &QueryJob, from: Option<Locator>, max_records: Option<u64>) -> Self {
        Self {
            client: client.clone(),
            job: job.clone(),
            max_records,
            next: Some(from),
            seen: HashSet::new(),
            announced: Some(0),
        }
    }

    /// Opens the next page; `None` after the last. A page that could not be opened may be asked for again.
    ///
    /// # Errors
    ///
    /// [`ApiError::BulkCircle`]: a page names one before it as the next. *Data*. Else those of [`page()`].
    pub async fn next(&mut self) -> Result<Option<ResultPage>, ApiError> {
        let Some(locator) = &self.next else { return Ok(None) };
        let page = page(&self.client, &self.job, locator.as_ref(), self.max_records).await?;
        self.next = match &page.next {
            NextPage::More(next) if !self.seen.insert(next.clone()) => {
                return Err(ApiError::BulkCircle { job: self.job.id.clone() });
            }
            NextPage::More(next) => Some(Some(next.clone())),
            NextPage::Last | NextPage::Missing => None,
        };
        self.announced = self.announced.zip(page.rows).map(|(sum, rows)| sum + rows);
        Ok(Some(page))
    }

    /// The sum of what the headers of the pages so far say; `None` where one did not say.
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// What the job says it holds, where it says.
    pub fn expected(&self) -> Option<u64> {
        self.job.records_processed
    }
}

//! Rows on their way in: pages of a Bulk result or of a REST query, fetched ahead of whoever takes them.

mod bulk;
mod rest;
mod rest_text;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::api::{ApiError, Client};

pub(super) use bulk::pages as bulk_pages;
pub(super) use rest::pages as rest_pages;

/// Chunks of one page that may wait for the destination. A chunk is what one read of the socket gave.
const CHUNKS: usize = 8;

/// Pages that may be under way while one is taken. With their chunks this bounds the memory of a run.
const AHEAD: usize = 1;

/// A page under way: what its headers say, and its body as it arrives.
#[derive(Debug)]
pub(super) struct Fetched {
    /// Rows it holds, as the org says.
    pub announced: Option<u64>,
    /// Rows of the whole result, where this page tells.
    pub total: Option<u64>,
    /// What follows.
    pub next: Next,
    /// Its text, header line first; ends with the page, or with an error.
    pub chunks: mpsc::Receiver<Result<Bytes, ApiError>>,
}

/// What a page says of the one after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Its locator.
    More(String),
    /// There is none.
    Last,
    /// The page does not say.
    Missing,
}

/// Pages in order, fetched by a task of their own; dropped, the task ends.
pub(super) struct PageStream {
    pages: mpsc::Receiver<Result<Fetched, ApiError>>,
}

impl PageStream {
    /// The next page; `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<Fetched>, ApiError> {
        self.pages.recv().await.transpose()
    }
}

/// Lets a task open page after page while earlier ones are taken.
fn stream<F, Fut>(client: &Client, from: Option<String>, mut open: F) -> PageStream
where
    F: FnMut(Client, Option<String>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Fetched, ApiError>> + Send,
{
    let (found, pages) = mpsc::channel(AHEAD);
    let (client, mut locator) = (client.clone(), from);
    tokio::spawn(async move {
        loop {
            let page = open(client.clone(), locator.take()).await;
            let next = page.as_ref().ok().map(|page| page.next.clone());
            if found.send(page).await.is_err() {
                return;
            }
            match next {
                Some(Next::More(next)) => locator = Some(next),
                _ => return,
            }
        }
    });
    PageStream { pages }
}

use serde::{Deserialize, Serialize};

/// How Bulk API 2.0 behaves; may be changed while the org runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BulkRules {
    /// GETs of a query job until it is complete: the first shows InProgress. 0: complete when it is made.
    pub polls_until_complete: u32,
    /// Or so much of the org's time, seconds.
    pub seconds_until_complete: u64,
    /// A job that is InProgress shows UploadComplete once more before it ends.
    pub states_out_of_order: bool,
    /// Rows a page where the client names no `maxRecords`, and rows of each entry of resultPages.
    pub page_rows: u64,
    /// Days after which a job and its results are gone. Bulk API 2.0 guide: 7.
    pub keep_days: u64,
    /// Query jobs in 24 hours; one more is refused with `LIMIT_EXCEEDED`. Bulk API 2.0 guide: 10,000.
    pub daily_query_jobs: u64,
    /// Results are packed where `Accept-Encoding` asks for gzip.
    pub gzip: bool,
    /// The cursor of resultPages is spelt `nextRecordUrl`, as a table of the guide has it.
    pub next_record_url: bool,
    /// No `Sforce-Locator` at all where one page holds every row.
    pub lone_page_without_locator: bool,
    /// Pages are kept once they are written, and sent again to every job with the same query over unchanged rows.
    /// For measurements in which the org must not be the limit.
    pub prerender: bool,
    /// Objects that Bulk refuses to query, though REST answers for them.
    pub unsupported_objects: Vec<String>,
    /// GETs of an ingest job until it is complete; 0: as soon as it is closed.
    pub ingest_polls_until_complete: u32,
    /// Results of an ingest job come in another order than its rows.
    pub shuffle_results: bool,
    /// Rows of ingest jobs are counted and called written, and not kept. For measurements.
    pub discard_ingest: bool,
    /// The largest upload, bytes. Bulk API 2.0 guide: 150 MB after base64.
    pub ingest_limit_bytes: u64,
}

impl Default for BulkRules {
    fn default() -> Self {
        Self {
            polls_until_complete: 2,
            seconds_until_complete: 60,
            states_out_of_order: false,
            page_rows: 100_000,
            keep_days: 7,
            daily_query_jobs: 10_000,
            gzip: true,
            next_record_url: false,
            lone_page_without_locator: false,
            prerender: false,
            unsupported_objects: vec!["OauthToken".into(), "UserLogin".into()],
            ingest_polls_until_complete: 2,
            shuffle_results: true,
            discard_ingest: false,
            ingest_limit_bytes: 112_500_000,
        }
    }
}

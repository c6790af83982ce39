use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tracing::{info, warn};

use super::cut::cut;
use super::journal::{Journal, result_file};
use super::prepare::prepare;
use super::whole::Whole;
use super::{Batch, Cut, FileFormat, LoadError, Outcome, Stage, Step, Stood};
use crate::api::bulk::ingest::{self, IngestJob, IngestOperation, IngestRequest, ResultKind, Uploaded};
use crate::api::bulk::{JobState, Poll, RowScan};
use crate::api::{ApiError, Client, FileRange};
use crate::base::{Explain, printable};

/// How often a batch is given to a new job where the upload's outcome is lost, and results are read where they break off.
const TRIES: u32 = 3;

/// What is to be loaded, and where the results go.
#[derive(Clone, Debug)]
pub struct Load {
    /// The object.
    pub object: String,
    /// What is done with the rows.
    pub operation: IngestOperation,
    /// The field an upsert goes by.
    pub external_id: Option<String>,
    /// The rows.
    pub file: PathBuf,
    /// What they are written in.
    pub format: FileFormat,
    /// The folder for results and journal; made where it is not there.
    pub results: PathBuf,
    /// The most that one job is given. Bytes; at most [`MOST_UPLOAD`](ingest::MOST_UPLOAD).
    pub most: u64,
    /// When jobs are looked at.
    pub poll: Poll,
}

/// Loads a file: into as many jobs as it needs, each row once, and tells what became of each.
///
/// # Shape
///
/// Run again with the same file and folder it goes on where it was: jobs that were started are settled by looking at
/// them, and a load that has ended only says again how. `on_step` is told whenever a batch has come further.
///
/// # Limits
///
/// One process in a folder. Memory holds no rows; results are kept by the org for seven days.
///
/// # Errors
///
/// Every [`LoadError`]. Rows that were refused are no error: see [`Outcome`].
pub async fn run(
    client: &Client,
    load: &Load,
    mut on_step: impl FnMut(&[Batch]),
) -> Result<Outcome, LoadError> {
    let unwritable = LoadError::unwritable(&load.results);
    DirBuilder::new().recursive(true).mode(0o700).create(&load.results).map_err(&unwritable)?;
    let _lock = lock(load)?;
    let source = prepare(load)?;
    let file = File::open(&source).map_err(LoadError::unreadable(&source))?;
    let cut = cut(&file, load.most).map_err(|uncut| uncut.of(&source))?;
    let org = client.tokens().token().await.map_err(ApiError::from)?.org_id.to_string();
    let mut journal = Journal::open(load, &cut, &org)?;
    if let Some(outcome) = journal.outcome.clone() {
        info!("this file was loaded before: nothing is sent");
        return Ok(outcome);
    }
    journal.save()?;
    let file = Arc::new(file);
    for at in 0..journal.batches.len() {
        send(client, load, &cut, &file, &mut journal, at).await?;
        on_step(&journal.batches);
    }
    for at in 0..journal.batches.len() {
        if let Some(job) = &mut journal.batches[at].job {
            // What ended early is told row by row as well.
            match job.wait(client, &load.poll, |_| {}).await {
                Ok(()) | Err(ApiError::BulkFailed { .. } | ApiError::BulkAborted { .. }) => {}
                Err(ApiError::BulkJobGone { job }) => {
                    return Err(LoadError::InDoubt { job, rows: journal.batches[at].rows });
                }
                Err(error) => return Err(error.into()),
            }
        }
        journal.batches[at].stage = Stage::Ended;
        journal.save()?;
        on_step(&journal.batches);
    }
    let outcome = tell(client, load, &cut, &journal.batches).await?;
    journal.outcome = Some(outcome.clone());
    journal.save()?;
    Ok(outcome)
}

fn lock(load: &Load) -> Result<File, LoadError> {
    let path = load.results.join("load.lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let file = file.map_err(LoadError::unwritable(&path))?;
    // A program that is being started elsewhere in this process holds every open file until it has begun.
    for _ in 0..20 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            Err(TryLockError::Error(error)) => return Err(LoadError::unwritable(&path)(error)),
        }
    }
    Err(LoadError::Busy { path: load.results.clone() })
}

/// Brings a batch as far as its job's being closed.
async fn send(
    client: &Client,
    load: &Load,
    cut: &Cut,
    file: &Arc<File>,
    journal: &mut Journal,
    at: usize,
) -> Result<(), LoadError> {
    let mut made = 0;
    loop {
        let stood = match &mut journal.batches[at].job {
            None => Stood::Gone,
            Some(job) => match job.look(client).await {
                Ok(()) => Stood::At(job.state),
                Err(ApiError::BulkJobGone { .. }) => Stood::Gone,
                Err(error) => return Err(error.into()),
            },
        };
        let batch = &mut journal.batches[at];
        match (Step::after(batch.stage, stood), &mut batch.job) {
            (Step::Doubt, Some(job)) => {
                return Err(LoadError::InDoubt { job: job.id.clone(), rows: batch.rows });
            }
            (Step::Wait | Step::Read, Some(_)) => return Ok(()),
            (Step::Close, Some(job)) => {
                job.close(client).await?;
                return journal.save();
            }
            (Step::Remake, Some(job)) => {
                warn!(bulk.job = %job.id, "a job was left open: aborting it, its rows go into another");
                ingest::abort(client, job).await?;
                (batch.stage, batch.job) = (Stage::Planned, None);
                journal.save()?;
            }
            _ => {
                made += 1;
                if made > TRIES {
                    let host =
                        client.tokens().token().await.map_err(ApiError::from)?.instance_url.to_string();
                    let source = "an upload broke off again and again".into();
                    return Err(ApiError::NoAnswer { host, source }.into());
                }
                make(client, load, cut, file, journal, at).await?;
            }
        }
    }
}

/// Makes a job, and gives it the batch's rows. That the job exists is on disk before a row is sent, and that the rows are
/// there before anybody may close it.
async fn make(
    client: &Client,
    load: &Load,
    cut: &Cut,
    file: &Arc<File>,
    journal: &mut Journal,
    at: usize,
) -> Result<(), LoadError> {
    let request = IngestRequest {
        external_id_field: load.external_id.clone(),
        line_ending: cut.line_ending,
        column_delimiter: cut.delimiter,
        ..IngestRequest::new(&load.object, load.operation)
    };
    let mut job = ingest::create(client, &request).await?;
    let batch = &mut journal.batches[at];
    info!(bulk.job = %job.id, "made Bulk job {} for {} rows", job.id, batch.rows);
    (batch.stage, batch.job) = (Stage::Made, Some(job.clone()));
    let range = FileRange {
        head: Bytes::from(cut.header.clone()),
        file: file.clone(),
        start: batch.start,
        length: batch.length,
    };
    journal.save()?;
    // Unknown: the job is open still, and the next look finds it so.
    if ingest::upload(client, &mut job, Arc::new(range)).await? == Uploaded::Stored {
        journal.batches[at].stage = Stage::Stored;
        journal.save()?;
    }
    Ok(())
}

/// Writes the files that tell what became of each row, and counts them.
async fn tell(client: &Client, load: &Load, cut: &Cut, batches: &[Batch]) -> Result<Outcome, LoadError> {
    let jobs: Vec<(&IngestJob, u64)> =
        batches.iter().filter_map(|batch| Some((batch.job.as_ref()?, batch.rows))).collect();
    let mut counts = vec![0; jobs.len()];
    let mut sums = [0_u64; 3];
    let kinds = [
        (ResultKind::Successful, "success"),
        (ResultKind::Failed, "failed"),
        (ResultKind::Unprocessed, "unprocessed"),
    ];
    for (kind, (what, name)) in kinds.into_iter().enumerate() {
        let path = result_file(&load.results, name);
        let mut whole = Whole::begin(&path).map_err(LoadError::unwritable(&path))?;
        for (at, (job, _)) in jobs.iter().enumerate() {
            let rows = one_result(client, job, what, &mut whole, &path, at == 0).await?;
            counts[at] += rows;
            sums[kind] += rows;
        }
        whole.finish().map_err(LoadError::unwritable(&path))?;
    }
    for ((_, expected), received) in jobs.iter().zip(counts) {
        if *expected != received {
            return Err(ApiError::RowsDiffer { expected: *expected, received }.into());
        }
    }
    let reason = |job: &IngestJob| match job.state {
        JobState::Failed | JobState::Aborted => {
            let says = job.error_message.as_deref().unwrap_or("no reason given");
            Some(format!("job {} {}: {}", job.id, job.state, printable(says, 300)))
        }
        _ => None,
    };
    Ok(Outcome {
        rows: cut.rows,
        succeeded: sums[0],
        failed: sums[1],
        unprocessed: sums[2],
        jobs: jobs.iter().map(|(job, _)| job.id.clone()).collect(),
        reasons: jobs.iter().filter_map(|(job, _)| reason(job)).collect(),
        success_file: result_file(&load.results, "success"),
        failed_file: result_file(&load.results, "failed"),
        unprocessed_file: result_file(&load.results, "unprocessed"),
    })
}

/// Appends one job's rows of one kind; from their beginning again where they break off. Says how many there were.
async fn one_result(
    client: &Client,
    job: &IngestJob,
    kind: ResultKind,
    whole: &mut Whole,
    path: &std::path::Path,
    with_header: bool,
) -> Result<u64, LoadError> {
    let unwritable = LoadError::unwritable(path);
    let mark = whole.mark().map_err(&unwritable)?;
    let mut tries = 0;
    'again: loop {
        tries += 1;
        let again = |error: &ApiError| matches!(error, ApiError::BrokenOff { .. }) && tries < TRIES;
        let mut answer = ingest::results(client, job, kind).await?;
        let (mut scan, mut head, mut past_header) = (RowScan::new(), Vec::new(), false);
        loop {
            let chunk = match answer.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) if again(&error) => {
                    warn!(bulk.job = %job.id, error.code = error.code(), "results broke off: reading them again ({error})");
                    whole.cut_back(mark).map_err(&unwritable)?;
                    continue 'again;
                }
                Err(error) => return Err(error.into()),
            };
            if past_header {
                scan.feed(&chunk);
                whole.write_all(&chunk).map_err(&unwritable)?;
                continue;
            }
            head.extend_from_slice(&chunk);
            let Some(end) = RowScan::first(&head) else { continue };
            past_header = true;
            scan.feed(&head[end..]);
            let from = if with_header { 0 } else { end };
            whole.write_all(&head[from..]).map_err(&unwritable)?;
        }
        // A last line without its end is a row all the same.
        let open = u64::from(past_header && !scan.at_border());
        if open == 1 {
            whole.write_all(b"\n").map_err(&unwritable)?;
        }
        return Ok(scan.rows() + open);
    }
}

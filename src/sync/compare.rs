use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::UnixSeconds;
use crate::base::job::{Deletes, Job};

use super::ids::{self, IdQuery};
use super::lander::Lander;
use super::report::{Difference, Verified};
use super::scratch::{Scratch, Side};
use super::soql::literal;
use super::{SyncError, World, destination::DestinationError};

/// How many differing rows are named.
const NAMED: u64 = 100;

pub(super) fn lock(scratch: &Arc<Mutex<Scratch>>) -> MutexGuard<'_, Scratch> {
    scratch.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts what the destination holds into its side of the scratch file.
pub(super) async fn hold(lander: &Lander, scratch: &Arc<Mutex<Scratch>>) -> Result<(), SyncError> {
    let scratch = scratch.clone();
    lander
        .with(move |desk| {
            let scratch = lock(&scratch);
            desk.destination().held(&mut |row| {
                scratch.add(Side::Held, row.id, row.stamp, row.is_deleted).map_err(|error| {
                    DestinationError::Refused { place: "the scratch file".into(), source: error.into() }
                })
            })
        })
        .await
}

/// Compares every Id and stamp of the org with those of the destination.
///
/// Rows that changed at the watermark or later are set aside, for the next run brings them. Deleted rows are compared
/// where the job marks them.
///
/// # Errors
///
/// Those of reading Ids; a difference is none.
pub(super) async fn verify(
    world: &World<'_>,
    job: &Job,
    lander: &Lander,
    query: &IdQuery,
    watermark: Option<UnixSeconds>,
    run_id: &str,
) -> Result<Verified, SyncError> {
    let scratch = Arc::new(Mutex::new(Scratch::open(world.state_dir, run_id)?));
    hold(lander, &scratch).await?;
    ids::read(world, job, &scratch, Side::Org, query, job.deletes == Deletes::Mark).await?;
    let scratch = lock(&scratch);
    // Without a watermark nothing is complete yet, and nothing is set aside.
    let since = watermark.map_or_else(|| "9999".to_string(), literal);
    let (differing, named) = scratch.differing(&since, NAMED)?;
    let named = named.into_iter().map(|row| {
        let what = match (&row.org, &row.held) {
            (_, None) => "missing",
            (None, _) => "surplus",
            _ => "stale",
        };
        Difference { id: row.id, what, org: row.org, held: row.held }
    });
    Ok(Verified {
        org: scratch.count(Side::Org, true)?,
        held: scratch.count(Side::Held, true)?,
        set_aside: scratch.changed_since(&since)?,
        differing,
        named: named.collect(),
    })
}

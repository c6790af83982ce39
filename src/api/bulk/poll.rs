use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use crate::api::{ApiError, Client};
use crate::base::{Explain, OAuthError};
use crate::token::jitter;

use super::{JobId, JobState};

/// How often in a row looking at a job may fail for a passing reason, each time after the tries of a call.
const MISSED_LOOKS: u32 = 5;

/// When a job is looked at while the org works on it.
///
/// Each look is one of the org's calls of 24 hours: pauses grow by half, so that a job of seconds is seen to end
/// soon and a job of hours costs a few hundred calls.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    /// The first pause.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
    /// How long it is waited for in all; then the job goes on in the org, and can be waited for again.
    pub patience: Duration,
}

impl Default for Poll {
    /// From 0.2 to 10 seconds, for 4 hours at most.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(10),
            patience: Duration::from_secs(4 * 3600),
        }
    }
}

impl Poll {
    /// The pause before look `number` (from 0): half as long again as the one before, and up to a tenth more, so that
    /// jobs that began together are not looked at together.
    fn pause(&self, number: u32, jitter: f64) -> Duration {
        let grown = self.first.as_secs_f64() * 1.5_f64.powi(number.min(60) as i32);
        let pause = grown.min(self.longest.as_secs_f64());
        Duration::from_secs_f64(pause * (1.0 + jitter.clamp(0.0, 1.0) / 10.0))
    }
}

/// A job of either kind, as far as waiting goes.
pub(super) trait Job: Sync {
    fn id(&self) -> &JobId;
    fn state(&self) -> JobState;
    fn reason(&self) -> Option<OAuthError>;
    fn refresh(&mut self, client: &Client) -> impl Future<Output = Result<(), ApiError>> + Send;
}

/// Waits until the job is complete, telling `on_look` after each look.
///
/// # Errors
///
/// [`ApiError::BulkFailed`], [`ApiError::BulkAborted`], [`ApiError::BulkSlow`]; [`ApiError::BulkState`] where it is open and so would
/// never end; those of a look that is not passing, or the sixth passing one in a row.
pub(super) async fn until_complete<J: Job>(
    client: &Client,
    job: &mut J,
    poll: &Poll,
    mut on_look: impl FnMut(&J) + Send,
) -> Result<(), ApiError> {
    let begun = Instant::now();
    let (mut missed, mut looks) = (0, 0);
    loop {
        match job.state() {
            JobState::JobComplete => return Ok(()),
            JobState::Failed => {
                return Err(ApiError::BulkFailed { job: job.id().clone(), reason: job.reason() });
            }
            JobState::Aborted => {
                return Err(ApiError::BulkAborted { job: job.id().clone(), reason: job.reason() });
            }
            JobState::Open => {
                let reason = OAuthError::new("Open", Some("its data was not closed"));
                return Err(ApiError::BulkState { job: job.id().clone(), reason: Some(reason) });
            }
            JobState::UploadComplete | JobState::InProgress | JobState::Unknown => {}
        }
        let pause = poll.pause(looks, jitter());
        let waited = begun.elapsed();
        if waited + pause > poll.patience {
            return Err(ApiError::BulkSlow { job: job.id().clone(), waited });
        }
        tokio::time::sleep(pause).await;
        looks += 1;
        match job.refresh(client).await {
            Ok(()) => {
                missed = 0;
                on_look(job);
            }
            Err(error) if passes(&error) && missed < MISSED_LOOKS => {
                missed += 1;
                warn!(bulk.job = %job.id(), error.code = error.code(), "cannot see how a Bulk job stands: {error}");
            }
            Err(error) => return Err(error),
        }
    }
}

/// The org works on, whatever keeps us from looking. A spent daily limit is no such thing: each look is a call.
fn passes(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::NoAnswer { .. }
            | ApiError::BrokenOff { .. }
            | ApiError::Unavailable { .. }
            | ApiError::LimitConcurrent { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_half_to_their_longest() {
        let poll = Poll::default();
        let millis: Vec<u128> = (0..12).map(|number| poll.pause(number, 0.0).as_millis()).collect();
        assert_eq!(millis, [200, 300, 450, 675, 1012, 1518, 2278, 3417, 5125, 7688, 10_000, 10_000]);
        assert_eq!(poll.pause(1_000_000, 1.0), Duration::from_secs(11));
    }
}

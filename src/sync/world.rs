use std::path::Path;
use std::sync::Arc;

use crate::api::Client;
use crate::base::Clock;
use crate::store::Store;

use super::completeness::Counts;

/// What a run needs from outside: whom it asks, where facts go, what time it is, and when to stop.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The org.
    pub client: &'a Client,
    /// Leases and history.
    pub store: &'a Arc<dyn Store>,
    /// This machine's clock.
    pub clock: &'a dyn Clock,
    /// Where scratch files may be.
    pub state_dir: &'a Path,
    /// This machine's name.
    pub host: &'a str,
    /// Asked between pages: whether to stop, with what is committed kept.
    pub stopping: &'a (dyn Fn() -> bool + Send + Sync),
    /// Told how far the run has come.
    pub tell: &'a (dyn Fn(Step) + Send + Sync),
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The org works on the query.
    Asked,
    /// Another page is safely written.
    Page(Counts),
    /// Ids are being compared.
    Comparing,
    /// The rows take the place of those before.
    Publishing,
}

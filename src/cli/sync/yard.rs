use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::api::Client;
use crate::base::{Clock, ConnectionName, Fault, Job};
use crate::cli::report::{Complaint, told, told_of};
use crate::cli::wire::Wire;
use crate::store::{Store, open_strict};
use crate::sync::{Step, World};

/// What all jobs of one command share: the store, a client for each connection, the wish to stop.
pub struct Yard {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    state_dir: PathBuf,
    host: String,
    clients: BTreeMap<ConnectionName, Client>,
    stopping: AtomicBool,
}

impl Yard {
    /// Opens the store, which syncs cannot do without, and makes a client for the connection of each job.
    pub fn new(wire: &Wire, jobs: &[Job]) -> anyhow::Result<Self> {
        let Some(state_dir) = wire.settings().state_dir().map(PathBuf::from) else {
            let says =
                "there is no state directory that can be written, and syncs keep leases and history there";
            let complaint = Complaint::new("sync.no_state", Fault::Disk, says);
            return Err(told(complaint.hint("name one with `--state-dir` or `SFMINT_STATE_DIR`")));
        };
        let opened = open_strict(&wire.store_location(), wire.now()).map_err(told)?;
        let mut clients = BTreeMap::new();
        for job in jobs {
            if clients.contains_key(&job.connection) {
                continue;
            }
            let connection = wire.settings().connection(Some(job.connection.as_str())).map_err(told)?;
            let tokens = wire.tokens_into(connection, opened.clone())?;
            clients.insert(job.connection.clone(), Client::over(tokens, wire.clock(), None));
        }
        Ok(Self {
            store: opened,
            clock: wire.clock(),
            state_dir,
            host: host(),
            clients,
            stopping: AtomicBool::new(false),
        })
    }

    /// From now on runs stop where they can go on later.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Whether runs are to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Leases and history.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The time.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// What a run of `job` needs; `None` for a job that this yard was not made for.
    pub fn world<'a>(
        &'a self,
        job: &Job,
        stopping: &'a (dyn Fn() -> bool + Send + Sync),
        tell: &'a (dyn Fn(Step) + Send + Sync),
    ) -> anyhow::Result<World<'a>> {
        let client = self.clients.get(&job.connection).ok_or_else(|| {
            told_of(&job.connection)(Complaint::new("sync.no_client", Fault::Bug, "no client was made"))
        })?;
        Ok(World {
            client,
            store: &self.store,
            clock: &*self.clock,
            state_dir: &self.state_dir,
            host: &self.host,
            stopping,
            tell,
        })
    }
}

/// This machine's name.
fn host() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    crate::base::printable(&name, 64)
}

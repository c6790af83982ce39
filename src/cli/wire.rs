use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use crate::api::Client;
use crate::base::{ApiVersion, Clock, Connection, Fault, UnixSeconds};
use crate::config::{Environment, Flags, Settings};
use crate::store::{LazyStore, Location, Store};
use crate::token::{Minter, SystemClock, TokenSource};

use super::report::{Complaint, told, told_of};
use super::{Exit, Global};

/// The one place where the floors are joined: text to settings, settings to a connection, a connection to tokens.
///
/// Everything is made when it is asked for; a command pays for what it uses.
pub struct Wire {
    global: Global,
    settings: Settings,
    clock: Arc<dyn Clock>,
}

impl Wire {
    /// Reads the configuration.
    pub fn new(global: &Global) -> anyhow::Result<Self> {
        let flags = Flags { config: global.config.clone(), state_dir: global.state_dir.clone() };
        let settings = Settings::from_layers(flags, &Environment::from_process()).map_err(told)?;
        for warning in settings.warnings() {
            tracing::warn!(error.code = warning.code, "{}", warning.says);
        }
        Ok(Self { global: global.clone(), settings, clock: Arc::new(SystemClock::new()) })
    }

    /// What was configured.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The machine's clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Now.
    pub fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    /// The connection that `--connection` names, or the only one.
    pub fn connection(&self) -> anyhow::Result<Connection> {
        self.settings.connection(self.global.connection.as_deref()).map_err(told)
    }

    /// Where the store is.
    pub fn store_location(&self) -> Location {
        match self.settings.store() {
            crate::config::StoreLocation::Sqlite(path) => Location::Sqlite { path },
            _ => Location::Memory,
        }
    }

    /// The history, opened when the first fact arrives.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::new(LazyStore::new(self.store_location(), self.clock()))
    }

    /// Tokens of a connection, with history.
    pub fn tokens(&self, connection: Connection) -> anyhow::Result<TokenSource> {
        self.tokens_into(connection, self.store())
    }

    /// Tokens of a connection, whose history goes into a store that is open already.
    pub fn tokens_into(&self, connection: Connection, store: Arc<dyn Store>) -> anyhow::Result<TokenSource> {
        let name = connection.name.clone();
        let minter = Minter::new(Arc::new(connection), self.clock());
        TokenSource::over(minter, self.clock(), Some(store)).map_err(told_of(&name))
    }

    /// The API of a connection's org, for a process that ends with its calls.
    pub fn client(&self, connection: Connection) -> anyhow::Result<Client> {
        Ok(Client::over(self.tokens(connection)?, self.clock(), None).waiting_for_renewals())
    }

    /// The API version for a program that gets a token: the pinned one, else the newest that the org and this
    /// release both know. The org is asked once a token; where it does not say, the newest this release knows is a guess that serves.
    pub fn api_version(&self, tokens: &TokenSource) -> ApiVersion {
        if let Some(known) = tokens.connection().api_version.or_else(|| tokens.api_version()) {
            return known;
        }
        let client = Client::over(tokens.clone(), self.clock(), None);
        block_on(async { client.api_version().await.map_err(told) }).unwrap_or_else(|error| {
            tracing::debug!("the org did not say which API versions it has: {error}");
            ApiVersion::NEWEST_KNOWN
        })
    }
}

/// Runs a future to its end on this thread. Made only where something must be waited for.
pub fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    // From here on keys and tokens are in memory: no core file, no debugger of the same user.
    // Where the system has no such thing, the key is no less a key.
    let _ = crate::crypto::harden_process();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        told(
            Complaint::new("runtime", Fault::Transient, "this machine has no resources for another program")
                .because(error),
        )
    })?;
    runtime.block_on(future)
}

/// Whether anybody still reads stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// It took all.
    There,
    /// The pipe was closed: there is nothing more to do, and what follows need not be made.
    Gone,
}

/// Writes data to stdout. A pipe that was closed is no error: the reader has seen enough.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<Exit> {
    print_part(write).map(|_| Exit::Done)
}

/// Writes a part of what stdout is to have, for those who would go on.
pub fn print_part(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<Reader> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(told(
            Complaint::new("output.unwritable", Fault::Disk, "stdout cannot be written").because(error),
        )),
    }
}

/// Prints a value as one JSON document.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<Exit> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    print(|out| out.write_all(&text))
}

/// Reads a file named on the command line, or stdin for `-`.
pub fn read_input(path: &PathBuf) -> anyhow::Result<Vec<u8>> {
    let read = match path.as_os_str() == "-" {
        true => {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut io::stdin().lock(), &mut bytes).map(|_| bytes)
        }
        false => std::fs::read(path),
    };
    read.map_err(|error| {
        told(
            Complaint::new("input.unreadable", Fault::Data, format!("{} cannot be read", path.display()))
                .because(error),
        )
    })
}

use std::io;
use std::path::PathBuf;

use crate::base::{Explain, Fault, Hint};

/// Why a destination did not take or give rows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// No room left.
    #[error("no room to write {}{}", path.display(), room(*free_bytes))]
    Full {
        /// The file or folder.
        path: PathBuf,
        /// What its file system still has for us, where it tells.
        free_bytes: Option<u64>,
    },
    /// A file that cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Somebody else is writing.
    #[error("{place} is in use by another program")]
    Busy {
        /// The destination.
        place: String,
    },
    /// A newer lease has written here.
    #[error(
        "another run has taken over this job: epoch {newest} has written to {place}, this run has epoch {ours}"
    )]
    Fenced {
        /// The destination.
        place: String,
        /// Our epoch.
        ours: u64,
        /// The epoch that is there.
        newest: u64,
    },
    /// What is there was not made by this job.
    #[error("{place} holds something that this job did not write: {found}")]
    Foreign {
        /// The destination.
        place: String,
        /// What was found.
        found: String,
    },
    /// What is there cannot be read any more.
    #[error("{place} is damaged: {found}")]
    Damaged {
        /// The destination.
        place: String,
        /// What was found.
        found: String,
    },
    /// A row that is no row of the columns that were asked for.
    #[error("row {row} of a page does not fit its columns: {why}")]
    Row {
        /// Its number in the page, from 1.
        row: u64,
        /// What is wrong with it.
        why: String,
    },
    /// NUL characters, with `nul = "fail"`.
    #[error("row {row} of a page holds a NUL character")]
    Nul {
        /// Its number in the page, from 1.
        row: u64,
    },
    /// A call that came at the wrong time.
    #[error("{place} was called out of order: {why}")]
    OutOfOrder {
        /// The destination.
        place: String,
        /// What was missing.
        why: &'static str,
    },
    /// Whoever read our rows has gone.
    #[error("nobody reads {place} any more")]
    Closed {
        /// The destination.
        place: String,
    },
    /// A database that says no.
    #[error("{place} refuses")]
    Refused {
        /// The destination.
        place: String,
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn room(free_bytes: Option<u64>) -> String {
    free_bytes.map(|bytes| format!(": {bytes} bytes free")).unwrap_or_default()
}

impl Explain for DestinationError {
    fn fault(&self) -> Fault {
        match self {
            Self::Full { .. } | Self::Io { .. } | Self::Closed { .. } => Fault::Disk,
            Self::Busy { .. } | Self::Fenced { .. } => Fault::Transient,
            Self::Foreign { .. } => Fault::Misuse,
            Self::Damaged { .. } | Self::Row { .. } | Self::Nul { .. } => Fault::Data,
            Self::Refused { .. } => Fault::Disk,
            Self::OutOfOrder { .. } => Fault::Bug,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "destination.full",
            Self::Io { .. } => "destination.io",
            Self::Busy { .. } => "destination.busy",
            Self::Fenced { .. } => "destination.fenced",
            Self::Foreign { .. } => "destination.foreign",
            Self::Damaged { .. } => "destination.damaged",
            Self::Row { .. } => "destination.row",
            Self::Nul { .. } => "destination.nul",
            Self::Closed { .. } => "destination.closed",
            Self::Refused { .. } => "destination.refused",
            Self::OutOfOrder { .. } => "destination.out_of_order",
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let hint = match self {
            Self::Full { .. } => {
                "make room and run the job again: what is committed is kept, the watermark did not move"
            }
            Self::Io { .. } => {
                "look at the path's owner, mode and disk, and run the job again; the watermark did not move"
            }
            Self::Busy { .. } => "run it again later; `sfmint sync list` says what is running",
            Self::Fenced { .. } => "nothing to do: the newer run goes on; `sfmint sync history` shows both",
            Self::Foreign { .. } => "give the job a `destination` of its own",
            Self::Damaged { .. } => {
                "move it aside, then `sfmint sync reset JOB` and `sfmint sync run JOB` read everything anew"
            }
            Self::Row { .. } => {
                "run it again; if it stays so, `transport = \"rest\"` reads the rows another way"
            }
            Self::Nul { .. } => "set the job's `nul` to \"replace\" or \"remove\"",
            Self::OutOfOrder { .. } => "this is a mistake of sfmint; please report it",
            Self::Closed { .. } => "let the program behind the pipe read to the end",
            Self::Refused { .. } => "what the destination says is the cause above; nothing was committed",
        };
        vec![Hint::new(hint)]
    }
}

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::base::{ConnectionName, JobName, printable};

use super::nearest::did_you_mean;
use super::origin::shown;
use super::{Mistake, Origin};

/// Why there is no configuration to work with. Always *misuse*: somebody edits a file or sets a variable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Something in it is wrong; all of it is told.
    #[error("{}", Listed(mistakes))]
    Invalid {
        /// Every mistake, in the order of files and lines. Never empty.
        mistakes: Vec<Mistake>,
    },
    /// A file that somebody named is not there.
    #[error("config file {} is not there; it was named by {named_by}", shown(path))]
    NotFound {
        /// The file.
        path: PathBuf,
        /// Who named it.
        named_by: Origin,
    },
    /// A symbolic link leads nowhere.
    #[error("config file {} is a symbolic link to {}, which is not there", shown(path), shown(target))]
    DanglingLink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A file or folder is there and cannot be read.
    #[error("cannot read {}", shown(path))]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A folder, pipe or device stands where a file should.
    #[error("{} is {found}, not a file", shown(path))]
    NotAFile {
        /// The place.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// The file is larger than any configuration.
    #[error("config file {} is larger than {} KiB, the most that is read", shown(path), limit / 1024)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// The file is not UTF-8.
    #[error("config file {} is not UTF-8 text{}", shown(path), line.map(|line| format!(" (line {line})")).unwrap_or_default())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first line that is not; `None` where the whole file is in another encoding.
        line: Option<usize>,
    },
    /// Another user can write the file, and with it what runs here.
    #[error("others can write {} (mode {mode:04o})", shown(path))]
    WritableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file lies where anybody may put one, and is not the user's own.
    #[error("{} belongs to user id {owner}, not to you (user id {user})", shown(path))]
    NotYours {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this.
        user: u32,
    },
    /// There is neither a configuration nor a connection in the environment.
    #[error("no connection is configured")]
    NoConnection {
        /// Where a configuration was looked for, or the one that has no connection.
        searched: Vec<PathBuf>,
    },
    /// There is no connection of this name.
    #[error("no connection is called `{}`{}", printable(asked, 60), did_you_mean(asked, known.iter().map(ConnectionName::as_str)))]
    UnknownConnection {
        /// What was asked for.
        asked: String,
        /// What there is, in order.
        known: Vec<ConnectionName>,
    },
    /// No connection was named, there are several, and none is called `default`.
    #[error("there are {} connections and none is called `default`", known.len())]
    WhichConnection {
        /// What there is, in order.
        known: Vec<ConnectionName>,
    },
    /// There is no job at all.
    #[error("no job is configured")]
    NoJob {
        /// Where a configuration was looked for, or the one that has no job.
        searched: Vec<PathBuf>,
    },
    /// There is no job of this name.
    #[error("no job is called `{}`{}", printable(asked, 60), did_you_mean(asked, known.iter().map(JobName::as_str)))]
    UnknownJob {
        /// What was asked for.
        asked: String,
        /// What there is, in order.
        known: Vec<JobName>,
    },
    /// A program named by a configuration that merely lay in the current directory.
    #[error("{origin}: `command` is not run for a config file that was found in the current directory")]
    CommandRefused {
        /// Where the command stands.
        origin: Origin,
        /// The file to name.
        config: PathBuf,
    },
    /// A configuration that merely lay in the current directory says where assertions and tokens go, or whose key signs.
    #[error("{origin}: {setting} is not taken from a config file that was found in the current directory")]
    SettingRefused {
        /// Where the setting stands.
        origin: Origin,
        /// The setting, and what of it is refused.
        setting: &'static str,
        /// The file to name.
        config: PathBuf,
    },
    /// The file that says which of two apps is active says neither.
    #[error("{} does not name an app of connection `{connection}`: accepted are `{}` and `{}`", shown(path), apps[0], apps[1])]
    ActiveApp {
        /// The file.
        path: PathBuf,
        /// The connection.
        connection: ConnectionName,
        /// The names of its two apps.
        apps: [String; 2],
    },
}

impl ConfigError {
    /// What is wrong, one by one; empty where it is not a matter of lines.
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            ConfigError::Invalid { mistakes } => mistakes,
            _ => &[],
        }
    }
}

/// The most mistakes that are shown: a binary file has one in every line.
const SHOWN: usize = 50;

struct Listed<'a>(&'a [Mistake]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0 {
            return write!(f, "{only}");
        }
        write!(f, "the configuration has {} mistakes", self.0.len())?;
        for mistake in self.0.iter().take(SHOWN) {
            write!(f, "\n  {mistake}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

use std::fmt;
use std::path::PathBuf;

/// Where a job's rows land.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DestinationPlace {
    /// A table in an SQLite file.
    Sqlite(PathBuf),
    /// A folder of CSV part files with a manifest.
    Csv(PathBuf),
    /// A folder of JSON Lines part files with a manifest.
    Jsonl(PathBuf),
    /// JSON Lines on standard output.
    Stdout,
}

impl fmt::Display for DestinationPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite {}", path.display()),
            Self::Csv(path) => write!(f, "csv {}", path.display()),
            Self::Jsonl(path) => write!(f, "jsonl {}", path.display()),
            Self::Stdout => f.write_str("stdout"),
        }
    }
}

use std::process::ExitCode;

use crate::base::Fault;

/// How the process ends: sysexits where one fits, so that a scheduler knows what to retry and whom to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: a predicate says no.
    No,
    /// 2: the command line is wrong.
    Usage,
    /// 65: rows in doubt, or input that cannot be used.
    Data,
    /// 70: a bug of ours.
    Bug,
    /// 74: disk or file trouble; nothing was published.
    Disk,
    /// 75: try again later.
    Later,
    /// 77: refused, by Salesforce or by a file's permissions.
    Denied,
    /// 78: configuration, key or certificate.
    Config,
    /// Any other: what a child ended with, or 128 and the number of its signal.
    Child(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Data => 65,
            Exit::Bug => 70,
            Exit::Disk => 74,
            Exit::Later => 75,
            Exit::Denied => 77,
            Exit::Config => 78,
            Exit::Child(code) => code,
        }
    }
}

impl From<Fault> for Exit {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Transient => Exit::Later,
            Fault::Denied => Exit::Denied,
            Fault::Misuse => Exit::Config,
            Fault::Data => Exit::Data,
            Fault::Disk => Exit::Disk,
            Fault::Bug => Exit::Bug,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
